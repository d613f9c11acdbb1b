//! Tests of the events that the code of installed registry versions sends with a key of its version.

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::registry::{PublicId, public_id};

use crate::{
    registry_actions::{install, publish, version},
    support::{Answer, Client, Integration, TestApp},
};

const EVENTS: &str = "/v1/chat/events";
const KEYS: &str = "/v1/admin/integrations/iaks";

/// A caller with a new key of a version, and the key's id.
async fn key(app: &TestApp, owner: &Client, version: &str) -> (Client, String) {
    let made = owner.post(KEYS, &json!({"integrationId": version})).await.ok(200);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (app.anon.in_no_workspace().with_token(&text("value")), text("id"))
}

async fn emit(caller: &Client, headers: &[(&str, &str)], body: &Value) -> Answer {
    let request = caller.request(Method::POST, EVENTS).json(body);
    caller.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

fn issue(title: &str) -> Value {
    json!({"type": "issueCreated", "payload": {"title": title}})
}

fn bot(app: &str) -> String {
    PublicId { prefix: "bot", id: app.parse().unwrap() }.to_string()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) -> Value {
    let body = answer.ok(status);
    assert_eq!(body["type"], kind, "{}", answer.text);
    body
}

both! {
    async fn an_event_is_accepted_routed_and_explained(app) {
        let far = Integration::start("output", json!([])).await;
        let version = publish(&app.owner, &version("acme/micro-teams", "1.0.0", &format!("{}/action", far.base()))).await;
        let installed = install(&app.owner, &version).await;
        let to = json!({"kind": "webhook", "url": format!("{}/hook", far.base())});
        app.owner.post("/v1/routes", &json!({"types": ["app.acme.*"], "sources": ["app"], "destination": to})).await.ok(201);
        let (code, key_id) = key(&app, &app.owner, &version).await;

        let mut sent = issue("broken");
        sent["userId"] = json!("user_1");
        let headers = [("x-bot-id", bot(&installed)), ("x-integration-id", version.clone())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answered = emit(&code, &headers, &sent).await.ok(200)["event"].clone();
        for (member, value) in [
            ("type", json!("issueCreated")), ("payload", json!({"title": "broken"})), ("userId", json!("user_1")),
            ("status", json!("pending")), ("failureReason", Value::Null), ("createdAt", json!("2026-11-18T11:06:40.000Z")),
        ] {
            assert_eq!(answered[member], value, "{member}");
        }
        let id = public_id(PublicId::EVENT, answered["id"].as_str().unwrap()).unwrap();
        let event = app.owner.get(&format!("/v1/events/{id}")).await.ok(200);
        assert_eq!((&event["type"], &event["source"]), (&json!("app.acme.micro_teams.issueCreated"), &json!("app")));
        assert_eq!(event["data"], json!({"title": "broken"}));
        let attributes = json!({
            "appId": installed, "installation": bot(&installed), "integration": "acme/micro-teams", "version": "1.0.0",
            "userId": "user_1",
        });
        assert_eq!(event["attributes"], attributes);
        app.drain().await;
        let delivery = app.delivery_of(&id.to_string()).await;
        assert_eq!(delivery["state"], "delivered", "{delivery}");
        let got = far.calls().pop().unwrap();
        assert_eq!((got.path.as_str(), &got.body["data"]["title"]), ("/hook", &json!("broken")));

        emit(&code, &[], &issue("of the only installation")).await.ok(200);
        app.owner.delete(&format!("{KEYS}/{key_id}")).await.ok(200);
        refused(&emit(&code, &[], &issue("late")).await, 401, "Unauthorized");
    }

    async fn an_event_is_of_the_organisation_that_installed(app) {
        let globex = app.other("globex").await;
        let version_of = |name: &str, number: &str| version(name, number, "https://teams.example/action");
        let one = publish(&app.owner, &version_of("acme/teams", "1.0.0")).await;
        let two = publish(&app.owner, &version_of("acme/teams", "1.1.0")).await;
        let (ours, theirs) = (install(&app.owner, &one).await, install(&globex, &one).await);
        let elsewhere = install(&globex, &two).await;
        let (code, _) = key(&app, &app.owner, &one).await;

        let unnamed = refused(&emit(&code, &[], &issue("whose")).await, 400, "InvalidQuery");
        assert!(unnamed["message"].as_str().unwrap().starts_with("request/headers/x-bot-id is needed"), "{unnamed}");
        let events = async |of: &Client| of.get("/v1/events?type=app.*").await.ok(200)["data"].as_array().unwrap().len();
        emit(&code, &[("x-bot-id", &bot(&theirs))], &issue("theirs")).await.ok(200);
        assert_eq!((events(&app.owner).await, events(&globex).await), (0, 1));
        emit(&code, &[("x-bot-id", &ours)], &issue("ours")).await.ok(200);
        assert_eq!((events(&app.owner).await, events(&globex).await), (1, 1));

        let nothing = bot("0199c1de-0000-7000-8000-00000000dead");
        for named in [bot(&elsewhere), nothing, "nonsense".to_owned()] {
            let answer = emit(&code, &[("x-bot-id", &named)], &issue("x")).await;
            let message = refused(&answer, 404, "ResourceNotFound")["message"].clone();
            assert_eq!(message, format!("Bot {named:?} doesn't exist"));
        }
        let other = emit(&code, &[("x-bot-id", &bot(&ours)), ("x-integration-id", &two)], &issue("x")).await;
        refused(&other, 404, "ResourceNotFound");
        let (other_code, _) = key(&app, &app.owner, &two).await;
        refused(&emit(&other_code, &[("x-bot-id", &bot(&ours))], &issue("x")).await, 404, "ResourceNotFound");

        app.owner.patch(&format!("/v1/apps/{ours}"), &json!({"active": false})).await.ok(200);
        let inactive = emit(&code, &[("x-bot-id", &bot(&ours))], &issue("x")).await;
        assert!(refused(&inactive, 409, "RelationConflict")["message"].as_str().unwrap().contains("not active"));
        globex.delete(&format!("/v1/apps/{theirs}")).await.ok(204);
        refused(&emit(&code, &[("x-bot-id", &bot(&theirs))], &issue("x")).await, 404, "ResourceNotFound");
        assert_eq!((events(&app.owner).await, events(&globex).await), (1, 1));

        app.owner.delete(&format!("/v1/apps/{ours}")).await.ok(204);
        refused(&emit(&code, &[], &issue("x")).await, 404, "ResourceNotFound");
        app.owner.delete(&format!("/v1/admin/integrations/{one}")).await.ok(200);
        refused(&emit(&code, &[], &issue("x")).await, 401, "Unauthorized");
    }

    async fn an_event_is_as_its_version_declares(app) {
        let version = publish(&app.owner, &version("acme/teams", "1.0.0", "https://teams.example/action")).await;
        install(&app.owner, &version).await;
        let (code, _) = key(&app, &app.owner, &version).await;
        let place = |answer: &Answer| answer.json()["metadata"]["issues"][0]["path"].clone();
        for (body, kind, at) in [
            (json!({"type": "issueClosed", "payload": {}}), "ReferenceNotFound", "/type"),
            (json!({"type": "issueCreated", "payload": {"title": 5}}), "InvalidDataFormat", "/payload/title"),
            (json!({"type": "issueCreated", "payload": {}}), "InvalidDataFormat", "/payload/title"),
            (json!({"type": "issueCreated", "payload": "x"}), "InvalidPayload", "/payload"),
            (json!({"type": "happened"}), "InvalidPayload", "/payload"),
            (json!({"type": "happened", "payload": {}, "userId": "a\nb"}), "InvalidPayload", "/userId"),
            (json!({"type": "happened", "payload": {}, "schedule": {"delay": 5}}), "InvalidPayload", "/schedule"),
        ] {
            let answer = emit(&code, &[], &body).await;
            refused(&answer, 400, kind);
            assert_eq!(place(&answer), at, "{}", answer.text);
        }
        assert!(emit(&code, &[], &json!({"type": "issueClosed", "payload": {}})).await.text.contains("happened, issueCreated"));
        for caller in [&app.anon, &app.owner, &app.anon.with_token("bp_iak_unknown"), &app.anon.with_token("x")] {
            refused(&emit(caller, &[], &issue("x")).await, 401, "Unauthorized");
        }
        for path in ["/v1/admin/integrations", "/v1/admin/hub/integrations"] {
            refused(&code.in_workspace("acme").get(path).await, 401, "Unauthorized");
        }
        code.get("/v1/apps").await.problem(401, "token_invalid");
        assert_eq!(app.owner.get("/v1/events").await.ok(200)["data"], json!([]));
        emit(&code, &[], &json!({"type": "happened", "payload": {"any": [1]}})).await.ok(200);
    }
}
