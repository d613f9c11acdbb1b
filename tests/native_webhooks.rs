//! Tests of webhooks in the native dialect: their permissions, tokens and refusals.

use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::{
    channel_integrations::{say, use_in},
    support::{Client, Integration, TestApp},
};

const IN: &str = "/v1/incoming-webhooks";
const OUT: &str = "/v1/outgoing-webhooks";

fn incoming() -> Value {
    json!({"name": "Builds", "channels": ["#general"]})
}

fn outgoing() -> Value {
    json!({"name": "Tracker", "channels": ["#general"], "event": "sendMessage", "urls": ["https://93.184.216.34/hook"]})
}

async fn general(app: &TestApp) -> String {
    app.owner.post("/v1/channels", &json!({"name": "general"})).await.ok(201)["id"].as_str().unwrap().to_owned()
}

async fn make(caller: &Client, all: &str, body: &Value) -> String {
    format!("{all}/{}", caller.post(all, body).await.ok(201)["id"].as_str().unwrap())
}

/// Creates a member of the channel with exactly these permissions.
async fn member(app: &TestApp, channel: &str, name: &str, permissions: &[&str]) -> Client {
    let client = app.caller("acme", name, Role::Member).await;
    let home = app.organisation("acme").await;
    let members = app.owner.get(&format!("/v1/organisations/{home}/members?limit=250")).await.ok(200);
    let id = members["data"].as_array().unwrap().iter().find(|one| one["username"] == name).unwrap()["userId"].clone();
    let id = id.as_str().unwrap();
    app.owner
        .patch(&format!("/v1/organisations/{home}/members/{id}"), &json!({"permissions": permissions}))
        .await
        .ok(200);
    app.owner.put(&format!("/v1/channels/{channel}/members/{id}")).await.ok(204);
    client
}

/// Calls every operation of a webhook but its removal, and asserts that each is refused with this status and code.
async fn all_refused(caller: &Client, path: &str, (status, code): (u16, &str)) {
    let own = ["token", "runs", "signing-secret"].into_iter().take(if path.starts_with(OUT) { 3 } else { 1 });
    for part in own.map(|part| format!("/{part}")).chain([String::new()]) {
        caller.get(&format!("{path}{part}")).await.problem(status, code);
    }
    caller.patch(path, &json!({"name": "Changed"})).await.problem(status, code);
    caller.post(&format!("{path}/token/rotate"), &json!({})).await.problem(status, code);
    caller.delete(path).await.problem(status, code);
    if path.starts_with(OUT) {
        caller.post(&format!("{path}/signing-secret/rotate"), &json!({})).await.problem(status, code);
        caller.delete(&format!("{path}/runs")).await.problem(status, code);
        let run = "0199c1de-0000-7000-8000-00000000dead";
        caller.post(&format!("{path}/runs/{run}/replay"), &json!({})).await.problem(status, code);
    }
}

