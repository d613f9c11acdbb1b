//! Tests of `kill -9`: an event answered with 202 arrives in spite of any crash.

use super::*;

const ROUNDS: usize = 5;
const CALLERS: usize = 4;

/// Waits for a random moment before the kill.
async fn a_moment() {
    let moment = between(Duration::from_millis(5), Duration::from_millis(300));
    eprintln!("kill -9 after {moment:?}");
    tokio::time::sleep(moment).await;
}

fn report(repeated: &[(String, usize)], accepted: usize) {
    eprintln!("{} of {accepted} arrived more than once", repeated.len());
    assert!(repeated.iter().all(|(_, times)| *times <= 1 + rounds(ROUNDS)), "{repeated:?}");
}

both_databases! {
    async fn what_was_accepted_survives_the_process(database) {
        let (scene, mut process) = Scene::start(database, SHORT_LEASE).await;
        let mut accepted = Vec::new();
        for round in 0..rounds(ROUNDS) {
            let flood = Flood::begin(&scene.owners(&process), &round.to_string(), CALLERS, usize::MAX);
            flood.reaches(10).await;
            a_moment().await;
            process.kill();
            accepted.extend(flood.end().await);
            process = scene.deployment.serve("all").await;
        }
        scene.all_arrive(&accepted).await;
        scene.settle(&process).await;
        report(&scene.repeated().await, accepted.len());
        let database = if scene.deployment.is_embedded() { "SQLite" } else { "PostgreSQL" };
        tell(&format!("{database}, kill -9 under load"), rounds(ROUNDS), accepted.len());
    }
}

/// A second start copes with a first one that was killed half-way, and of several first starts at once none fails.
async fn first_starts(database: Database) {
    let mut deployment = Deployment::new(database, "http://127.0.0.1:9/slack");
    // With a key file, which the first start creates.
    if deployment.is_embedded() {
        deployment.unset("TIELINE_SECRET_KEY");
    }
    for _ in 0..4 {
        let first = deployment.begin("all");
        tokio::time::sleep(between(Duration::from_millis(5), Duration::from_millis(80))).await;
        first.kill();
    }
    let (first, migrated) = tokio::join!(deployment.serve("all"), deployment.run(&["migrate"]));
    assert!(migrated.success, "{migrated:?}");
    assert_eq!(first.anon().get("/readyz").await.status, 200);
    if !deployment.is_embedded() {
        assert_eq!(deployment.serve("api").await.anon().get("/readyz").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_starts_that_are_killed_or_meet_do_no_harm_on_sqlite() {
    for _ in 0..3 {
        first_starts(Database::empty_sqlite()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_starts_that_are_killed_or_meet_do_no_harm_on_postgres() {
    for _ in 0..3 {
        let Some(database) = Database::empty_postgres().await else { return };
        first_starts(database).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_loses_nothing_that_the_api_accepted() {
    let Some(database) = Database::postgres().await else { return };
    let (scene, first) = Scene::start(database, SHORT_LEASE).await;
    first.kill();
    let api = scene.deployment.serve("api").await;
    let flood = Flood::begin(&scene.owners(&api), "w", CALLERS, 40);
    for _ in 0..ROUNDS {
        let worker = scene.deployment.serve("worker").await;
        a_moment().await;
        worker.kill();
    }
    let accepted = flood.end().await;
    assert_eq!(accepted.len(), 2 * CALLERS * 40, "the API does not need the worker");
    let worker = scene.deployment.serve("worker").await;
    assert_eq!(worker.anon().get("/readyz").await.status, 200);
    scene.all_arrive(&accepted).await;
    scene.settle(&api).await;
    report(&scene.repeated().await, accepted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_deliver_each_message_once() {
    let Some(database) = Database::postgres().await else { return };
    let (scene, one) = Scene::start(database, &[]).await;
    let two = scene.deployment.serve("all").await;
    let ([a, b], [c, d]) = (scene.owners(&one), scene.owners(&two));
    let flood = Flood::begin(&[a.clone(), b, c.clone(), d], "r", CALLERS, 20);
    // The same key at both intakes at the same time.
    for number in 0..30 {
        let name = format!("ev-same-{number}");
        let [here, there] = [&a, &c].map(|door| {
            door.send(door.request(Method::POST, "/v1/events").header("Idempotency-Key", &name).json(&step(&name)))
        });
        let (here, there) = tokio::join!(here, there);
        assert_eq!(here.ok(202)["id"], there.ok(202)["id"], "{name}");
    }
    let mut accepted = flood.end().await;
    assert_eq!(accepted.len(), 4 * CALLERS * 20);
    accepted.extend((0..30).map(|number| format!("ev-same-{number}")));
    scene.all_arrive(&accepted).await;
    scene.settle(&one).await;
    assert_eq!(scene.repeated().await, []);
    assert_eq!(scene.posted().await.len(), accepted.len());
}
