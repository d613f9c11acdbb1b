//! Rates, faults and the rest of the control API.

use std::time::{Duration, Instant};

use serde_json::json;

use super::support::{World, client};

#[tokio::test]
async fn messages_come_too_fast_until_the_limit_is_lifted() {
    let world = World::new().await;
    let token = world.install().await;
    for _ in 0..5 {
        assert_eq!(world.post(&token, "C0ALERTS", "x").await["ok"], true);
    }
    let answer = world.try_call(&token, "chat.postMessage", json!({"channel": "C0ALERTS", "text": "x"})).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(answer.text().await.unwrap(), r#"{"ok":false,"error":"ratelimited"}"#);
    assert_eq!(world.post(&token, "C0SECRET", "another channel").await["ok"], true);
    world.control("/slack/ratelimit", json!({"enabled": false})).await;
    assert_eq!(world.post(&token, "C0ALERTS", "x").await["ok"], true);
}

#[tokio::test]
async fn a_fault_answers_in_the_methods_place_as_often_as_configured() {
    let world = World::new().await;
    let token = world.install().await;
    let fault = json!({"method": "chat.postMessage", "channel": "C0ALERTS", "error": "channel_not_found", "times": 2});
    world.control("/slack/faults", fault).await;
    assert_eq!(world.post(&token, "C0SECRET", "x").await["ok"], true);
    assert_eq!(world.post(&token, "C0ALERTS", "x").await["error"], "channel_not_found");
    assert_eq!(world.post(&token, "C0ALERTS", "x").await["error"], "channel_not_found");
    assert_eq!(world.post(&token, "C0ALERTS", "x").await["ok"], true);

    world.control("/slack/faults", json!({"status": 500, "body": "<html>"})).await;
    let answer = world.try_call(&token, "auth.test", json!({})).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (500, "<html>"));
    world.http.delete(world.url("/control/slack/faults")).send().await.unwrap();

    world.control("/slack/faults", json!({"retryAfterSecs": 7, "latencyMs": 50, "times": 1})).await;
    let begun = Instant::now();
    let answer = world.try_call(&token, "auth.test", json!({})).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert_eq!(world.look("/slack/faults").await, json!([]));
}

#[tokio::test]
async fn a_dropped_connection_gives_no_answer_but_may_leave_a_message() {
    let world = World::new().await;
    let token = world.install().await;
    let body = json!({"channel": "C0ALERTS", "text": "x"});
    for (moment, posted) in [("before", 0), ("after", 1)] {
        world.control("/slack/faults", json!({"method": "chat.postMessage", "drop": moment, "times": 1})).await;
        let error = world.try_call(&token, "chat.postMessage", body.clone()).await.unwrap_err();
        assert!(error.is_request(), "no headers may arrive: {error:?}");
        assert_eq!(world.look("/slack/stats").await["posted"], posted);
    }
    assert_eq!(world.post(&token, "C0ALERTS", "x").await["ok"], true);
}

#[tokio::test]
async fn answers_hang_or_never_end() {
    let world = World::new().await;
    let token = world.install().await;
    let client = client().timeout(Duration::from_millis(300)).build().unwrap();
    let ask = || client.get(world.url("/slack/api/auth.test")).bearer_auth(&token).send();

    world.control("/slack/faults", json!({"hang": "headers", "times": 1})).await;
    assert!(ask().await.unwrap_err().is_timeout());
    world.control("/slack/faults", json!({"hang": "body", "times": 1})).await;
    let answer = ask().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap_err().is_timeout());
    world.control("/slack/faults", json!({"endlessBytes": 1_000_000, "times": 1})).await;
    assert_eq!(ask().await.unwrap().bytes().await.unwrap().len(), 1_000_000);
    assert_eq!(ask().await.unwrap().status(), 200);

    // A stalled caller does not keep the server from stopping.
    world.control("/slack/faults", json!({"hang": "body"})).await;
    let _held = ask().await.unwrap();
    let World { standin, .. } = world;
    tokio::time::timeout(Duration::from_secs(2), standin.shutdown()).await.unwrap();
}

#[tokio::test]
async fn calls_are_logged_and_a_reset_forgets_everything() {
    let world = World::new().await;
    let token = world.install().await;
    world.post(&token, "C0GENERAL", "x").await;
    let calls = world.look("/calls?method=chat.postMessage").await;
    assert_eq!(calls.as_array().unwrap().len(), 1);
    assert_eq!(calls[0]["error"], "not_in_channel");
    assert_eq!((&calls[0]["team"], &calls[0]["channel"]), (&json!("T0STANDIN"), &json!("C0GENERAL")));
    assert!(!world.look("/calls").await.to_string().contains(&token));
    world.control("/reset", json!({})).await;
    assert_eq!(world.look("/calls").await, json!([]));
    assert_eq!(world.call(&token, "auth.test", json!({})).await["error"], "invalid_auth");
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused() {
    let world = World::new().await;
    for (path, body, status) in [
        ("/slack/join", json!({"channel": "C0NOWHERE"}), 404),
        ("/slack/join", json!({"team": "T0", "channel": "C0ALERTS"}), 404),
        ("/slack/faults", json!({"methud": "chat.postMessage"}), 400),
        ("/slack/authorize", json!({"redirect_uri": "https://evil.example/"}), 400),
        ("/slack/events", json!({"team": "T0STANDIN", "event": {"type": "x"}}), 400),
        ("/slack/nonsense", json!({}), 404),
    ] {
        let answer = world.http.post(world.url(&format!("/control{path}"))).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {body}");
    }
}

#[tokio::test]
async fn a_bench_makes_many_channels_and_workspaces() {
    let world = World::new().await;
    let token = world.install().await;
    let made = world.control("/slack/channels", json!({"team": "T0STANDIN", "count": 300, "prefix": "b"})).await;
    let channel = made["channels"][299].as_str().unwrap();
    assert_eq!(world.post(&token, channel, "x").await["ok"], true);
    let teams = world.control("/slack/teams", json!({"count": 50, "prefix": "bench"})).await;
    let last = &teams[49];
    let posted = world.post(last["token"].as_str().unwrap(), last["channel"].as_str().unwrap(), "x").await;
    assert_eq!(posted["message"]["team"], last["team"]);
    assert_eq!(world.look("/slack/stats").await, json!({"posted": 2, "teams": 52}));
}
