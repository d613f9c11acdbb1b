//! Tests of a failing disk of the embedded database: an event answered with 202 is stored and arrives, everything else
//! is refused, and the service recovers by itself.

use super::*;
use crate::support::{Disk, IO_ERROR, NO_SPACE};

async fn scene() -> (Scene, Process, Disk) {
    let slack = Slack::start(Options::default()).await;
    slack.unlimited().await;
    let database = Database::empty_sqlite();
    let folder = database.folder();
    let mut deployment = Deployment::new(database, &slack.base());
    let disk = Disk::below(&mut deployment, &folder);
    let process = deployment.serve("all").await;
    let tokens = [
        deployment.connected(&process, "acme", &slack, PLACES[0]).await,
        deployment.connected(&process, "globex", &slack, PLACES[1]).await,
    ];
    let control = Client::new(slack.base().trim_end_matches("/slack"));
    (Scene { deployment, slack, control, tokens }, process, disk)
}

/// Sends an event. Returns true if it was accepted; any other answer has to be a proper refusal.
async fn was_accepted(client: &Client, name: &str) -> bool {
    let answer = client.post("/v1/events", &step(name)).await;
    match answer.status.as_u16() {
        202 => {
            let id = answer.json()["id"].as_str().unwrap().to_owned();
            let kept = client.get(&format!("/v1/events/{id}")).await;
            assert_eq!(kept.status, 200, "{name} was accepted and is not there: {}", kept.text);
            true
        }
        503 => {
            assert!(!answer.header("retry-after").is_empty(), "{}", answer.text);
            assert!(answer.text.contains("the database"), "{}", answer.text);
            false
        }
        other => panic!("{other} for {name}: {}", answer.text),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_write_and_sync_that_fails_in_turn_loses_nothing() {
    let (scene, process, disk) = scene().await;
    let [owner, _] = scene.owners(&process);
    let (mut accepted, mut refused) = (Vec::new(), 0);
    let errors = [NO_SPACE, IO_ERROR].repeat(rounds(1));
    for (round, errno) in errors.into_iter().enumerate() {
        for (after, count) in (0..16).map(|after| (after, 1)).chain([(0, 3), (1, 1000), (3, 1000)]) {
            let before = disk.failed();
            disk.fail(errno, after, count);
            let mut number = 0;
            while disk.failed() == before {
                let name = format!("ev-{round}-{after}-{count}-{number}");
                match was_accepted(&owner, &name).await {
                    true => accepted.push(name),
                    false => refused += 1,
                }
                number += 1;
            }
            disk.heal();
            let name = format!("ev-{round}-{after}-{count}-healed");
            until("events are accepted again, without a restart", LIMIT, async || {
                was_accepted(&owner, &name).await.then_some(())
            })
            .await;
            accepted.push(name);
            assert_eq!(process.anon().get("/readyz").await.status, 200);
        }
    }
    assert!(refused > 0, "no fault was seen from outside");
    scene.all_arrive(&accepted).await;
    let injected = usize::try_from(disk.failed()).unwrap();
    tell("SQLite, each write and sync in turn (ENOSPC, EIO)", injected, accepted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_second_without_a_disk_loses_nothing_of_what_was_accepted() {
    let (scene, process, disk) = scene().await;
    let (errors, mut count) = ([NO_SPACE, IO_ERROR].repeat(rounds(1)), 0);
    for (round, errno) in errors.iter().enumerate() {
        let flood = Flood::persistent(&scene.owners(&process), &round.to_string(), 3);
        flood.reaches(20).await;
        disk.fail(*errno, 0, i64::MAX);
        let anon = process.anon();
        until("it says that it is not ready", LIMIT, async || (anon.get("/readyz").await.status == 503).then_some(()))
            .await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        disk.heal();
        until("it is ready again", LIMIT, async || (anon.get("/readyz").await.status == 200).then_some(())).await;
        let so_far = flood.accepted.load(SeqCst);
        flood.reaches(so_far + 20).await;
        let accepted = flood.stop().await;
        scene.all_arrive(&accepted).await;
        count += accepted.len();
    }
    tell("SQLite, half a second without a disk", errors.len(), count);
}
