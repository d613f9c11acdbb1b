//! Tests of outgoing webhooks from their receivers' point of view.

mod answers;
mod events;
mod fairness;
mod history;
mod retries;
mod scripts;
mod triggers;

use reqwest::Method;
use serde_json::{Value, json};
use tieline::{
    app::tenancy::{members::NewMember, tokens::NewToken},
    domain::tenancy::member::Role,
};

use crate::support::{Answer, Call, Client, Integration, TestApp};

/// A caller in the dialect of Rocket.Chat.
pub struct Rocket {
    client: Client,
    token: String,
    pub user_id: String,
}

impl Rocket {
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.client.request(method, &format!("/api/v1/{path}"));
        let request = request.header("X-Auth-Token", &self.token).header("X-User-Id", &self.user_id);
        self.client
            .send(match body {
                Some(body) => request.json(body),
                None => request,
            })
            .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Creates an outgoing webhook for `#general`, with these members over the usual ones; returns its id.
    pub async fn make(&self, far: &Integration, with: Value) -> String {
        let made = self.post("integrations.create", &wanted(&[far.base()], with)).await.ok(200);
        made["integration"]["_id"].as_str().unwrap().to_owned()
    }

    pub async fn history(&self, id: &str) -> Vec<Value> {
        let found = self.get(&format!("integrations.history?id={id}")).await.ok(200);
        assert_eq!(found["success"], true);
        found["history"].as_array().unwrap().clone()
    }

    /// Returns the last steps of the runs of a webhook, oldest first.
    pub async fn steps(&self, id: &str) -> Vec<String> {
        let history = self.history(id).await;
        history.iter().rev().map(|run| run["step"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn webhook(&self, id: &str) -> Value {
        self.get(&format!("integrations.get?integrationId={id}")).await.ok(200)["integration"].clone()
    }
}

/// Body of a request for an outgoing webhook.
pub fn wanted(urls: &[&str], with: Value) -> Value {
    let mut wanted = json!({
        "type": "webhook-outgoing", "username": "rob", "channel": "#general", "event": "sendMessage", "name": "Far",
        "enabled": true, "scriptEnabled": false, "urls": urls, "token": "t0ken-of-the-far-end",
    });
    for (key, value) in with.as_object().unwrap() {
        wanted[key] = value.clone();
    }
    wanted
}

/// A member in that role, as a caller of this dialect.
pub async fn rocket(app: &TestApp, slug: &str, username: &str, role: Role) -> Rocket {
    let email = Some(format!("{username}@example.org"));
    let member = NewMember { user_id: None, username: username.into(), email, subject: None, role };
    let member = app.app.tenancy.ensure_member_as_operator(slug, member).await.unwrap();
    let token = NewToken { name: "test".into(), scopes: Default::default(), expires_at: None };
    let (_, text) = app.app.tenancy.create_token_as_operator(&member, token).await.unwrap();
    Rocket { client: app.anon.clone(), token: text.expose().to_owned(), user_id: member.user_id.to_string() }
}

/// The usual scene: `rob`, who manages webhooks and is the poster, and the channel `#general` with him in it.
pub async fn scene(app: &TestApp) -> (Rocket, String) {
    let rob = rocket(app, "acme", "rob", Role::Admin).await;
    let made = app.owner.post("/v1/channels", &json!({"name": "general"})).await.ok(201);
    let channel = made["id"].as_str().unwrap().to_owned();
    join(app, &channel, &rob.user_id).await;
    app.drain().await;
    (rob, channel)
}

pub async fn join(app: &TestApp, channel: &str, user_id: &str) {
    assert!(app.owner.put(&format!("/v1/channels/{channel}/members/{user_id}")).await.status.is_success());
}

/// Posts a message by a caller.
pub async fn message(by: &Client, channel: &str, text: &str) {
    let event = json!({"type": "message.posted", "channelId": channel, "data": {"message": text}});
    by.post("/v1/events", &event).await.ok(202);
}

/// Posts a message by the owner, and runs the worker until nothing is due.
pub async fn say(app: &TestApp, channel: &str, text: &str) {
    post(app, channel, json!({"message": text})).await;
}

pub async fn post(app: &TestApp, channel: &str, data: Value) {
    let event = json!({"type": "message.posted", "channelId": channel, "data": data});
    app.owner.post("/v1/events", &event).await.ok(202);
    app.drain().await;
}

/// Returns the texts that a receiver got, in order.
pub fn texts(far: &Integration) -> Vec<String> {
    far.calls().iter().map(|call| call.body["text"].as_str().unwrap_or_default().to_owned()).collect()
}

pub fn last(far: &Integration) -> Call {
    far.calls().pop().unwrap()
}

pub async fn far() -> Integration {
    Integration::start("output", json!([])).await
}

/// Messages in a channel, newest first, as published or, where nothing is subscribed, as posted.
pub async fn messages(app: &TestApp, channel: &str) -> Vec<Value> {
    let events = app.owner.get(&format!("/v1/channels/{channel}/messages?limit=250")).await.ok(200);
    let events = events["data"].as_array().unwrap().clone();
    events.into_iter().filter(|event| event["type"] == "message.posted").map(|event| event["data"].clone()).collect()
}
