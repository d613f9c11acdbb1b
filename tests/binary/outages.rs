//! What the service needs is not there, and comes back.

use reqwest::Url;

use super::*;
use crate::support::Gate;

/// Failed tries are soon followed by the next.
const IMPATIENT: &[(&str, &str)] =
    &[("TIELINE_DELIVERY__FIRST_PAUSE_MS", "50"), ("TIELINE_DELIVERY__LONGEST_PAUSE_MS", "200")];

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
    // What a worker held when the database went away is free again when its lease ends.
    let (scene, process) = Scene::start(database, &[IMPATIENT, SHORT_LEASE].concat()).await;
    let flood = Flood::begin(&scene.owners(&process), "d", 4, usize::MAX);
    until("something has arrived", LIMIT, async || (scene.arrivals().await.len() > 50).then_some(())).await;
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
