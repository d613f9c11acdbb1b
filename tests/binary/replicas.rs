//! Tests of several processes on one PostgreSQL: signals between them, and the recovery of what a dead one held.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_learns_at_once_of_what_another_process_accepts() {
    let Some(database) = Database::postgres().await else { return };
    // Twice the limit of the test: nothing is found by the poll.
    let (scene, first) = Scene::start(database, &[("TIELINE_DELIVERY__POLL_MS", "60000")]).await;
    first.kill();
    let (api, _worker) = (scene.deployment.serve("api").await, scene.deployment.serve("worker").await);
    let [owner, _] = scene.owners(&api);
    for number in 0..5 {
        let name = format!("ev-signal-{number}");
        send(&owner, &name).await;
        scene.all_arrive(&[name]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_worker_held_is_sent_long_before_its_lease_ends() {
    let Some(database) = Database::postgres().await else { return };
    let (scene, first) = Scene::start(database, &[("TIELINE_DELIVERY__LEASE_SECS", "120")]).await;
    scene.slack.fault(fault_of(PLACES[0].0, json!({"hang": "body", "times": 1}))).await;
    let [owner, _] = scene.owners(&first);
    send(&owner, "ev-held").await;
    until("the call is in flight", LIMIT, async || {
        let metrics = first.anon().get("/metrics").await.text;
        metrics.contains("tieline_deliveries_in_flight{class=\"normal\"} 1").then_some(())
    })
    .await;
    first.kill();
    let _second = scene.deployment.serve("all").await;
    scene.all_arrive(&["ev-held".to_owned()]).await;
}
