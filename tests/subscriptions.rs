//! Tests of subscriptions, which are routes with a rule for GitHub events: the Slack channels notified of them, the form of
//! their messages, and the reasons for skipped ones.

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, own_routes, sabotage, subscription};

mod catalogue;
mod crud;
mod filters;
mod notifications;
mod trouble;

const CHANNEL: &str = "C0ALERTS";
const PATH: &str = "/v1/routes";

/// Connects the owner's organisation to both providers, and returns the installation's number.
async fn connect(app: &TestApp) -> i64 {
    app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
    app.github.link(&app.owner, "acme", "acme").await
}

/// Rules for everything in one repository, with these changes.
fn rules(more: Value) -> Value {
    let mut rules = json!({
        "repositories": ["acme/web"],
        "events": [
            "issues", "pulls", "commits", "releases", "deployments", "reviews", "comments", "branches", "workflows",
            "discussions", "stars", "checks",
        ],
    });
    rules.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rules
}

/// Subscribes a channel, and returns the subscription's id.
async fn subscribe(caller: &Client, channel: &str, more: Value) -> String {
    let body = subscription(channel, rules(more));
    caller.post(PATH, &body).await.ok(201)["id"].as_str().unwrap().to_owned()
}

/// Change of the rule of a route.
fn rule(settings: Value) -> Value {
    json!({"rule": {"github": settings}})
}

/// Tests a route as it is saved against an event.
async fn explain(caller: &Client, path: &str, event: &str) -> Answer {
    let saved = caller.get(path).await.ok(200);
    let route = json!({
        "sources": saved["sources"], "types": saved["types"], "rule": saved["rule"],
        "destinationId": saved["destinationId"],
    });
    caller.post("/v1/routes/test", &json!({"route": route, "eventId": event})).await
}

/// Has GitHub send an event of the repository, and returns our event's id.
async fn hear(app: &TestApp, mut order: Value) -> String {
    if order["repository"].is_null() {
        order["repository"] = "acme/web".into();
    }
    let sent = app.github.send(order).await;
    let acknowledgement: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
    assert_eq!((&sent["status"], acknowledgement["events"].as_u64()), (&json!(202), Some(1)), "{sent}");
    app.owner.get("/v1/events?limit=1").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned()
}

/// An event about the pull request number 12.
fn pull(event: &str, action: &str) -> Value {
    json!({"event": event, "action": action, "number": 12, "title": "Add a checkout", "branch": "checkout"})
}

/// An order with more members.
fn with(mut order: Value, more: Value) -> Value {
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

/// State of an event's one delivery, and its reason.
async fn state(app: &TestApp, event: &str) -> (String, String) {
    let delivery = app.delivery_of(event).await;
    let text = |name: &str| delivery[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("reason"))
}

fn reported() -> (String, String) {
    ("delivered".into(), String::new())
}

fn skipped(reason: &str) -> (String, String) {
    ("skipped".into(), reason.into())
}

/// Sends an event's one delivery again.
async fn replay(app: &TestApp, event: &str) {
    let id = app.delivery_of(event).await["id"].as_str().unwrap().to_owned();
    app.owner.post(&format!("/v1/deliveries/{id}/replay"), &json!({})).await.ok(202);
    app.drain().await;
}

/// Texts in a channel, each with the number of its thread's first message.
async fn threads(app: &TestApp, channel: &str) -> Vec<(String, Option<usize>)> {
    let messages = app.slack.messages(channel).await;
    let place = |ts: &Value| messages.iter().position(|message| message["ts"] == *ts);
    let of = |message: &Value| (message["text"].as_str().unwrap().to_owned(), place(&message["thread_ts"]));
    messages.iter().map(of).collect()
}

/// Threads of the messages, by the number of their first message.
async fn places(app: &TestApp, channel: &str) -> Vec<Option<usize>> {
    threads(app, channel).await.into_iter().map(|(_, place)| place).collect()
}
