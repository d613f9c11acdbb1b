//! Tests of the Botpress dialect: the registry over HTTP, every route and every kind of refusal.

mod errors;
mod hub;
mod interfaces;
mod limits;
mod lists;
mod updates;
mod workspaces;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client};

const ALL: &str = "/v1/admin/integrations";
const VALIDATE: &str = "/v1/admin/integrations/validate";
const SVG: &str =
    r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z" fill="#123"/></svg>"##;

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// The smallest version.
fn plain(name: &str, version: &str) -> Value {
    json!({"name": name, "version": version})
}

/// A version with every kind of content.
fn full(name: &str, version: &str) -> Value {
    let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}, "x-zui": {"hidden": true}});
    json!({
        "name": name, "version": version, "title": "Teams", "description": "Talks to teams",
        "configuration": {"schema": schema, "identifier": {"linkTemplateScript": "\"x\""}},
        "configurations": {"oauth": {"title": "OAuth", "schema": {}}},
        "states": {"token": {"type": "integration", "schema": schema}},
        "events": {"happened": {"title": "Happened", "schema": schema, "attributes": {"kind": "x"}}},
        "actions": {"sendMessage": {
            "title": "Send a message", "billable": true, "input": {"schema": schema}, "output": {"schema": {}},
        }},
        "entities": {"team": {"schema": schema}},
        "channels": {"channel": {
            "title": "Channel", "messages": {"text": {"schema": schema}},
            "conversation": {"tags": {"id": {"title": "Id"}}}, "message": {"tags": {"id": {}}},
        }},
        "user": {"tags": {"id": {}}, "creation": {"enabled": true, "requiredTags": ["id"]}},
        "identifier": {"extractScript": ".body"}, "attributes": {"category": "Other"},
        "extraOperations": {"ping": {"enabled": true}}, "layers": ["one"], "sdkVersion": "4.0.0",
        "secrets": {"API_KEY": "hunter2", "OTHER": "hunter3"},
        "code": "module.exports = {handler: () => 'hunter4'}", "url": "https://teams.example/hook",
        "icon": base64(SVG), "readme": base64("# Teams"), "interfaces": {},
    })
}

async fn create(caller: &Client, body: &Value) -> Value {
    caller.post(ALL, body).await.ok(200)["integration"].clone()
}

async fn put(caller: &Client, id: &Value, body: &Value) -> Answer {
    let path = format!("{ALL}/{}", id.as_str().unwrap());
    caller.send(caller.request(Method::PUT, &path).json(body)).await
}

fn path(id: &Value) -> String {
    format!("{ALL}/{}", id.as_str().unwrap())
}

/// Asserts an error of this type, and returns the issues.
#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) -> Vec<Value> {
    let body = answer.ok(status);
    assert_eq!((&body["type"], &body["code"]), (&json!(kind), &json!(status)), "{}", answer.text);
    assert!(body["id"].as_str().unwrap().starts_with("err_") && !body["message"].as_str().unwrap().is_empty());
    body["metadata"]["issues"].as_array().cloned().unwrap_or_default()
}

/// Asserts one issue: its JSON pointer and its rule.
#[track_caller]
fn refused_for(answer: &Answer, status: u16, kind: &str, place: &str, rule: &str) {
    let issues = refused(answer, status, kind);
    let found: Vec<_> =
        issues.iter().map(|issue| (issue["path"].as_str().unwrap(), issue["rule"].as_str().unwrap())).collect();
    assert_eq!(found, [(place, rule)], "{}", answer.text);
    assert_eq!(answer.json()["message"], issues[0]["message"]);
}

