//! Tests of one organisation's hanging URLs beside another's deliveries.

use std::time::Duration;

use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use super::{Rocket, far, message, rocket, scene, wanted};
use crate::support::{Client, Database, Integration, Reply, Setup, TestApp, until};

const LIMIT: Duration = Duration::from_secs(20);

async fn bounded(database: Database) -> TestApp {
    let settings = vec![
        ("TIELINE_DELIVERY__MAX_CONCURRENT", "12".to_owned()),
        ("TIELINE_DELIVERY__MAX_CONCURRENT_PER_ORGANISATION", "5".to_owned()),
        ("TIELINE_DELIVERY__MAX_CONCURRENT_SLOW", "2".to_owned()),
        ("TIELINE_DELIVERY__SLOW_AFTER_MS", "50".to_owned()),
    ];
    TestApp::start_with(database, Setup { settings, ..Setup::default() }).await
}

/// Creates an outgoing webhook with that many URLs of a server.
async fn urls(rob: &Rocket, far: &Integration, count: usize) {
    let urls: Vec<String> = (0..count).map(|number| format!("{}/{number}", far.base())).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    rob.post("integrations.create", &wanted(&urls, json!({"retryFailedCalls": false}))).await.ok(200);
}

/// Another organisation with a channel and an outgoing webhook.
async fn neighbour(app: &TestApp) -> (Client, String, Integration) {
    let owner = app.other("quiet").await;
    let rita = rocket(app, "quiet", "rob", Role::Admin).await;
    let made = owner.post("/v1/channels", &json!({"name": "general"})).await.ok(201);
    let channel = made["id"].as_str().unwrap().to_owned();
    assert!(owner.put(&format!("/v1/channels/{channel}/members/{}", rita.user_id)).await.status.is_success());
    let far = far().await;
    rita.make(&far, json!({})).await;
    app.drain().await;
    (owner, channel, far)
}

fn in_flight(app: &TestApp) -> (usize, usize) {
    let text = app.metrics();
    let of = |class: &str| {
        let line = format!("tieline_deliveries_in_flight{{class=\"{class}\"}} ");
        let line = text.lines().find_map(|one| one.strip_prefix(&line)).unwrap_or("0").to_owned();
        line.parse().unwrap()
    };
    (of("normal"), of("slow"))
}

/// A worker in the background, until nothing is due or it is ended.
fn work(app: &TestApp) -> tokio::task::JoinHandle<()> {
    let deliverer = app.deliverer.clone();
    tokio::spawn(async move { while deliverer.step().await.is_ok_and(|outcome| outcome.destinations > 0) {} })
}

async fn calls(far: &Integration, count: usize) {
    until("the URLs are called", LIMIT, async || (far.calls().len() >= count).then_some(())).await;
}

async fn a_neighbour_that_hangs_holds_up_nobody(app: TestApp) {
    let (rob, channel) = scene(&app).await;
    let (quiet, quiet_channel, answers) = neighbour(&app).await;
    let hangs = far().await;
    urls(&rob, &hangs, 30).await;
    hangs.reply(Reply::Late(Duration::from_secs(600), Value::Null));
    message(&app.owner, &channel, "hang").await;
    app.app.base.settle().await;
    let mut hanging = vec![work(&app)];
    calls(&hangs, 5).await;
    // A repeated claim gets no more of them.
    for _ in 0..3 {
        hanging.push(work(&app));
    }
    for number in 1..=3 {
        message(&quiet, &quiet_channel, "through").await;
        // By this worker, or by one of those that already wait for the hanging URLs.
        app.drain().await;
        calls(&answers, number).await;
    }
    // The last of the others is recorded after its call.
    until("the others have ended", LIMIT, async || (in_flight(&app) == (5, 0)).then_some(())).await;
    assert_eq!(hangs.calls().len(), 5, "the bound of one organisation");
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_hangs_holds_up_nobody_on_sqlite() {
    a_neighbour_that_hangs_holds_up_nobody(bounded(Database::sqlite()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_hangs_holds_up_nobody_on_postgres() {
    if let Some(database) = Database::postgres().await {
        a_neighbour_that_hangs_holds_up_nobody(bounded(database).await).await;
    }
}

/// Queues eight messages at one hanging URL, and returns the number in flight, by class.
async fn at_once(app: &TestApp, hangs: &Integration, channel: &str) -> (usize, usize) {
    hangs.reply(Reply::Late(Duration::from_secs(600), Value::Null));
    let before = hangs.calls().len();
    for _ in 0..8 {
        message(&app.owner, channel, "hang").await;
    }
    app.app.base.settle().await;
    let working = work(app);
    calls(hangs, before + 1).await;
    let counts = in_flight(app);
    working.abort();
    _ = working.await;
    app.advance(Duration::from_secs(31));
    counts
}

async fn a_url_that_is_slow_is_called_one_at_a_time(app: TestApp) {
    let (rob, channel) = scene(&app).await;
    let answers = far().await;
    urls(&rob, &answers, 1).await;
    assert_eq!(at_once(&app, &answers, &channel).await, (4, 0), "half of the free slots");
    answers.reply(Reply::Late(Duration::from_millis(60), json!({})));
    app.drain().await;
    assert_eq!(at_once(&app, &answers, &channel).await, (0, 1), "it was slow");
    answers.reply(Reply::Text(202, String::new()));
    app.drain().await;
    assert_eq!(at_once(&app, &answers, &channel).await, (4, 0), "it was answered in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_is_slow_is_called_one_at_a_time_on_sqlite() {
    a_url_that_is_slow_is_called_one_at_a_time(bounded(Database::sqlite()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_is_slow_is_called_one_at_a_time_on_postgres() {
    if let Some(database) = Database::postgres().await {
        a_url_that_is_slow_is_called_one_at_a_time(bounded(database).await).await;
    }
}
