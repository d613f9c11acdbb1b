//! Tests of upstreams that never finish their answer, that answer without end, and that are slow: their effect on other
//! organisations.

use super::*;

/// Memory that one endless answer may cost.
const ROOM: u64 = 30 * 1024 * 1024;

/// Sends an event and measures the time until its message is in the channel.
async fn time_to_arrive(scene: &Scene, client: &Client, name: &str) -> Duration {
    let begun = std::time::Instant::now();
    send(client, name).await;
    until("a message of the healthy organisation", LIMIT, async || {
        let messages = scene.slack.messages(&format!("{}&limit=1", PLACES[1].1)).await;
        messages.iter().any(|message| message["text"].as_str().unwrap().ends_with(name)).then_some(())
    })
    .await;
    begun.elapsed()
}

/// Queues many messages at the first organisation, whose Slack misbehaves. Returns the first event's id.
async fn queue(scene: &Scene, process: &Process, fault: Value, waiting: usize) -> String {
    scene.slack.fault(fault_of(PLACES[0].0, fault)).await;
    let [owner, _] = scene.owners(process);
    let first = send(&owner, "ev-first").await;
    assert_eq!(Flood::begin(&[owner], "stuck", 10, waiting / 10).end().await.len(), waiting);
    first
}

/// Latencies of `count` messages of the second organisation, the shortest first.
async fn times(scene: &Scene, process: &Process, count: usize) -> Vec<Duration> {
    let [_, healthy] = scene.owners(process);
    let mut times = Vec::new();
    for number in 0..count {
        times.push(time_to_arrive(scene, &healthy, &format!("ev-healthy-{number}")).await);
    }
    times.sort_unstable();
    eprintln!("the median was {:?}, the longest {:?}", times[count / 2], times[count - 1]);
    times
}

/// Returns the first attempt of a delivery, as soon as it is recorded.
async fn first_try(client: &Client, event_id: &str) -> Value {
    until("the try is written down", LIMIT, async || {
        let delivery = delivery_of(client, event_id).await;
        delivery["attempts"].as_array().unwrap().first().cloned()
    })
    .await
}

both_databases! {
    async fn a_body_that_never_comes_holds_nobody_else_up(database) {
        let (scene, process) = Scene::start(database, &[("TIELINE_DELIVERY__TOTAL_TIMEOUT_MS", "1000")]).await;
        let first = queue(&scene, &process, json!({"hang": "body"}), 120).await;
        let times = times(&scene, &process, 10).await;
        assert!(times[9] < Duration::from_secs(2), "{times:?}");
        let [stuck, _] = scene.owners(&process);
        let attempt = first_try(&stuck, &first).await;
        assert_eq!(attempt["outcome"], "retried", "{attempt}");
        assert!(attempt["reason"].as_str().unwrap().contains("in time"), "{attempt}");
        let took = attempt["durationMs"].as_u64().unwrap();
        assert!((950..1500).contains(&took), "{attempt}");
        let pending = stuck.get("/v1/deliveries?state=pending&limit=250").await.ok(200);
        assert!(pending["data"].as_array().unwrap().len() > 100, "they still wait");
    }

    async fn a_slow_neighbour_slows_nobody_else(database) {
        let (scene, process) = Scene::start(database, &[]).await;
        queue(&scene, &process, json!({"latencyMs": 2000}), 300).await;
        let times = times(&scene, &process, 50).await;
        assert!(times[49] < Duration::from_secs(1), "{times:?}");
        assert!(scene.slack.messages(PLACES[0].1).await.len() < 250, "the neighbour is slow indeed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_end_costs_no_memory() {
    let (scene, process) = Scene::start(Database::sqlite(), &[]).await;
    let [owner, other] = scene.owners(&process);
    send(&other, "ev-warm").await;
    scene.all_arrive(&["ev-warm".to_owned()]).await;
    let before = process.peak_memory();
    scene.slack.fault(fault_of(PLACES[0].0, json!({"endlessBytes": 400_000_000_u64}))).await;
    let event = send(&owner, "ev-flooded").await;
    let attempt = first_try(&owner, &event).await;
    assert_eq!(attempt["outcome"], "retried", "{attempt}");
    assert!(attempt["reason"].as_str().unwrap().contains("too large"), "{attempt}");
    assert!(attempt["answer"].as_str().unwrap().len() <= 64 * 1024);
    let grown = process.peak_memory() - before;
    eprintln!("one endless answer cost {} KiB", grown / 1024);
    assert!(grown < ROOM, "{grown}");
    scene.slack.mend().await;
    scene.all_arrive(&["ev-flooded".to_owned()]).await;
}
