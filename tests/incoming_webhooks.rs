//! Tests of posts to the addresses of incoming webhooks: accepted encodings, refusals, and results.

mod places;
mod script_processes;
mod script_requests;
mod scripts;
mod subscribers;

use std::time::Duration;

use reqwest::{Method, header};
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, Integration, Reply, Setup, TestApp, form};

/// A manager of webhooks, authenticated by the two headers.
struct Manager {
    client: Client,
    token: String,
    user_id: String,
}

impl Manager {
    /// The member of an organisation who is a client already.
    async fn of(app: &TestApp, client: &Client, username: &str) -> Self {
        let home = client.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        let user_id = user_id(client, &home, username).await;
        let made = client.post("/v1/tokens", &json!({"name": "headers"})).await.ok(201);
        Self { client: app.anon.clone(), token: made["secret"].as_str().unwrap().to_owned(), user_id }
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.client.request(method, &format!("/api/v1/{path}"));
        let request = request.header("X-Auth-Token", &self.token).header("X-User-Id", &self.user_id);
        self.client.send(request.json(body)).await.ok(200)["integration"].clone()
    }
}

/// Returns the id of a member's user.
async fn user_id(client: &Client, home: &str, username: &str) -> String {
    let listed = client.get(&format!("/v1/organisations/{home}/members?limit=250")).await.ok(200);
    let member = listed["data"].as_array().unwrap().iter().find(|one| one["username"] == username).unwrap().clone();
    member["userId"].as_str().unwrap().to_owned()
}

/// A world with an incoming webhook of the owner's that posts to `#general`.
struct Hook<'a> {
    app: &'a TestApp,
    manager: Manager,
    /// The webhook as the product shows it.
    shown: Value,
    general: String,
}

impl<'a> Hook<'a> {
    async fn new(app: &'a TestApp, change: Value) -> Self {
        let general = channel(&app.owner, "general", false).await;
        let manager = Manager::of(app, &app.owner, "olga").await;
        let body = changed("webhook-incoming", change);
        let shown = manager.call(Method::POST, "integrations.create", &body).await;
        Self { app, manager, shown, general }
    }

    fn id(&self) -> &str {
        self.shown["_id"].as_str().unwrap()
    }

    fn token(&self) -> &str {
        self.shown["token"].as_str().unwrap()
    }

    fn path(&self) -> String {
        format!("/hooks/{}/{}", self.id(), self.token())
    }

    async fn update(&self, change: Value) {
        let mut body = changed("webhook-incoming", change);
        body["integrationId"] = self.id().into();
        self.manager.call(Method::PUT, "integrations.update", &body).await;
    }

    async fn post(&self, body: &Value) -> Answer {
        self.app.anon.post(&self.path(), body).await
    }

    async fn send(&self, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.app.anon.request(Method::POST, &self.path()).body(body);
        let request = match content_type {
            Some(content_type) => request.header(header::CONTENT_TYPE, content_type),
            None => request,
        };
        self.app.anon.send(request).await
    }

    /// Returns the messages posted in the channel, newest first.
    async fn posted(&self) -> Vec<Value> {
        posted(&self.app.owner, &self.general).await
    }

    /// Returns their texts.
    async fn texts(&self) -> Vec<String> {
        self.posted().await.iter().map(|event| event["data"]["message"].as_str().unwrap().to_owned()).collect()
    }
}

