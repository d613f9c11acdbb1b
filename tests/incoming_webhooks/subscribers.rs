//! Tests of the other uses of an address: a check, examples, and outgoing webhooks for the channels it may post in.

use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use super::{Hook, done, refused};
use crate::support::{Answer, Database, Setup, TestApp};

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

/// Actions by an address in the audit log, oldest first, with their actor.
async fn audited(app: &TestApp) -> Vec<(String, String)> {
    let db = app.app.base.store().reader();
    let rows = entity::audit_entry::Entity::find().all(db).await.unwrap();
    let mut rows: Vec<_> = rows.into_iter().filter(|row| row.action.ends_with("_subscriber")).collect();
    rows.sort_by_key(|row| row.id);
    rows.into_iter().map(|row| (row.action, row.actor)).collect()
}

/// Runs a scenario on both databases, with addresses that may add outgoing webhooks.
async fn allowed(story: impl AsyncFn(TestApp)) {
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        let settings = vec![("TIELINE_WEBHOOKS__SELF_SERVICE_HOOKS", "true".to_owned())];
        story(TestApp::start_with(database, Setup { settings, ..Setup::default() }).await).await;
    }
}

both! {
    async fn an_address_is_for_posting_unless_the_operator_says_otherwise(app) {
        let hook = Hook::new(&app, json!({})).await;
        done(&hook.ask(Method::GET, "info", None).await);
        let removed = json!({"target_url": "https://flows.example.org/hook"});
        for (what, body) in [("add", subscriber(json!({}))), ("remove", removed)] {
            let answer = hook.ask(Method::POST, what, Some(body)).await;
            refused(&answer, 404, "Invalid integration id or token provided.");
        }
        assert!(hook.outgoing().await.is_empty() && audited(&app).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_adds_and_removes_outgoing_webhooks() {
    allowed(async |app| {
        app.caller("acme", "ada", Role::Member).await;
        let hook = Hook::new(&app, json!({"channel": "#general,@ada"})).await;
        done(&hook.ask(Method::GET, "info", None).await);
        let samples = hook.ask(Method::GET, "sample", None).await.ok(200);
        assert_eq!(samples.as_array().unwrap().len(), 3);
        assert_eq!((&samples[0]["user_name"], &samples[0]["channel_name"]), (&json!("olga"), &json!("general")));

        done(&hook.ask(Method::POST, "add", Some(subscriber(json!({})))).await);
        let made = hook.outgoing().await;
        let shown =
            (&made[0]["event"], &made[0]["channel"], &made[0]["triggerWords"], &made[0]["_createdBy"]["username"]);
        assert_eq!(shown, (&json!("sendMessage"), &json!(["#general"]), &json!(["bug"]), &json!("olga")));
        let of_user = subscriber(json!({"event": "newMessageToUser", "data": {"username": "ada"}}));
        refused(&hook.ask(Method::POST, "add", Some(of_user)).await, 400, "Invalid Channel [error-invalid-channel]");
        assert_eq!(hook.outgoing().await.len(), 1, "messages between others are not read by an address");

        for (change, error) in [
            (json!({"event": "newMessageToUser", "data": {}}), "username-required"),
            (json!({"event": "somethingElse"}), "Invalid event type [error-invalid-event-type]"),
            (
                json!({"data": {"channel_name": "#secret"}}),
                "overriding destination channel is disabled for this integration",
            ),
        ] {
            refused(&hook.ask(Method::POST, "add", Some(subscriber(change))).await, 400, error);
        }
        let removed = json!({"target_url": "https://flows.example.org/hook"});
        done(&hook.ask(Method::POST, "remove", Some(removed.clone())).await);
        refused(&hook.ask(Method::POST, "remove", Some(removed)).await, 400, "integration-not-found");
        assert!(hook.outgoing().await.is_empty());
        let by = format!("webhook {}", hook.id());
        let did = ["webhook.add_subscriber", "webhook.remove_subscriber"];
        assert_eq!(audited(&app).await, did.map(|action| (action.to_owned(), by.clone())));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_adds_no_more_than_its_poster_may() {
    allowed(async |app| {
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
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_reads_no_channel_that_it_could_only_post_to() {
    allowed(async |app| {
        // Its senders may choose any channel, and its poster manages all webhooks.
        let hook = Hook::new(&app, json!({"channel": "#general", "overrideDestinationChannelEnabled": true})).await;
        let ada = app.caller("acme", "ada", Role::Admin).await;
        super::channel(&ada, "secret", true).await;
        let secret = subscriber(json!({"data": {"channel_name": "secret"}}));
        let reported = "overriding destination channel is disabled for this integration";
        refused(&hook.ask(Method::POST, "add", Some(secret.clone())).await, 400, reported);
        hook.update(json!({"channel": "#secret,#general"})).await;
        refused(&hook.ask(Method::POST, "add", Some(secret)).await, 400, "Invalid Channel [error-invalid-channel]");
        assert!(hook.outgoing().await.is_empty());
        done(&hook.ask(Method::POST, "add", Some(subscriber(json!({})))).await);
    })
    .await;
}
