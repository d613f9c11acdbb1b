//! What else an address is good for: a check, examples, and outgoing webhooks for where it may post.

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::member::Role;

use super::{Hook, done, refused};
use crate::support::Answer;

impl Hook<'_> {
    async fn ask(&self, method: Method, what: &str, body: Option<Value>) -> Answer {
        let path = format!("/hooks/{what}/{}/anybody/{}", self.id(), self.token());
        let request = self.app.anon.request(method, &path);
        self.app
            .anon
            .send(match &body {
                Some(body) => request.json(body),
                None => request,
            })
            .await
    }

    async fn outgoing(&self) -> Vec<Value> {
        let request = self.app.anon.request(Method::GET, "/api/v1/integrations.list?type=webhook-outgoing");
        let request = request.header("X-Auth-Token", &self.manager.token).header("X-User-Id", &self.manager.user_id);
        self.app.anon.send(request).await.ok(200)["integrations"].as_array().unwrap().clone()
    }
}

fn subscriber(change: Value) -> Value {
    let mut body = json!({
        "event": "newMessageOnChannel", "name": "Flow", "target_url": "https://flows.example.org/hook",
        "data": {"channel_name": "general", "trigger_words": ["bug"]},
    });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

both! {
    async fn an_address_adds_and_removes_outgoing_webhooks(app) {
        app.caller("acme", "ada", Role::Member).await;
        let hook = Hook::new(&app, json!({"channel": "#general,@ada"})).await;
        done(&hook.ask(Method::GET, "info", None).await);
        let samples = hook.ask(Method::GET, "sample", None).await.ok(200);
        assert_eq!(samples.as_array().unwrap().len(), 3);
        assert_eq!((&samples[0]["user_name"], &samples[0]["channel_name"]), (&json!("olga"), &json!("general")));

        done(&hook.ask(Method::POST, "add", Some(subscriber(json!({})))).await);
        let made = hook.outgoing().await;
        let shown = (&made[0]["event"], &made[0]["channel"], &made[0]["triggerWords"], &made[0]["_createdBy"]["username"]);
        assert_eq!(shown, (&json!("sendMessage"), &json!(["#general"]), &json!(["bug"]), &json!("olga")));
        let of_user = subscriber(json!({"event": "newMessageToUser", "data": {"username": "ada"}}));
        done(&hook.ask(Method::POST, "add", Some(of_user)).await);
        assert_eq!(hook.outgoing().await[1]["channel"], json!(["@ada"]));

        for (change, error) in [
            (json!({"event": "newMessageToUser", "data": {}}), "username-required"),
            (json!({"event": "somethingElse"}), "Invalid event type [error-invalid-event-type]"),
            (json!({"data": {"channel_name": "#secret"}}), "overriding destination channel is disabled for this integration"),
        ] {
            refused(&hook.ask(Method::POST, "add", Some(subscriber(change))).await, 400, error);
        }
        let removed = json!({"target_url": "https://flows.example.org/hook"});
        for _ in 0..2 {
            done(&hook.ask(Method::POST, "remove", Some(removed.clone())).await);
        }
        refused(&hook.ask(Method::POST, "remove", Some(removed)).await, 400, "integration-not-found");
        assert!(hook.outgoing().await.is_empty());
    }

    async fn an_address_adds_no_more_than_its_poster_may(app) {
        app.caller("acme", "ada", Role::Member).await;
        let hook = Hook::new(&app, json!({"username": "ada"})).await;
        refused(&hook.ask(Method::POST, "add", Some(subscriber(json!({})))).await, 400, "[not_authorized]");
        for what in ["info", "sample"] {
            let path = format!("/hooks/{what}/{}/anybody/wrong", hook.id());
            refused(&app.anon.get(&path).await, 404, "Invalid integration id or token provided.");
        }
        let bot = json!({"username": "rocket.cat"});
        hook.update(bot).await;
        refused(&hook.ask(Method::POST, "add", Some(subscriber(json!({})))).await, 400, "[not_authorized]");
    }
}
