//! Tests of dependencies that go away and come back.

use reqwest::Url;

use super::*;
use crate::support::Gate;

/// A short retry schedule.
const IMPATIENT: &[(&str, &str)] =
    &[("TIELINE_DELIVERY__RETRY_SCHEDULE_SECS", "1,1,1,1,1,1,1,1,2,2,2,2,2,5,5,5,10,10,10")];

fn host(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slack_that_is_down_at_the_start_gets_everything_later() {
    let slack = Slack::start(Options::default()).await;
    let gate = Gate::before(&host(&slack.base())).await;
    let base = format!("http://{}/slack", gate.address);
    let (scene, process) = Scene::start_with(slack, &base, Database::sqlite(), IMPATIENT).await;
    gate.shut();
    process.kill();
    let process = scene.deployment.serve("all").await;
    assert_eq!(process.anon().get("/readyz").await.status, 200, "it can do its work without Slack");
    let [owner, _] = scene.owners(&process);
    let event = send(&owner, "ev-0").await;
    let mut accepted = vec!["ev-0".to_owned()];
    accepted.extend(Flood::begin(&scene.owners(&process), "o", 2, 10).end().await);
    let delivery = until("it was tried more than once", LIMIT, async || {
        let delivery = delivery_of(&owner, &event).await;
        (delivery["attempts"].as_array().unwrap().len() > 1).then_some(delivery)
    })
    .await;
    assert_eq!(delivery["state"], "pending");
    assert!(delivery["reason"].as_str().unwrap().contains("connection"), "{delivery}");
    gate.reopen();
    scene.all_arrive(&accepted).await;
    scene.settle(&process).await;
    assert_eq!(scene.repeated().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_and_comes_back_is_noticed_and_survived() {
    let Some(mut database) = Database::postgres().await else { return };
    let gate = Gate::before(&host(&database.url)).await;
    database.url = database.url.replace(&host(&database.url), &gate.address.to_string());
    // The claims of a worker from before the outage are free again when its lease ends.
    let (scene, process) = Scene::start(database, &[IMPATIENT, SHORT_LEASE].concat()).await;
    let flood = Flood::begin(&scene.owners(&process), "d", 4, usize::MAX);
    until("something has arrived", LIMIT, async || (scene.posted().await.len() > 50).then_some(())).await;
    gate.shut();
    let accepted = flood.end().await;
    let anon = process.anon();
    assert_eq!(anon.get("/healthz").await.status, 200, "the process itself is well");
    let refused = anon.get("/readyz").await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    let [owner, _] = scene.owners(&process);
    let refused = owner.post("/v1/events", &step("ev-refused")).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"), "{}", refused.text);
    gate.reopen();
    until("it is ready again", LIMIT, async || (anon.get("/readyz").await.status == 200).then_some(())).await;
    until("events are accepted again", LIMIT, async || {
        (owner.post("/v1/events", &step("ev-again")).await.status == 202).then_some(())
    })
    .await;
    scene.all_arrive(&accepted).await;
    scene.all_arrive(&["ev-again".to_owned()]).await;
}

/// A database behind a gate, and a deployment that knows only the gate.
async fn behind_a_gate(settings: &[(&str, &str)]) -> Option<(Gate, Scene, Process)> {
    let mut database = Database::postgres().await?;
    let gate = Gate::before(&host(&database.url)).await;
    database.url = database.url.replace(&host(&database.url), &gate.address.to_string());
    let (scene, process) = Scene::start(database, &[IMPATIENT, SHORT_LEASE, settings].concat()).await;
    Some((gate, scene, process))
}

/// A short statement timeout.
const SHORT_STATEMENTS: &[(&str, &str)] = &[("TIELINE_DATABASE__STATEMENT_TIMEOUT_MS", "500")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_swallow_everything_are_replaced() {
    let Some((gate, scene, process)) = behind_a_gate(SHORT_STATEMENTS).await else { return };
    let flood = Flood::persistent(&scene.owners(&process), "s", 4);
    flood.reaches(50).await;
    for _ in 0..rounds(3) {
        gate.swallow();
        let so_far = flood.accepted.load(SeqCst);
        until("events are accepted by way of new connections", LIMIT, async || {
            (flood.accepted.load(SeqCst) > so_far + 50).then_some(())
        })
        .await;
        until("it is ready", LIMIT, async || (process.anon().get("/readyz").await.status == 200).then_some(())).await;
    }
    let accepted = flood.stop().await;
    scene.all_arrive(&accepted).await;
    tell("PostgreSQL, connections that swallow everything", rounds(3), accepted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_requests_are_refused_at_once() {
    let Some((gate, scene, process)) = behind_a_gate(&[]).await else { return };
    let [owner, _] = scene.owners(&process);
    gate.shut();
    until("the first is refused", LIMIT, async || {
        (owner.post("/v1/events", &step("ev-first")).await.status == 503).then_some(())
    })
    .await;
    let begun = std::time::Instant::now();
    for number in 0..50 {
        let refused = owner.post("/v1/events", &step(&format!("ev-refused-{number}"))).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert_eq!(process.anon().get("/readyz").await.status, 503);
    }
    // Before, each waited for ten seconds.
    assert!(begun.elapsed() < Duration::from_secs(10), "100 refusals took {:?}", begun.elapsed());
    gate.reopen();
    until("it is back", LIMIT, async || (process.anon().get("/readyz").await.status == 200).then_some(())).await;
    send(&owner, "ev-back").await;
    scene.all_arrive(&["ev-back".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_way_to_the_database_loses_nothing() {
    let Some((gate, scene, process)) = behind_a_gate(SHORT_STATEMENTS).await else { return };
    let flood = Flood::persistent(&scene.owners(&process), "l", 2);
    flood.reaches(20).await;
    let pauses = [20, 5000, 0].repeat(rounds(1));
    for pause in pauses.iter().copied() {
        gate.delay(Duration::from_millis(pause));
        let so_far = flood.accepted.load(SeqCst);
        match pause {
            5000 => {
                until("it says that it is not ready", LIMIT, async || {
                    (process.anon().get("/readyz").await.status == 503).then_some(())
                })
                .await
            }
            _ => {
                until("events are accepted", LIMIT, async || (flood.accepted.load(SeqCst) > so_far + 10).then_some(()))
                    .await
            }
        }
    }
    let accepted = flood.stop().await;
    scene.all_arrive(&accepted).await;
    tell("PostgreSQL, a way that is slow by 20 ms and by 5 s", pauses.len(), accepted.len());
}
