//! Tests of webhooks set up in the dialect of Rocket.Chat: its two headers, its error texts, in its order.

mod permissions;
mod refusals;
mod rooms;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

/// A caller by the product's two headers.
pub struct Known {
    client: Client,
    token: String,
    user_id: String,
}

impl Known {
    /// Creates the caller for the member of a client with a bearer token.
    pub async fn of(app: &TestApp, client: &Client, username: &str) -> Self {
        let home = app.organisation("acme").await;
        let listed = app.owner.get(&format!("/v1/organisations/{home}/members?limit=250")).await.ok(200);
        let member = listed["data"].as_array().unwrap().iter().find(|one| one["username"] == username).unwrap().clone();
        let made = client.post("/v1/tokens", &json!({"name": "headers"})).await.ok(201);
        Self {
            client: app.anon.clone(),
            token: made["secret"].as_str().unwrap().to_owned(),
            user_id: member["userId"].as_str().unwrap().to_owned(),
        }
    }

    /// Calls an operation of `/api/v1`.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.client.request(method, &format!("/api/v1/{path}"));
        let request = request.header("X-Auth-Token", &self.token).header("X-User-Id", &self.user_id);
        self.client
            .send(match body {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Creates a webhook and returns it.
    pub async fn create(&self, body: Value) -> Value {
        self.post("integrations.create", body).await.ok(200)["integration"].clone()
    }
}

/// The owner of `acme`, with a channel `#general`.
pub async fn owner(app: &TestApp) -> Known {
    app.owner.post("/v1/channels", &json!({"name": "general"})).await.ok(201);
    Known::of(app, &app.owner, "olga").await
}

/// Body of an incoming webhook, with changes.
pub fn incoming(change: Value) -> Value {
    changed(
        json!({
            "type": "webhook-incoming", "username": "olga", "channel": "#general", "scriptEnabled": false,
            "name": "Builds", "enabled": true,
        }),
        change,
    )
}

/// Body of an outgoing webhook, with changes.
pub fn outgoing(change: Value) -> Value {
    changed(
        json!({
            "type": "webhook-outgoing", "username": "olga", "channel": "#general", "event": "sendMessage",
            "urls": ["https://93.184.216.34/hook"], "scriptEnabled": false, "name": "Tracker", "enabled": true,
        }),
        change,
    )
}

/// Merges a change; null removes a member.
fn changed(mut body: Value, change: Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body
}

both! {
    async fn an_outgoing_one_is_shown_as_the_product_shows_it(app) {
        let olga = owner(&app).await;
        let made = olga.create(outgoing(json!({}))).await;
        let got = olga.get(&format!("integrations.get?integrationId={}", made["_id"].as_str().unwrap())).await.ok(200);
        assert_eq!(got, json!({"integration": made, "success": true}));
        for (name, expected) in [
            ("type", json!("webhook-outgoing")),
            ("username", json!("olga")),
            ("channel", json!(["#general"])),
            ("scriptEnabled", json!(false)),
            ("name", json!("Tracker")),
            ("enabled", json!(true)),
            ("event", json!("sendMessage")),
            ("urls", json!(["https://93.184.216.34/hook"])),
            ("scriptEngine", json!("isolated-vm")),
            ("userId", json!(olga.user_id)),
            ("_createdBy", json!({"_id": olga.user_id, "username": "olga"})),
        ] {
            assert_eq!(made[name], expected, "{name}");
        }
        assert_eq!((made.get("token"), made["_createdAt"] == made["_updatedAt"]), (None, true));
        let by = |who: &str| format!("integrations.get?integrationId={}&createdBy={who}", made["_id"].as_str().unwrap());
        olga.get(&by(&olga.user_id)).await.ok(200);
        assert_eq!(olga.get(&by("fn5u45ui34fvb")).await.ok(400)["error"], "The integration does not exists.");
    }

    async fn an_incoming_one_has_a_token_of_its_own(app) {
        let olga = owner(&app).await;
        let made = olga.create(incoming(json!({"username": "rocket.cat", "alias": "CI", "emoji": ":ghost:", "script": null}))).await;
        let token = made["token"].as_str().unwrap().to_owned();
        assert!(token.len() == 48 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
        assert_eq!((made["userId"].clone(), made["overrideDestinationChannelEnabled"].clone()), (json!("rocket.cat"), json!(false)));
        let id = made["_id"].clone();
        let change = incoming(json!({"integrationId": id, "username": null, "enabled": false, "name": "Off", "alias": "CD"}));
        let got = olga.put("integrations.update", change).await.ok(200)["integration"].clone();
        assert_eq!((&got["token"], &got["userId"], &got["emoji"]), (&json!(token), &json!("rocket.cat"), &json!(":ghost:")));
        assert_eq!((&got["alias"], &got["enabled"], &got["_updatedBy"]["username"]), (&json!("CD"), &json!(false), &json!("olga")));
        let removed = olga.post("integrations.remove", json!({"type": "webhook-incoming", "integrationId": id})).await.ok(200);
        assert_eq!(removed["integration"]["name"], "Off");
        let again = olga.post("integrations.remove", json!({"type": "webhook-incoming", "integrationId": id})).await;
        assert_eq!(again.ok(400), json!({"success": false, "error": "No integration found."}));
    }

    async fn an_outgoing_one_is_changed_by_its_url_and_updated_as_requested(app) {
        let olga = owner(&app).await;
        let token = json!({"token": "s3cret", "alias": "Bot", "triggerWords": ["bug"], "retryFailedCalls": true, "retryCount": -1});
        let made = olga.create(outgoing(token)).await;
        assert_eq!((&made["retryCount"], &made["retryDelay"]), (&json!(4), &json!("powers-of-ten")));
        let change = outgoing(json!({"target_url": "https://93.184.216.34/hook", "token": "other", "name": "New"}));
        let got = olga.put("integrations.update", change.clone()).await.ok(200)["integration"].clone();
        assert_eq!((&got["_id"], &got["name"], &got["token"]), (&made["_id"], &json!("New"), &json!("other")));
        assert_eq!((got.get("alias"), got.get("triggerWords"), got.get("retryCount")), (None, None, None));
        let by_url = json!({"type": "webhook-outgoing", "target_url": "https://93.184.216.34/hook"});
        let both = changed(by_url.clone(), json!({"integrationId": made["_id"]}));
        let refused = olga.post("integrations.remove", both).await.ok(400)["error"].as_str().unwrap().to_owned();
        assert!(refused.contains("must match exactly one schema in oneOf"), "{refused}");
        assert_eq!(olga.post("integrations.remove", by_url).await.ok(200)["integration"]["_id"], made["_id"]);
    }

    async fn lists_are_paged_sorted_and_chosen_from(app) {
        let olga = owner(&app).await;
        for name in ["b", "a", "c"] {
            olga.create(incoming(json!({"name": name}))).await;
        }
        olga.create(outgoing(json!({"name": "a"}))).await;
        let names = async |query: &str| {
            let page = olga.get(&format!("integrations.list{query}")).await.ok(200);
            let all = page["integrations"].as_array().unwrap();
            assert_eq!((page["items"].as_u64(), page["count"].as_u64()), (Some(all.len() as u64), Some(all.len() as u64)));
            let names: Vec<_> = all.iter().map(|one| one["name"].as_str().unwrap_or("-").to_owned()).collect();
            (names.join(","), page["total"].as_u64().unwrap())
        };
        for (query, expected) in [
            ("", ("b,a,c,a", 4)),
            ("?offset=1&count=2", ("a,c", 4)),
            ("?count=0", ("b,a,c,a", 4)),
            ("?name=a", ("a,a", 2)),
            ("?name=a&type=webhook-outgoing", ("a", 1)),
            ("?sort=%7B%22name%22%3A-1%7D&type=webhook-incoming", ("c,b,a", 3)),
            ("?query=%7B%22name%22%3A%7B%22%24in%22%3A%5B%22b%22%2C%22c%22%5D%7D%7D", ("b,c", 2)),
            ("?fields=%7B%22type%22%3A1%7D&count=1", ("-", 4)),
        ] {
            assert_eq!(names(query).await, (expected.0.to_owned(), expected.1), "{query}");
        }
        let refused = olga.get("integrations.list?query=%7B%22%24where%22%3A%22x%22%7D").await.ok(400);
        assert_eq!(refused["errorType"], "invalid-params");
    }

    async fn a_script_that_does_not_compile_is_kept_and_said(app) {
        let olga = owner(&app).await;
        let script = |script: &str| incoming(json!({"scriptEnabled": true, "script": script}));
        let good = olga.create(script("class Script { process_incoming_request() {} }")).await;
        assert_eq!((good.get("scriptError"), good["script"].is_string()), (None, true));
        let bad = olga.create(script("class Script {")).await;
        assert_eq!(bad["scriptError"]["name"], "SyntaxError", "{bad}");
        assert_eq!(bad["script"], "class Script {");
        let off = olga.create(incoming(json!({"script": "class Script {"}))).await;
        assert_eq!(off.get("scriptError"), None, "it is not run, so nobody looks at it");
    }

    async fn callers_are_known_by_both_headers(app) {
        let olga = owner(&app).await;
        let logged_in = json!({"status": "error", "message": "You must be logged in to do this."});
        let path = "/api/v1/integrations.list";
        let ask = async |headers: &[(&str, &str)]| {
            let request = app.anon.request(Method::GET, path);
            app.anon.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
        };
        let outsider = "0199c1de-0000-7000-8000-00000000dead";
        for headers in [
            &[][..],
            &[("X-Auth-Token", olga.token.as_str())],
            &[("X-User-Id", olga.user_id.as_str())],
            &[("X-Auth-Token", olga.token.as_str()), ("X-User-Id", outsider)],
            &[("X-Auth-Token", olga.token.as_str()), ("X-User-Id", "olga")],
            &[("X-Auth-Token", "tl_nonsense"), ("X-User-Id", olga.user_id.as_str())],
        ] {
            assert_eq!(ask(headers).await.ok(401), logged_in, "{headers:?}");
        }
        ask(&[("X-Auth-Token", &olga.token), ("X-User-Id", &olga.user_id)]).await.ok(200);
        app.owner.get(path).await.ok(200);
    }
}
