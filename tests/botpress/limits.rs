//! Tests of bodies that are long, deep or made to be expensive: each is refused, clearly and soon.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{ALL, VALIDATE, create, plain, refused, refused_for};
use crate::support::{Answer, Client, Database, TestApp};

/// For a busy machine, and a build that is not optimised.
const SOON: Duration = Duration::from_secs(60);

async fn sent(caller: &Client, body: impl Into<reqwest::Body>) -> Answer {
    let begun = Instant::now();
    let request = caller.request(Method::POST, VALIDATE).header("content-type", "application/json");
    let answer = caller.send(request.body(body)).await;
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
    answer
}

async fn with(caller: &Client, key: &str, value: Value) -> Answer {
    let mut body = plain("teams", "1.0.0");
    body[key] = value;
    sent(caller, body.to_string()).await
}

async fn start() -> TestApp {
    TestApp::start(Database::sqlite()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_has_at_most_50_mb() {
    let app = start().await;
    let owner = &app.owner;
    let code =
        |bytes: usize| format!("{{\"name\":\"teams\",\"version\":\"1.0.0\",\"code\":\"{}\"}}", "x".repeat(bytes));
    let frame = code(0).len();
    assert_eq!(sent(owner, code((50 << 20) - frame)).await.ok(200), json!({}));
    let request = owner.request(Method::POST, VALIDATE).header("content-type", "application/json");
    let answer = owner.send(request.body(code((50 << 20) - frame + 1))).await;
    refused(&answer, 413, "PayloadTooLarge");
    // Everywhere else the common limit applies.
    let note = json!({"integrationId": "x", "note": "x".repeat(1 << 20)});
    refused(&owner.post(&format!("{ALL}/iaks"), &note).await, 413, "PayloadTooLarge");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_to_be_expensive_is_refused_soon() {
    let app = start().await;
    let owner = &app.owner;
    let many = format!("[{}0]", "0,".repeat(20 << 20));
    refused_for(&sent(owner, many).await, 413, "LimitExceeded", "", "limit");
    refused(&sent(owner, "[".repeat(10 << 20)).await, 413, "LimitExceeded");
    refused(&sent(owner, "[".repeat(1000)).await, 400, "InvalidPayload");
    refused(&sent(owner, "{\"a\":".repeat(1000)).await, 400, "InvalidPayload");

    let deep = (0..100).fold(json!({"type": "string"}), |inner, _| json!({"type": "array", "items": inner}));
    let answer = with(owner, "configuration", json!({"schema": deep})).await;
    assert!([200, 400, 413].contains(&answer.status.as_u16()), "{}", answer.text);
    let long = json!({"type": "string", "description": "x".repeat(110_000)});
    refused_for(
        &with(owner, "configuration", json!({"schema": long})).await,
        413,
        "LimitExceeded",
        "/configuration/schema",
        "limit",
    );
    let wide: serde_json::Map<_, _> = (0..4000).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
    let answer = with(owner, "configuration", json!({"schema": {"properties": wide}})).await;
    assert!([200, 413].contains(&answer.status.as_u16()), "{}", answer.text);
    for pattern in ["(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "((((((((((a*)*)*)*)*)*)*)*)*)*)*", "\\w{1,1000}{1,1000}"]
    {
        let answer = with(owner, "configuration", json!({"schema": {"type": "string", "pattern": pattern}})).await;
        assert!([200, 400].contains(&answer.status.as_u16()), "{pattern}: {}", answer.text);
    }
    let around = json!({"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}, "$ref": "#/definitions/a"});
    let answer = with(owner, "configuration", json!({"schema": around})).await;
    assert!([200, 400].contains(&answer.status.as_u16()), "{}", answer.text);
    let names: serde_json::Map<_, _> = (0..30_000).map(|n| (format!("Wrong {n}"), json!(1))).collect();
    let answer = sent(owner, Value::Object(names).to_string()).await;
    assert!(refused(&answer, 400, "InvalidPayload").len() <= 200 && answer.text.len() < 1 << 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_an_end_to_what_is_counted() {
    let app = start().await;
    let owner = &app.owner;
    let event = json!({"schema": {}});
    let counted =
        |count: usize, of: &Value| Value::Object((0..count).map(|n| (format!("e{n}x"), of.clone())).collect());
    for (key, most, of) in [
        ("events", 20, event.clone()),
        ("states", 20, json!({"type": "user", "schema": {}})),
        ("channels", 10, json!({"messages": {}})),
    ] {
        assert_eq!(with(owner, key, counted(most, &of)).await.ok(200), json!({}), "{key}");
        refused_for(&with(owner, key, counted(most + 1, &of)).await, 413, "LimitExceeded", &format!("/{key}"), "limit");
    }
    for number in 0..200 {
        create(owner, &plain("teams", &format!("1.0.{number}"))).await;
    }
    for path in [ALL, VALIDATE] {
        refused_for(&owner.post(path, &plain("teams", "2.0.0")).await, 413, "LimitExceeded", "/version", "limit");
    }
    let first = owner.get(&format!("{ALL}/teams/1.0.0")).await.ok(200)["integration"]["id"].clone();
    owner.delete(&crate::botpress::path(&first)).await.ok(200);
    create(owner, &plain("teams", "2.0.0")).await;
}
