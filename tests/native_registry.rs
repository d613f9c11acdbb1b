//! Tests of the registry natively: versions created, validated, changed, and seen through the Botpress dialect.

use serde_json::{Value, json};
use tieline::domain::registry::{PublicId, public_id};

use crate::support::{Client, Integration, Reply};

const VERSIONS: &str = "/v1/registry/versions";

fn version(name: &str, number: &str, url: &str) -> Value {
    json!({
        "name": name, "version": number, "title": "Teams", "url": url, "secrets": {"API_KEY": "s3cret"},
        "actions": {"send": {"title": "Send", "input": {"schema": {}}, "output": {"schema": {}}}},
    })
}

async fn create(owner: &Client, body: &Value) -> Value {
    owner.post(VERSIONS, body).await.ok(201)
}

fn path(of: &Value) -> String {
    format!("{VERSIONS}/{}", of["id"].as_str().unwrap())
}

both! {
    async fn a_version_is_created_changed_and_seen_in_the_other_dialect(app) {
        let draft = version("acme/teams", "1.0.0", "https://teams.example/hook");
        let report = app.owner.post(&format!("{VERSIONS}/validate"), &draft).await.ok(200);
        assert_eq!(report, json!({"valid": true, "findings": []}));
        let made = create(&app.owner, &draft).await;
        assert!(made["signingSecret"].as_str().is_some_and(|secret| !secret.is_empty()), "{made}");
        assert_eq!((&made["secretNames"], &made["visibility"]), (&json!(["API_KEY"]), &json!("private")));
        assert!(!made.to_string().contains("s3cret"), "{made}");
        let theirs = app.owner.get("/v1/admin/integrations/acme%2Fteams/latest").await.ok(200)["integration"].clone();
        let id = public_id(PublicId::VERSION, theirs["id"].as_str().unwrap()).unwrap();
        assert_eq!(made["id"], id.to_string());

        let changed = app.owner.patch(&path(&made), &json!({"title": "Microsoft Teams"})).await.ok(200);
        assert_eq!((&changed["title"], changed.get("signingSecret")), (&json!("Microsoft Teams"), None));
        let theirs = app.owner.get("/v1/admin/integrations/acme%2Fteams/latest").await.ok(200);
        assert_eq!(theirs["integration"]["title"], "Microsoft Teams");
        app.owner.post(&format!("{}/verification", path(&made)), &json!({})).await.ok(204);
        assert_eq!(app.owner.get(&path(&made)).await.ok(200)["verificationStatus"], "pending");
        app.owner.post(VERSIONS, &draft).await.problem(400, "invalid");
        app.owner.delete(&path(&made)).await.ok(204);
        app.owner.patch(&path(&made), &json!({"title": "x"})).await.problem(404, "not_found");
    }

    async fn every_fault_of_a_version_is_told_and_nothing_changes(app) {
        let broken = json!({"name": "acme/teams", "version": "one", "title": "", "actions": {"a": 1}});
        let report = app.owner.post(&format!("{VERSIONS}/validate"), &broken).await.ok(200);
        assert_eq!(report["valid"], false);
        let findings = report["findings"].as_array().unwrap();
        let mut places: Vec<_> = findings.iter().map(|one| one["path"].as_str().unwrap()).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places, ["/actions/a", "/title", "/version"], "{report}");
        let problem = app.owner.post(VERSIONS, &broken).await.problem(400, "invalid");
        let errors = problem["errors"].as_array().unwrap();
        let pairs = |list: &[Value], place: &str, text: &str| -> Vec<Value> {
            list.iter().map(|one| json!([one[place], one[text]])).collect()
        };
        assert_eq!(pairs(errors, "pointer", "detail"), pairs(findings, "path", "message"));
        assert!(errors.contains(&json!({"pointer": "/title", "detail": "must NOT have fewer than 1 characters"})));
        assert_eq!(app.owner.get(VERSIONS).await.ok(200)["data"], json!([]));

        let mut public = version("acme/teams", "1.0.0", "https://teams.example/hook");
        public["visibility"] = "public".into();
        let made = create(&app.owner, &public).await;
        let removed = json!({"actions": {"send": null}});
        let report = app.owner.post(&format!("{}/validate", path(&made)), &removed).await.ok(200);
        assert_eq!(report["valid"], false, "a published version is immutable: {report}");
        let mut breaking = version("acme/teams", "1.1.0", "https://teams.example/hook");
        breaking["actions"] = json!({});
        let report = app.owner.post(&format!("{VERSIONS}/validate"), &breaking).await.ok(200);
        assert_eq!(report["valid"], false, "{report}");
        let allowed = format!("{VERSIONS}/validate?allowBreakingChanges=true");
        assert_eq!(app.owner.post(&allowed, &breaking).await.ok(200)["valid"], true);
        app.owner.post(VERSIONS, &json!([])).await.problem(400, "invalid");
    }

    async fn keys_and_the_signing_secret_are_shown_once(app) {
        let made = create(&app.owner, &version("acme/teams", "1.0.0", "https://teams.example/hook")).await;
        let keys = format!("{}/api-keys", path(&made));
        let key = app.owner.post(&keys, &json!({"note": "build server"})).await.ok(201);
        assert!(key["secret"].as_str().unwrap().starts_with("bp_iak_"), "{key}");
        let listed = app.owner.get(&keys).await.ok(200);
        assert_eq!(listed["data"][0]["id"], key["id"]);
        assert_eq!((&listed["data"][0]["note"], listed["data"][0].get("secret")), (&json!("build server"), None));
        let theirs = public_id(PublicId::VERSION, made["id"].as_str().unwrap());
        assert!(theirs.is_some(), "a UUID is an id of the Botpress dialect, too");
        let key = format!("/v1/registry/api-keys/{}", key["id"].as_str().unwrap());
        let stranger = app.other("globex").await;
        stranger.delete(&key).await.problem(404, "not_found");
        app.owner.delete(&key).await.ok(204);
        app.owner.delete(&key).await.problem(404, "not_found");
        let rotate = format!("{}/signing-secret/rotate", path(&made));
        let secret = app.owner.post(&rotate, &json!({})).await.ok(200)["secret"].clone();
        assert_ne!(secret, made["signingSecret"]);
        for (method, place) in [("GET", "api-keys"), ("GET", "logs"), ("POST", "signing-secret/rotate")] {
            let request = stranger.request(method.parse().unwrap(), &format!("{}/{place}", path(&made)));
            stranger.send(request).await.problem(404, "not_found");
        }
    }

    async fn the_log_of_a_version_has_its_calls(app) {
        let far = Integration::start("output", json!([])).await;
        far.reply(Reply::Text(500, "down".into()));
        let made = create(&app.owner, &version("acme/teams", "1.0.0", &format!("{}/target", far.base()))).await;
        let installed = app.owner.post("/v1/apps", &json!({"registryVersion": {"id": made["id"]}})).await.ok(201);
        let channel = app.owner.post("/v1/channels", &json!({"name": "general"})).await.ok(201);
        let activated = format!(
            "/v1/channels/{}/apps/{}",
            channel["id"].as_str().unwrap(),
            installed["id"].as_str().unwrap()
        );
        app.owner.send(app.owner.request(reqwest::Method::PUT, &activated).json(&json!({}))).await.ok(200);
        let said = json!({"type": "message.posted", "channelId": channel["id"], "data": {"message": "hello"}});
        app.owner.post("/v1/events", &said).await.ok(202);
        app.drain().await;
        let logs = format!("{}/logs", path(&made));
        let lines = app.owner.get(&logs).await.ok(200);
        assert_eq!(lines["data"][0]["level"], "warn", "{lines}");
        assert!(lines["data"][0]["message"].as_str().unwrap().contains("500"), "{lines}");
        assert_eq!(app.owner.get(&format!("{logs}?level=error")).await.ok(200)["data"], json!([]));
        let turned = format!("{logs}?since=2026-11-19T00:00:00Z&until=2026-11-18T00:00:00Z");
        let problem = app.owner.get(&turned).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "until", "{problem}");
        assert!(!problem.to_string().contains("timeStart"), "{problem}");
    }
}