both! {
    async fn each_direction_has_its_managers_of_all_and_of_their_own(app) {
        let channel = general(&app).await;
        for (all, body, [every, own]) in [
            (IN, incoming(), ["manage-incoming-integrations", "manage-own-incoming-integrations"]),
            (OUT, outgoing(), ["manage-outgoing-integrations", "manage-own-outgoing-integrations"]),
        ] {
            let way = &all[4..7];
            let theirs = make(&app.owner, all, &body).await;
            let nobody = member(&app, &channel, &format!("{way}-nora"), &["integrations:read", "integrations:manage"]).await;
            nobody.get(all).await.problem(403, "forbidden");
            nobody.post(all, &body).await.problem(403, "forbidden");
            all_refused(&nobody, &theirs, (403, "forbidden")).await;

            let ines = member(&app, &channel, &format!("{way}-ines"), &[own]).await;
            all_refused(&ines, &theirs, (403, "forbidden")).await;
            let hers = make(&ines, all, &body).await;
            let listed = ines.get(all).await.ok(200);
            assert_eq!(listed["data"], json!([ines.get(&hers).await.ok(200)]));
            assert_eq!(listed["data"][0]["username"], format!("{way}-ines"), "it posts as its creator by default");
            ines.patch(&hers, &json!({"enabled": false})).await.ok(200);
            ines.post(&format!("{hers}/token/rotate"), &json!({})).await.ok(200);

            let max = member(&app, &channel, &format!("{way}-max"), &[every]).await;
            assert_eq!(max.get(all).await.ok(200)["data"].as_array().unwrap().len(), 2);
            assert_eq!(max.get(&hers).await.ok(200)["enabled"], false);
            let elsewhere = theirs.replace(all, if all == IN { OUT } else { IN });
            all_refused(&app.owner, &elsewhere, (404, "not_found")).await;
            all_refused(&app.other(&format!("{way}-globex")).await, &theirs, (404, "not_found")).await;
            assert_eq!(max.delete(&hers).await.status, 204);
        }
    }

    async fn a_refusal_names_the_member_at_fault(app) {
        general(&app).await;
        let (incoming, outgoing) = (incoming(), outgoing());
        for (all, body, change, pointer) in [
            (IN, &incoming, json!({"channels": ["general"]}), "/channels"),
            (IN, &incoming, json!({"channels": ["#nowhere"]}), "/channels"),
            (IN, &incoming, json!({"username": "nobody"}), "/username"),
            (OUT, &outgoing, json!({"urls": ["http://169.254.169.254/latest"]}), "/urls"),
            (OUT, &outgoing, json!({"event": "userCreated"}), "/targetChannel"),
            (OUT, &outgoing, json!({"username": "nobody"}), "/username"),
        ] {
            let path = make(&app.owner, all, body).await;
            let mut new = body.clone();
            new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            for refused in [app.owner.post(all, &new).await, app.owner.patch(&path, &change).await] {
                assert_eq!(refused.problem(400, "invalid")["errors"][0]["pointer"], pointer, "{change}");
            }
        }
        for change in [json!({"event": "sent"}), json!({"retryDelay": "soon"}), json!({"retryCount": 0}), json!({"room": 1})] {
            let path = make(&app.owner, OUT, &outgoing).await;
            app.owner.patch(&path, &change).await.problem(400, "invalid");
        }
    }

    async fn an_address_ends_with_its_token(app) {
        let channel = general(&app).await;
        let path = make(&app.owner, IN, &incoming()).await;
        let address = async || app.owner.get(&format!("{path}/token")).await.ok(200)["url"].as_str().unwrap().to_owned();
        let post = async |url: &str| {
            let place = &url[url.find("/hooks/").unwrap()..];
            app.anon.post(place, &json!({"text": "hello"})).await.status
        };
        let first = address().await;
        assert_eq!(post(&first).await, 200);
        let rotated = app.owner.post(&format!("{path}/token/rotate"), &json!({})).await.ok(200);
        assert_eq!((rotated["url"].as_str().unwrap() != first, &rotated["url"]), (true, &json!(address().await)));
        assert_ne!(post(&first).await, 200);
        assert_eq!(post(rotated["url"].as_str().unwrap()).await, 200);
        app.drain().await;
        let messages = app.owner.get(&format!("/v1/channels/{channel}/messages")).await.ok(200);
        assert!(messages.to_string().contains("hello"), "{messages}");
        let shown = app.owner.get(&path).await.text;
        assert!(!shown.contains(rotated["token"].as_str().unwrap()), "{shown}");
    }

    async fn a_token_and_a_secret_go_with_the_calls(app) {
        let channel = general(&app).await;
        let far = Integration::start("output", json!([])).await;
        let mut body = outgoing();
        body["urls"] = json!([far.base()]);
        let path = make(&app.owner, OUT, &body).await;
        app.owner.get(&format!("{path}/token")).await.problem(404, "not_found");
        let token = app.owner.post(&format!("{path}/token/rotate"), &json!({})).await.ok(200);
        assert_eq!(app.owner.get(&format!("{path}/token")).await.ok(200), token);
        let secret = app.owner.get(&format!("{path}/signing-secret")).await.ok(200);
        let replaced = app.owner.post(&format!("{path}/signing-secret/rotate"), &json!({})).await.ok(200);
        assert_ne!(secret, replaced);
        say(&app, &channel, "hello").await;
        let call = far.calls().pop().unwrap();
        assert_eq!(call.body["token"], token["token"]);
        assert_eq!(call.header("webhook-signature").split(' ').count(), 2);
        let run = app.owner.get(&format!("{path}/runs?limit=1")).await.ok(200)["data"][0].clone();
        assert!(!run.to_string().contains(token["token"].as_str().unwrap()), "{run}");
        let delivery = app.owner.get(&format!("/v1/deliveries/{}", run["deliveryId"].as_str().unwrap())).await.ok(200);
        assert_eq!(delivery["attempts"][0]["id"], run["id"]);

        // The secrets of apps and of webhooks are not each other's.
        let id = use_in(&app, &channel, &far).await;
        app.owner.get(&format!("{OUT}/{id}/signing-secret")).await.problem(404, "not_found");
        app.owner.get(&format!("{}/signing-secret", path.replace(OUT, "/v1/apps"))).await.problem(404, "not_found");
    }
}
