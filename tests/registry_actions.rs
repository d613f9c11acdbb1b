//! Tests of the actions of installed registry versions: called through the native API, answered by a server of the
//! version's author.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tieline::{
    domain::{
        registry::{PublicId, public_id},
        secret::Secret,
        tenancy::member::Role,
    },
    provider::webhook::Signer,
};

use crate::support::{Answer, Client, Database, Integration, Names, Reply, Setup, TestApp};

const SECRET: &str = "hunter2-hunter2";

/// A version with an action, an event and a configuration.
pub fn version(name: &str, number: &str, url: &str) -> Value {
    let input = json!({
        "type": "object", "required": ["text"], "additionalProperties": false, "properties": {
            "text": {"type": "string", "maxLength": 20}, "password": {"type": "string"}, "list": {"items": {"type": "integer"}},
        },
    });
    let output = json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}});
    let event = json!({"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}});
    json!({
        "name": name, "version": number, "title": "Teams", "url": url, "visibility": "public",
        "actions": {
            "sendMessage": {"input": {"schema": input}, "output": {"schema": output}},
            "listTeams": {"input": {"schema": {}}, "output": {"schema": {}}},
        },
        "events": {"issueCreated": {"schema": event}, "happened": {"schema": {}}},
        "configuration": {"schema": {"type": "object", "properties": {
            "room": {"type": "string"}, "level": {"type": "string", "default": "low"}, "apiKey": {"type": "string"},
            "unset": {"type": "string"},
        }}},
    })
}

/// Publishes a version and returns its id as the Botpress dialect shows it.
pub async fn publish(owner: &Client, body: &Value) -> String {
    owner.post("/v1/admin/integrations", body).await.ok(200)["integration"]["id"].as_str().unwrap().to_owned()
}

/// Installs a version and returns the id of the app.
pub async fn install(caller: &Client, version: &str) -> String {
    let id = public_id(PublicId::VERSION, version).unwrap();
    let made = caller.post("/v1/apps", &json!({"registryVersion": {"id": id}})).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

pub async fn call(caller: &Client, app: &str, action: &str, input: Value) -> Answer {
    caller.post(&format!("/v1/apps/{app}/actions/{action}"), &json!({"input": input})).await
}

async fn start(app: &TestApp) -> (Integration, String, String) {
    let far = Integration::start("output", json!([])).await;
    far.reply(Reply::Json(json!({"output": {"id": 7}, "meta": {"cost": 0}})));
    let version = publish(&app.owner, &version("acme/teams", "1.0.0", &format!("{}/action", far.base()))).await;
    let installed = install(&app.owner, &version).await;
    let settings = json!({"settings": {"room": "#support", "apiKey": SECRET}});
    let put = app.owner.request(Method::PUT, &format!("/v1/apps/{installed}/settings")).json(&settings);
    app.owner.send(put).await.ok(200);
    (far, version, installed)
}

both! {
    async fn an_action_is_called_and_its_output_is_returned(app) {
        let (far, version, installed) = start(&app).await;
        let signing = app.owner.get(&format!("/v1/apps/{installed}/signing-secret")).await.ok(200);
        let input = json!({"text": "hello", "password": "abc12345"});
        let answer = call(&app.owner, &installed, "sendMessage", input.clone()).await;
        assert_eq!(answer.ok(200), json!({"output": {"id": 7}}));

        let calls = far.calls();
        assert_eq!(calls.len(), 1);
        let got = &calls[0];
        assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/action"));
        assert_eq!(got.body, json!({"type": "sendMessage", "input": input}));
        let bot = PublicId { prefix: "bot", id: installed.parse().unwrap() }.to_string();
        for (name, value) in [
            ("x-bp-operation", "action_triggered"), ("x-bp-type", "sendMessage"), ("x-bot-id", bot.as_str()),
            ("x-bot-user-id", &bot), ("x-webhook-id", &bot), ("x-integration-id", &version),
            ("x-integration-alias", "acme/teams"), ("content-type", "application/json"), ("x-bp-configuration-type", ""),
        ] {
            assert_eq!(got.header(name), value, "{name}");
        }
        let configuration = BASE64_STANDARD.decode(got.header("x-bp-configuration")).unwrap();
        let configuration: Value = serde_json::from_slice(&configuration).unwrap();
        assert_eq!(configuration, json!({"room": "#support", "level": "low", "apiKey": SECRET}));
        let secret = Secret::new(signing["secret"].as_str().unwrap());
        let expected = Signer::new(&[secret]).unwrap().headers(got.header("webhook-id"), app.now(), &got.raw).unwrap();
        for (name, value) in expected {
            assert_eq!(got.header(name.as_str()), value.to_str().unwrap(), "{name}");
        }

        let delivery = app.deliveries("state=delivered").await.remove(0);
        assert_eq!((&delivery["state"], &delivery["eventType"]), (&json!("delivered"), &json!("action.called")), "{delivery}");
        let id = delivery["id"].as_str().unwrap();
        assert_eq!(got.header("webhook-id"), format!("msg_{}", id.replace('-', "")));
        let detail = app.owner.get(&format!("/v1/deliveries/{id}")).await;
        let event = app.owner.get(&format!("/v1/events/{}", delivery["eventId"].as_str().unwrap())).await;
        assert_eq!(event.ok(200)["attributes"], json!({"appId": installed, "action": "sendMessage"}));
        assert_eq!(event.json()["data"]["input"]["text"], "hello");
        let logs = app.owner.get(&format!("/v1/admin/integrations/{version}/logs?timeStart=2020-01-01T00:00:00Z")).await;
        let line = logs.ok(200)["logs"][0].clone();
        assert_eq!(line["level"], "info");
        assert!(line["message"].as_str().unwrap().contains("/action answered with the status 200"), "{line}");
        for answer in [&detail, &event, &logs] {
            assert!(!answer.text.contains(SECRET) && !answer.text.contains("abc12345"), "{}", answer.text);
        }

        app.owner.post(&format!("/v1/deliveries/{id}/replay"), &json!({})).await;
        app.drain().await;
        let again = app.owner.get(&format!("/v1/deliveries/{id}")).await.ok(200);
        assert!(again["reason"].as_str().unwrap().contains("call it once more"), "{again}");
        assert_eq!(far.calls().len(), 1, "a replay calls nothing");
    }

    async fn a_call_that_may_not_be_made_is_not_made(app) {
        let (far, version, installed) = start(&app).await;
        let good = || json!({"text": "hello"});
        let unknown = call(&app.owner, &installed, "sendMesage", good()).await;
        let said = unknown.problem(404, "not_found")["detail"].as_str().unwrap().to_owned();
        assert!(said.contains("\"sendMesage\"") && said.contains("listTeams, sendMessage"), "{said}");
        let classic = app.owner.post("/v1/apps", &json!({"descriptorUrl": far.json_url()})).await.ok(201);
        call(&app.owner, classic["id"].as_str().unwrap(), "sendMessage", good()).await.problem(404, "not_found");

        let broken = json!({"list": [1, "two"], "other": SECRET});
        let problem = call(&app.owner, &installed, "sendMessage", broken).await.problem(400, "invalid");
        let mut places: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/input/list/1", "/input/other", "/input/text"], "{problem}");
        assert!(!problem.to_string().contains(SECRET), "{problem}");
        for body in [json!({}), json!({"input": "text"}), json!({"input": {"text": "a"}, "more": 1})] {
            app.owner.post(&format!("/v1/apps/{installed}/actions/sendMessage"), &body).await.problem(400, "invalid");
        }

        let globex = app.other("globex").await;
        call(&globex, &installed, "sendMessage", good()).await.problem(404, "not_found");
        let member = app.caller("acme", "mia", Role::Member).await;
        call(&member, &installed, "sendMessage", good()).await.problem(403, "forbidden");
        app.owner.patch(&format!("/v1/apps/{installed}"), &json!({"active": false})).await.ok(200);
        let inactive = call(&app.owner, &installed, "sendMessage", good()).await.problem(409, "failed_precondition");
        assert!(inactive["detail"].as_str().unwrap().contains("not active"), "{inactive}");
        assert_eq!(far.calls().len(), 0);
        assert!(app.deliveries("state=failed").await.is_empty());

        app.owner.patch(&format!("/v1/apps/{installed}"), &json!({"active": true})).await.ok(200);
        let path = format!("/v1/admin/integrations/{version}");
        let set = json!({"actions": {"costly": {
            "input": {"schema": {}}, "output": {"schema": {"properties": {"a": {"$ref": "#"}}}},
        }}});
        let private = publish(&app.owner, &json!({"name": "acme/own", "version": "1.0.0", "url": format!("{}/own", far.base())})).await;
        let own = install(&app.owner, &private).await;
        app.owner.send(app.owner.request(Method::PUT, &path.replace(&version, &private)).json(&set)).await.ok(200);
        let costly = call(&app.owner, &own, "costly", json!({})).await.problem(409, "failed_precondition");
        assert!(costly["detail"].as_str().unwrap().contains("/actions/costly/output/schema"), "{costly}");
        assert_eq!(far.calls().len(), 0);
    }

    async fn a_server_that_fails_is_explained_without_its_secrets(app) {
        let (far, _, installed) = start(&app).await;
        let runtime = |message: &str| json!({"id": "e", "code": 400, "type": "Runtime", "message": message}).to_string();
        let mut failures = 0;
        for (reply, status, code, text) in [
            (Reply::Text(200, "<html>".into()), 502, "upstream_unavailable", "its answer is not JSON"),
            (Reply::Json(json!({"meta": {}})), 502, "upstream_unavailable", "has no \"output\""),
            (Reply::Json(json!({"output": {"id": SECRET}})), 502, "upstream_unavailable", "/output/id breaks the rule \"type\""),
            (Reply::Json(json!({"output": {}})), 502, "upstream_unavailable", "/output/id is required"),
            (Reply::Text(500, runtime(&format!("bad key {SECRET}"))), 502, "upstream_unavailable", "bad key [redacted]\" (500)"),
            (Reply::Text(500, "oops".into()), 502, "upstream_unavailable", "an error (500)"),
            (Reply::Text(400, runtime("no such\n team")), 502, "upstream_refused", "\"no such team\" (400)"),
            (Reply::Redirect("http://127.0.0.1:1/".into()), 502, "upstream_refused", "redirects"),
            (Reply::Pause(429, 30), 503, "upstream_busy", "asked for a pause of 30 s"),
            (Reply::Bytes(2 << 20), 502, "upstream_unavailable", "too large"),
        ] {
            far.reply(reply.clone());
            let answer = call(&app.owner, &installed, "sendMessage", json!({"text": "hello"})).await;
            let problem = answer.problem(status, code);
            assert!(problem["detail"].as_str().unwrap().contains(text), "{reply:?}: {problem}");
            assert!(!answer.text.contains(SECRET), "{}", answer.text);
            assert!(code != "upstream_busy" || answer.header("retry-after") == "30");
            failures += 1;
            let failed = app.deliveries("state=failed").await;
            assert_eq!(failed.len(), failures, "{failed:?}");
            let detail = app.owner.get(&format!("/v1/deliveries/{}", failed[0]["id"].as_str().unwrap())).await;
            assert!(detail.ok(200)["reason"].as_str().unwrap().contains(text), "{}", detail.text);
            assert!(!detail.text.contains(SECRET), "{}", detail.text);
        }
        far.reply(Reply::Text(410, String::new()));
        call(&app.owner, &installed, "sendMessage", json!({"text": "hello"})).await.problem(502, "upstream_refused");
        let calls = far.calls().len();
        far.reply(Reply::Json(json!({"output": {"id": 1}})));
        let off = call(&app.owner, &installed, "sendMessage", json!({"text": "hello"})).await.problem(409, "failed_precondition");
        assert!(off["detail"].as_str().unwrap().contains("410"), "{off}");
        assert_eq!(far.calls().len(), calls, "it is not called any more");
        app.owner.patch(&format!("/v1/apps/{installed}"), &json!({"active": true})).await.ok(200);
        call(&app.owner, &installed, "sendMessage", json!({"text": "hello"})).await.ok(200);
    }
}

both_databases! {
    async fn a_slow_server_takes_no_more_than_its_organisations_slots(database) {
        let settings = vec![("TIELINE_EGRESS__TOTAL_TIMEOUT_MS", "2000".into()), ("TIELINE_EGRESS__CONNECT_TIMEOUT_MS", "500".into())];
        let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
        let (far, version, installed) = start(&app).await;
        far.reply(Reply::Late(Duration::from_secs(600), json!({"output": {"id": 1}})));
        let calls = (0..9).map(|_| call(&app.owner, &installed, "sendMessage", json!({"text": "hello"})));
        let mut statuses: Vec<u16> = join_all(calls).await.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [&[429][..], &[502; 8]].concat());
        let late = call(&app.owner, &installed, "sendMessage", json!({"text": "hello"})).await;
        let problem = late.problem(502, "upstream_unavailable");
        assert!(problem["detail"].as_str().unwrap().contains("no complete answer in time"), "{problem}");
        let globex = app.other("globex").await;
        let theirs = install(&globex, &version).await;
        far.reply(Reply::Json(json!({"output": {"id": 1}})));
        call(&globex, &theirs, "sendMessage", json!({"text": "hello"})).await.ok(200);
    }
}

#[tokio::test]
async fn an_address_that_leads_inside_is_not_called() {
    let names = Arc::new(Names::default());
    names.set("teams.example", &["10.0.0.7"]);
    let setup = Setup { names: Some(names), ..Setup::default() };
    let app = TestApp::start_with(Database::sqlite(), setup).await;
    let version = publish(&app.owner, &version("acme/teams", "1.0.0", "https://teams.example/action")).await;
    let installed = install(&app.owner, &version).await;
    let refused = call(&app.owner, &installed, "sendMessage", json!({"text": "hello"})).await;
    let problem = refused.problem(409, "failed_precondition");
    assert!(
        problem["detail"].as_str().unwrap().contains("the URL has a host whose name leads to a private"),
        "{problem}"
    );
    assert_eq!(app.deliveries("state=failed").await.len(), 1);
}
