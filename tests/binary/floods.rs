//! Floods of bodies that nobody signed.

use bytes::Bytes;
use tieline::startup;

use super::*;
use crate::support::{EVENTS, Sender};

/// The longest body of an event.
const BODY: usize = 1 << 20;
/// Memory that a flood may take: the budget of one client and what connections take themselves, in a debug build.
const GROWTH: u64 = 160 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_forged_bodies_takes_bounded_memory() {
    let (scene, process) = Scene::start(Database::sqlite(), &[]).await;
    let client = process.client(&scene.tokens[0]);
    let now = startup::system_ambient().now().timestamp();
    let before = process.peak_memory();
    let (forged, body) = (format!("v0={}", "ab".repeat(32)), Bytes::from(vec![b'x'; BODY]));
    let mut flood = JoinSet::new();
    for _ in 0..400 {
        let request = client.request(Method::POST, EVENTS).header("Content-Type", "application/json");
        let request = request.header("X-Slack-Signature", &forged).header("X-Slack-Request-Timestamp", now);
        let request = request.body(body.clone());
        flood.spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) });
    }
    let mut answered = 0;
    while let Some(answer) = flood.join_next().await {
        // A caller who is refused while it writes may see its connection end instead.
        if let Ok(status) = answer.unwrap() {
            assert!([401, 503].contains(&status), "{status}");
            answered += 1;
        }
    }
    assert!(answered > 0);
    let growth = process.peak_memory() - before;
    assert!(growth < GROWTH, "{} MB", growth >> 20);
    let challenge = json!({"type": "url_verification", "challenge": "still here"}).to_string();
    let right = Sender::new(&process.anon(), now).send(EVENTS, &challenge).await;
    assert_eq!(right.status, 200, "{}", right.text);
}