fn changed(kind: &str, change: Value) -> Value {
    let mut body = json!({
        "type": kind, "username": "olga", "channel": "#general", "scriptEnabled": false, "name": "Builds",
        "enabled": true,
    });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

async fn channel(caller: &Client, name: &str, private: bool) -> String {
    let made = caller.post("/v1/channels", &json!({"name": name, "private": private})).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn events(caller: &Client, channel: &str, kind: &str) -> Vec<Value> {
    let listed = caller.get(&format!("/v1/channels/{channel}/messages?limit=250")).await.ok(200);
    listed["data"].as_array().unwrap().iter().filter(|event| event["type"] == kind).cloned().collect()
}

async fn posted(caller: &Client, channel: &str) -> Vec<Value> {
    events(caller, channel, "message.posted").await
}

/// Asserts success, without anything else.
#[track_caller]
fn done(answer: &Answer) {
    assert_eq!(answer.ok(200), json!({"success": true}));
}

/// Asserts a refusal with this error.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    let body = answer.ok(status);
    assert_eq!((&body["success"], &body["error"]), (&json!(false), &json!(error)), "{}", answer.text);
}

both! {
    async fn every_packing_is_taken(app) {
        let hook = Hook::new(&app, json!({})).await;
        done(&hook.post(&json!({"text": "json"})).await);
        const FORM: &str = "application/x-www-form-urlencoded";
        for (content_type, body) in [
            (Some(FORM), form(&[("payload", r#"{"text": "payload"}"#)])),
            (Some(FORM), r#"{"text": "curl & Co. = fine"}"#.to_owned()),
            (Some(FORM), form(&[("text", "fields"), ("alias", "CI")])),
            (Some(FORM), form(&[("payload", "{}"), ("text", "two keys")])),
            (Some("text/plain"), r#"{"text": "plain"}"#.to_owned()),
            (None, r#"{"text": "untyped"}"#.to_owned()),
            (Some("application/json"), "\u{feff}{\"text\": \"marked\"}".to_owned()),
        ] {
            done(&hook.send(content_type, body).await);
        }
        let texts = hook.texts().await;
        let expected = ["marked", "untyped", "plain", "two keys", "fields", "curl & Co. = fine", "payload", "json"];
        assert_eq!(texts, expected);
        done(&app.anon.get(&hook.path()).await);
        let legacy = format!("/hooks/{}/anybody/{}", hook.id(), hook.token());
        done(&app.anon.post(&legacy, &json!({"text": "legacy"})).await);
        done(&app.anon.get(&legacy).await);
        for empty in ["", " ", "{}"] {
            done(&hook.send(Some("application/json"), empty).await);
        }
        assert_eq!(hook.texts().await.len(), 9, "nothing is posted where nothing is said");
    }

    async fn a_message_is_what_the_sender_made_of_it(app) {
        let hook = Hook::new(&app, json!({"alias": "Jenkins", "emoji": ":gear:"})).await;
        done(&hook.post(&json!({"text": " one "})).await);
        let body = json!({
            "text": "two", "username": "GitLab", "icon_url": "https://example.org/a.png", "channel": "",
            "attachments": [null, {"msg": "more", "color": "#f00"}, 5], "customFields": {"build": 17}, "tmid": "t",
            "parseUrls": false,
        });
        done(&hook.post(&body).await);
        let posted = hook.posted().await;
        let (two, one) = (&posted[0]["data"], &posted[1]["data"]);
        let olga = json!({"userId": hook.manager.user_id, "username": "olga"});
        let expected = json!({
            "message": "one", "username": "Jenkins", "user": olga, "emoji": ":gear:", "integrationId": hook.id(),
        });
        assert_eq!(one, &expected);
        let expected = json!({
            "message": "two", "attachments": [{"color": "#f00", "text": "more"}], "username": "GitLab", "user": olga,
            "avatar": "https://example.org/a.png", "integrationId": hook.id(), "threadId": "t", "parseUrls": false,
            "customFields": {"build": 17},
        });
        assert_eq!(two, &expected);
    }

    async fn what_cannot_be_read_is_refused_and_says_why(app) {
        let hook = Hook::new(&app, json!({})).await;
        let json = Some("application/json");
        let form = Some("application/x-www-form-urlencoded");
        let not_an_object = "Integration payload must be a JSON object, not an array or primitive";
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let too_deep = "the body is nested deeper than 127 levels";
        for (content_type, body, error) in [
            (json, "[{\"text\": \"a\"}]", not_an_object),
            (json, "5", not_an_object),
            (json, "null", not_an_object),
            (form, "payload=[1]", not_an_object),
            (form, "payload=%22a%22", not_an_object),
            (json, &format!("{{\"text\": {deep}}}"), too_deep),
            (form, &format!("payload={{\"text\": {deep}}}"), too_deep),
            (Some("text/plain"), &deep, too_deep),
            (Some("text/plain"), "hello", "the body is neither a JSON object nor a form; send one with a member \"text\""),
            (json, "{\"text\"", "the body is not JSON: EOF while parsing an object at line 1 column 7"),
        ] {
            refused(&hook.send(content_type, body.to_owned()).await, 400, error);
        }
        refused(&hook.send(json, vec![b'"', 0xff, b'"']).await, 400, "the body is not UTF-8");
        refused(&hook.post(&json!({"texts": "a"})).await, 400, "unknown-error");
        refused(&hook.send(form, "payload=hello").await, 400, "unknown-error");
        refused(&hook.post(&json!({"text": "x".repeat(40_001)})).await, 400, "error-message-size-exceeded");
        assert_eq!(hook.send(json, "x".repeat((1 << 20) + 1)).await.status, 413);
        let zipped = app.anon.request(Method::POST, &hook.path()).header(header::CONTENT_ENCODING, "gzip").body("x");
        assert_eq!(app.anon.send(zipped).await.status, 415);
        done(&hook.post(&json!({"text": "x".repeat(40_000)})).await);
        assert_eq!(hook.posted().await.len(), 1);
    }

    async fn a_caller_without_the_token_learns_nothing(app) {
        let hook = Hook::new(&app, json!({})).await;
        let outgoing = json!({"event": "sendMessage", "urls": ["https://example.org/"], "token": "known"});
        let body = changed("webhook-outgoing", outgoing);
        let outgoing = hook.manager.call(Method::POST, "integrations.create", &body).await;
        let [id, token, other] = [hook.id(), hook.token(), outgoing["_id"].as_str().unwrap()];
        let text = json!({"text": "a"});
        let mut reported = Vec::new();
        for (id, token) in [
            (id, "wrong"),
            (id, &token[1..]),
            ("0199c1de-0000-7000-8000-00000000dead", token),
            ("nothing", token),
            ("sample", token),
            (other, "known"),
        ] {
            for path in [format!("/hooks/{id}/{token}"), format!("/hooks/{id}/x/{token}")] {
                let answer = app.anon.post(&path, &text).await;
                refused(&answer, 404, "Invalid integration id or token provided.");
                reported.push(answer.text);
                assert_eq!(app.owner.get(&path).await.status, 404, "a token of ours opens nothing here");
            }
        }
        reported.dedup();
        assert_eq!(reported.len(), 1, "reported alike: {reported:?}");
        let twice = token.bytes().fold(String::new(), |text, byte| format!("{text}%25{byte:02x}"));
        done(&app.anon.post(&format!("/hooks/{id}/{twice}"), &text).await);
        let upper = format!("/hooks/{}/{token}", id.to_uppercase());
        done(&app.anon.post(&upper, &text).await);
    }

    async fn what_is_switched_off_is_not_available(app) {
        let hook = Hook::new(&app, json!({"enabled": false})).await;
        refused(&hook.post(&json!({"text": "a"})).await, 503, "Service Unavailable");
        refused(&hook.send(Some("application/json"), "{").await, 503, "Service Unavailable");
        hook.update(json!({})).await;
        done(&hook.post(&json!({"text": "a"})).await);
    }

    async fn nobody_posts_in_the_name_of_who_is_gone(app) {
        app.caller("acme", "ada", Role::Admin).await;
        let hook = Hook::new(&app, json!({"username": "ada"})).await;
        done(&hook.post(&json!({"text": "a"})).await);
        let home = app.organisation("acme").await.to_string();
        let ada = user_id(&app.owner, &home, "ada").await;
        assert_eq!(hook.posted().await[0]["data"]["user"], json!({"userId": ada, "username": "ada"}));
        let members = format!("/v1/organisations/{home}/members");
        let renamed = app.owner.patch(&format!("{members}/{ada}"), &json!({"username": "lovelace"})).await;
        if renamed.status.is_success() {
            done(&hook.post(&json!({"text": "b"})).await);
            assert_eq!(hook.posted().await[0]["data"]["user"]["username"], "lovelace", "the name of today");
        }
        app.owner.delete(&format!("{members}/{ada}")).await.ok(204);
        let answer = hook.post(&json!({"text": "c"})).await;
        let expected = json!({"status": "error", "message": "You must be logged in to do this."});
        assert_eq!(answer.ok(401), expected);
        assert_eq!(answer.header("www-authenticate"), "X-Auth-Token", "as with every 401");
    }

    async fn a_flood_is_rate_limited(app) {
        let hook = Hook::new(&app, json!({})).await;
        for _ in 0..200 {
            done(&app.anon.get(&hook.path()).await);
        }
        let answer = hook.post(&json!({"text": "a"})).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"), "{}", answer.text);
        app.advance(Duration::from_secs(1));
        done(&hook.post(&json!({"text": "a"})).await);
    }

    async fn a_message_goes_through_the_modifiers_and_out_and_not_back(app) {
        let hook = Hook::new(&app, json!({})).await;
        let modifier = Integration::start("modifier", json!([])).await;
        let output = Integration::start("output", json!([])).await;
        modifier.reply(Reply::Change("<{}>".into()));
        for integration in [&modifier, &output] {
            let body = json!({"json_url": integration.json_url()});
            app.owner.post("/organisations/acme/integrations/custom", &body).await.ok(201);
        }
        let listed = app.owner.get("/organisations/acme/integrations/custom").await.ok(200);
        for one in listed["data"].as_array().unwrap() {
            let path = format!("/v1/channels/{}/apps/{}", hook.general, one["id"].as_str().unwrap());
            app.owner.send(app.owner.request(Method::PUT, &path).json(&json!({}))).await.ok(200);
        }
        done(&hook.post(&json!({"text": "built", "attachments": [{"title": "17"}]})).await);
        app.drain().await;
        assert_eq!(output.calls().len(), 1);
        assert_eq!(output.calls()[0].body["message"], "<built>");
        let published = events(&app.owner, &hook.general, "message.published").await;
        let [only] = &published[..] else { panic!("{published:?}") };
        let posted = hook.posted().await;
        assert_eq!(only["madeFrom"], posted[0]["id"]);
        assert_eq!(only["data"]["message"], "<built>");
        assert_eq!((&only["data"]["attachments"], &only["data"]["integrationId"]), (&json!([{"title": "17"}]), &json!(hook.id())));
    }

    async fn nobody_speaks_as_somebody_else(app) {
        let hook = Hook::new(&app, json!({})).await;
        let ada = app.caller("acme", "ada", Role::Member).await;
        for user in [json!({"userId": hook.manager.user_id, "username": "olga"}), json!("olga"), json!(null)] {
            let data = json!({"message": "hi", "user": user, "more": [1]});
            let event = json!({"type": "message.posted", "channelId": hook.general, "data": data});
            ada.post("/v1/events", &event).await.ok(202);
        }
        let posted = hook.posted().await;
        assert_eq!(posted.len(), 3);
        for event in posted {
            assert_eq!((&event["data"]["user"]["username"], &event["data"]["more"]), (&json!("ada"), &json!([1])));
        }
        let long = json!({"message": "x".repeat(40_001)});
        let event = json!({"type": "message.posted", "channelId": hook.general, "data": long});
        ada.post("/v1/events", &event).await.problem(400, "invalid");
        let other = json!({"type": "deploy.done", "channelId": hook.general, "data": {"user": "anybody"}});
        ada.post("/v1/events", &other).await.ok(202);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_way_of_asking() {
    let app = TestApp::start(crate::support::Database::sqlite()).await;
    let hook = Hook::new(&app, json!({})).await;
    let path = hook.path();
    assert_eq!(app.anon.send(app.anon.request(Method::HEAD, &path)).await.status, 200);
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = app.anon.send(app.anon.request(method, &path)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST, HEAD"));
    }
    assert_eq!(app.anon.get("/hooks").await.status, 404);
    assert_eq!(app.anon.get("/hooks/a").await.status, 404);
}

/// Starts Tieline with these settings.
async fn start(settings: Vec<(&'static str, String)>) -> TestApp {
    TestApp::start_with(crate::support::Database::sqlite(), Setup { settings, ..Setup::default() }).await
}