both! {
    async fn a_version_comes_and_is_shown_and_goes(app) {
        let owner = &app.owner;
        let body = full("acme/teams", "1.2.0");
        assert_eq!(owner.post(VALIDATE, &body).await.ok(200), json!({}));
        assert_eq!(owner.get(ALL).await.ok(200), json!({"integrations": [], "meta": {}}), "a dry run changes nothing");
        let made = create(owner, &body).await;
        let id = made["id"].as_str().unwrap();
        assert!(id.starts_with("intver_") && id.len() == 33, "{id}");
        assert!(made["signingSecret"].as_str().unwrap().len() > 30);
        assert_eq!(made["secrets"], json!(["API_KEY", "OTHER"]));
        for (name, value) in [
            ("name", json!("acme/teams")), ("version", json!("1.2.0")), ("title", json!("Teams")), ("dev", json!(false)),
            ("public", json!(false)), ("visibility", json!("private")), ("verificationStatus", json!("unapproved")),
            ("lifecycleStatus", json!("published")), ("url", json!("https://teams.example/hook")),
            ("attributes", json!({"category": "Other"})), ("events", body["events"].clone()),
            ("user", body["user"].clone()), ("createdAt", json!("2026-11-18T11:06:40.000Z")),
        ] {
            assert_eq!(made[name], value, "{name}");
        }
        assert_eq!(made["configuration"]["identifier"], json!({"required": false, "linkTemplateScript": "\"x\""}));
        let creation = &made["channels"]["channel"]["conversation"]["creation"];
        assert_eq!(creation, &json!({"enabled": false, "requiredTags": []}));

        let mut shown = made.clone();
        shown["signingSecret"] = json!("");
        let uuid = tieline::domain::registry::public_id("intver", id).unwrap().to_string();
        for path in [
            path(&made["id"]), format!("{ALL}/{uuid}"), format!("{ALL}/acme%2Fteams/1.2.0"), format!("{ALL}/acme%2Fteams/latest"),
            format!("{ALL}/acme%2Fteams/%5E1.0.0"), format!("{ALL}/acme%2Fteams/*"), format!("{ALL}/acme%2Fteams/%3C2.0.0"),
        ] {
            let answer = owner.get(&path).await;
            assert_eq!(answer.ok(200), json!({"integration": shown}), "{path}");
            for hidden in ["hunter2", "hunter3", "hunter4"] {
                assert!(!answer.text.contains(hidden), "{path}");
            }
        }
        let get = owner.request(Method::GET, &path(&made["id"])).json(&json!({}));
        owner.send(get).await.ok(200);
        let again = owner.post(ALL, &body).await;
        refused_for(&again, 409, "AlreadyExists", "/version", "taken");
        refused_for(&owner.post(VALIDATE, &body).await, 409, "AlreadyExists", "/version", "taken");

        let delete = owner.request(Method::DELETE, &path(&made["id"])).json(&json!({}));
        assert_eq!(owner.send(delete).await.ok(200), json!({}));
        for answer in [owner.get(&path(&made["id"])).await, owner.delete(&path(&made["id"])).await] {
            refused(&answer, 404, "ResourceNotFound");
            assert_eq!(answer.json()["message"], format!("Integration \"{id}\" doesn't exist"));
        }
    }

    async fn the_smallest_version_has_everything(app) {
        let made = create(&app.owner, &plain("x", "0.0.1")).await;
        assert_eq!((&made["title"], &made["description"], &made["url"]), (&json!("x"), &json!(""), &json!("")));
        for name in ["channels", "states", "events", "actions", "entities", "interfaces", "configurations", "identifier"] {
            assert_eq!(made[name], json!({}), "{name}");
        }
        assert_eq!(made["configuration"], json!({"schema": {}, "identifier": {"required": false}}));
        assert_eq!(made["user"], json!({"tags": {}, "creation": {"enabled": false, "requiredTags": []}}));
        assert_eq!((&made["iconUrl"], &made["readmeUrl"], &made["secrets"]), (&json!(""), &json!(""), &json!([])));
    }

    async fn versions_are_asked_for_as_npm_does(app) {
        let owner = &app.owner;
        for version in ["0.1.0", "0.2.0", "0.2.9", "1.0.0", "1.1.0", "2.0.0-beta.1"] {
            create(owner, &plain("teams", version)).await;
        }
        create(owner, &json!({"name": "teams", "version": "9.9.9", "dev": true, "url": "http://localhost:8075"})).await;
        for (query, expected) in [
            ("latest", "1.1.0"), ("*", "1.1.0"), ("1.0.x", "1.0.0"), ("%5E0.2.0", "0.2.9"), ("~1.0.0", "1.0.0"),
            ("%3E%3D0.2.0%20%3C0.3.0-0", "0.2.9"), ("%3C0.2.0", "0.1.0"), ("0.1.0%20-%200.2.0", "0.2.0"),
            ("%3C0.2.0%20%7C%7C%201.0.0", "1.0.0"), ("2.0.0-beta.1", "2.0.0-beta.1"),
        ] {
            let found = owner.get(&format!("{ALL}/teams/{query}")).await.ok(200);
            assert_eq!(found["integration"]["version"], expected, "{query}");
        }
        for query in ["3.0.0", "%3C0.1.0", "9.9.9", "%5E2.0.0"] {
            refused(&owner.get(&format!("{ALL}/teams/{query}")).await, 404, "ResourceNotFound");
        }
        refused(&owner.get(&format!("{ALL}/nothing/latest")).await, 404, "ResourceNotFound");
        refused(&owner.get(&format!("{ALL}/teams/newest")).await, 400, "InvalidQuery");
        // By its id, the one under development is found.
        let dev = owner.get(&format!("{ALL}?dev=true")).await.ok(200);
        assert_eq!(dev["integrations"][0]["version"], "9.9.9");
        // The same version may be under development twice.
        create(owner, &json!({"name": "teams", "version": "9.9.9", "dev": true})).await;
    }

    async fn secrets_go_on_within_a_major(app) {
        let owner = &app.owner;
        let with = |version: &str, secrets: Value| {
            let mut body = plain("teams", version);
            body["secrets"] = secrets;
            body
        };
        let names = async |version: &str, secrets: Value| create(owner, &with(version, secrets)).await["secrets"].clone();
        assert_eq!(names("1.0.0", json!({"A": "a", "B": "b"})).await, json!(["A", "B"]));
        assert_eq!(names("1.1.0", json!({"C": "c"})).await, json!(["A", "B", "C"]));
        assert_eq!(names("1.2.0", json!({"B": null, "A": "new"})).await, json!(["A", "C"]));
        assert_eq!(names("2.0.0", json!({})).await, json!([]));
        assert_eq!(names("1.1.1", json!({})).await, json!(["A", "B", "C"]), "of 1.1.0, not of 1.2.0");
        assert_eq!(names("0.1.0", json!({})).await, json!([]));
        let id = owner.get(&format!("{ALL}/teams/1.2.0")).await.ok(200)["integration"]["id"].clone();
        let changed = put(owner, &id, &json!({"secrets": {"A": null, "D": "d"}})).await.ok(200);
        assert_eq!(changed["integration"]["secrets"], json!(["C", "D"]));
        // Sealed: none of them is in the database in clear.
        let many: serde_json::Map<_, _> = (0..25).map(|n| (format!("S{n}"), json!("s"))).collect();
        refused_for(&owner.post(ALL, &with("1.3.0", Value::Object(many))).await, 413, "LimitExceeded", "/secrets", "limit");
    }

    async fn a_name_is_whose_it_was_first(app) {
        let (owner, globex) = (&app.owner, app.other("globex").await);
        let made = create(owner, &plain("teams", "1.0.0")).await;
        for path in [ALL, VALIDATE] {
            let answer = globex.post(path, &plain("teams", "2.0.0")).await;
            refused_for(&answer, 403, "Forbidden", "/name", "reserved");
            let reported = answer.text.replace("another workspace", "");
            assert!(!reported.contains("acme") && !reported.contains("1.0.0"), "{reported}");
            assert!(answer.text.contains("globex/teams"), "{reported}");
            refused_for(&globex.post(path, &plain("acme/other", "1.0.0")).await, 403, "Forbidden", "/name", "handle");
        }
        create(&globex, &plain("globex/teams", "1.0.0")).await;
        for answer in [
            globex.get(&path(&made["id"])).await,
            globex.get(&format!("{ALL}/teams/latest")).await,
            put(&globex, &made["id"], &json!({})).await,
            globex.delete(&path(&made["id"])).await,
        ] {
            refused(&answer, 404, "ResourceNotFound");
        }
        // The deletion of the last version frees a name that was never published.
        owner.delete(&path(&made["id"])).await.ok(200);
        create(&globex, &plain("teams", "1.0.0")).await;
        let mut known = plain("known", "1.0.0");
        known["visibility"] = json!("public");
        let known = create(owner, &known).await;
        owner.delete(&path(&known["id"])).await.ok(200);
        refused_for(&globex.post(ALL, &plain("known", "1.0.0")).await, 403, "Forbidden", "/name", "reserved");
        create(owner, &plain("known", "1.0.1")).await;
    }

    async fn keys_and_signing_secrets_are_shown_once(app) {
        let owner = &app.owner;
        let made = create(owner, &plain("teams", "1.0.0")).await;
        let id = made["id"].as_str().unwrap();
        let iaks = format!("{ALL}/iaks");
        let key = owner.post(&iaks, &json!({"integrationId": id, "note": "build"})).await.ok(200);
        assert!(key["value"].as_str().unwrap().starts_with("bp_iak_") && key["id"].as_str().unwrap().starts_with("iak_"));
        let listed = owner.get(&format!("{iaks}?integrationId={id}")).await.ok(200);
        assert_eq!(listed, json!({"iaks": [{"id": key["id"], "createdAt": key["createdAt"], "note": "build"}]}));
        let one = format!("{iaks}/{}", key["id"].as_str().unwrap());
        owner.send(owner.request(Method::DELETE, &one).json(&json!({}))).await.ok(200);
        refused(&owner.delete(&one).await, 404, "ResourceNotFound");
        refused(&owner.get(&iaks).await, 400, "InvalidQuery");

        let rotate = format!("{}/signing-secrets/rotate", path(&made["id"]));
        let fresh = owner.post(&rotate, &json!({})).await.ok(200)["newSigningSecret"].clone();
        assert!(fresh != made["signingSecret"] && fresh.as_str().unwrap().len() > 30);
        assert_eq!(owner.get(&path(&made["id"])).await.ok(200)["integration"]["signingSecret"], "");

        for _ in 0..2 {
            let asked = owner.post(&format!("{ALL}/request-verification"), &json!({"integrationId": id})).await;
            assert_eq!(asked.ok(200), json!({}));
            assert_eq!(owner.get(&path(&made["id"])).await.ok(200)["integration"]["verificationStatus"], "pending");
        }
        let logs = format!("{}/logs", path(&made["id"]));
        let since = "timeStart=2026-11-20T20%3A02%3A04.567Z";
        assert_eq!(owner.get(&format!("{logs}?{since}")).await.ok(200), json!({"logs": []}));
        refused(&owner.get(&logs).await, 400, "InvalidQuery");
        refused(&owner.get(&format!("{logs}?{since}&timeEnd=2026-11-19T00:00:00Z")).await, 400, "InvalidQuery");
    }
}
