//! Tests of installed registry versions: found, configured, called and removed like any other app.

use std::time::Duration;

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

use crate::{
    channel_integrations::{channel, put, say},
    support::{Client, Integration, Reply},
};

const ALL: &str = "/v1/admin/integrations";
const INSTALLED: &str = "/v1/apps";

fn version(name: &str, version: &str, url: &str) -> Value {
    json!({
        "name": name, "version": version, "title": "Teams", "description": "Talks to teams", "url": url,
        "configuration": {"schema": {
            "type": "object", "required": ["room"], "additionalProperties": false, "properties": {
                "room": {"type": "string", "pattern": "^#", "description": "Where"},
                "level": {"type": "string", "enum": ["high", "low"], "default": "low"},
                "many": {"type": "integer", "minimum": 1, "maximum": 9},
                "apiKey": {"type": "string", "minLength": 5},
            },
        }},
    })
}

async fn create(owner: &Client, body: &Value) -> String {
    owner.post(ALL, body).await.ok(200)["integration"]["id"].as_str().unwrap().to_owned()
}

async fn install(caller: &Client, version: Value) -> Value {
    caller.post(INSTALLED, &json!({"registryVersion": version})).await.ok(201)
}

/// Returns the reference to a version by the id that the Botpress dialect shows.
fn by_id(shown: &str) -> Value {
    json!({"id": public_id(PublicId::VERSION, shown).unwrap()})
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

both! {
    async fn a_version_is_installed_set_called_and_removed(app) {
        let far = Integration::start("output", json!([])).await;
        let target = format!("{}/target", far.base());
        let registry_id = create(&app.owner, &version("acme/teams", "1.0.0", &target)).await;
        let made = install(&app.owner, by_id(&registry_id)).await;
        assert_eq!((&made["name"], &made["title"], &made["origin"]), (&json!("acme/teams"), &json!("Teams"), &json!("registry")));
        let from = json!({"id": by_id(&registry_id)["id"], "name": "acme/teams", "version": "1.0.0"});
        assert_eq!((&made["registryVersion"], &made["targetUrl"], &made["active"]), (&from, &json!(target), &json!(true)));
        let setting = |label: &str| made["declaredSettings"].as_array().unwrap().iter().find(|one| one["label"] == label).unwrap().clone();
        assert_eq!((&setting("room")["kind"], &setting("room")["required"]), (&json!("text"), &json!(true)));
        assert_eq!((&setting("level")["kind"], &setting("level")["default"]), (&json!("dropdown"), &json!("low")));
        assert_eq!((&setting("many")["kind"], &setting("apiKey")["secret"]), (&json!("number"), &json!(true)));
        let listed = app.owner.get(INSTALLED).await.ok(200);
        assert_eq!(listed, json!({"data": [made]}));

        let settings = format!("/organisations/acme/integrations/{}/settings", id(&made));
        for (label, value, rule) in [
            ("room", json!("support"), "pattern"), ("level", json!("loud"), "enum"), ("many", json!("3"), "type"),
            ("many", json!(10), "maximum"), ("apiKey", json!("abc"), "minLength"), ("other", json!("x"), "additionalProperties"),
        ] {
            let answer = app.owner.post(&settings, &json!({"form_field_label": label, "form_field_value": value})).await;
            assert!(answer.status.is_client_error() && answer.text.contains(rule), "{label}: {}", answer.text);
            assert!(label != "apiKey" || !answer.text.contains("abc"), "{}", answer.text);
        }
        for (label, value) in [("level", json!("high")), ("many", json!(3)), ("room", json!("#support")), ("apiKey", json!("hunter2"))] {
            app.owner.post(&settings, &json!({"form_field_label": label, "form_field_value": value})).await.ok(200);
        }

        let channel = channel(&app).await;
        put(&app, &format!("/v1/channels/{channel}/apps/{}", id(&made)), json!({})).await;
        let secret = app.owner.get(&format!("{INSTALLED}/{}/signing-secret", id(&made))).await.ok(200);
        let secret = Secret::new(secret["secret"].as_str().unwrap());
        say(&app, &channel, "hello").await;
        let call = far.calls().pop().unwrap();
        assert_eq!((call.path.as_str(), &call.body["message"]), ("/target", &json!("hello")));
        let value = |label: &str| {
            let settings = call.body["settings"].as_array().unwrap();
            settings.iter().find(|one| one["label"] == label).unwrap()["default"].clone()
        };
        assert_eq!((value("room"), value("many"), value("apiKey")), (json!("#support"), json!(3), json!("hunter2")));
        let expected = Signer::new(&[secret]).unwrap().headers(call.header("webhook-id"), app.now(), &call.raw).unwrap();
        for (name, value) in expected {
            assert_eq!(call.header(name.as_str()), value.to_str().unwrap(), "{name}");
        }

        far.reply(Reply::Text(410, String::new()));
        say(&app, &channel, "gone").await;
        let calls = far.calls().len();
        far.reply(Reply::Text(202, String::new()));
        say(&app, &channel, "not asked").await;
        assert_eq!(far.calls().len(), calls, "a removed app is not called");
        let path = format!("{ALL}/{registry_id}");
        let change = json!({"url": format!("{}/elsewhere", far.base())});
        app.owner.send(app.owner.request(Method::PUT, &path).json(&change)).await.ok(200);
        say(&app, &channel, "again").await;
        assert_eq!(far.calls().pop().unwrap().path, "/elsewhere", "calls go where the version is by now");
        let refused = app.owner.send(app.owner.request(Method::PUT, &path).json(&json!({"url": null}))).await;
        assert_eq!(refused.status, 400, "{}", refused.text);

        let refused = app.owner.delete(&path).await;
        assert!(refused.status == 409 && refused.text.contains("ReferenceConstraint"), "{}", refused.text);
        assert_eq!(app.owner.delete(&format!("{INSTALLED}/{}", id(&made))).await.status, 204);
        app.owner.delete(&format!("{INSTALLED}/{}", id(&made))).await.problem(404, "not_found");
        assert_eq!(app.owner.get(INSTALLED).await.ok(200), json!({"data": []}));
        app.owner.delete(&path).await.ok(200);
    }

    async fn its_makers_see_what_became_of_its_calls(app) {
        let far = Integration::start("output", json!([])).await;
        let mut public = version("globex/teams", "1.0.0", &format!("{}/target", far.base()));
        public["visibility"] = "public".into();
        let globex = app.other("globex").await;
        let registry_id = create(&globex, &public).await;
        let logs = async |query: &str| {
            let path = format!("{ALL}/{registry_id}/logs?timeStart=2020-01-01T00:00:00Z{query}");
            globex.get(&path).await.ok(200)
        };
        assert_eq!(logs("").await, json!({"logs": []}));

        let made = install(&app.owner, by_id(&registry_id)).await;
        let room = json!({"form_field_label": "room", "form_field_value": "#support"});
        app.owner.post(&format!("/organisations/acme/integrations/{}/settings", id(&made)), &room).await.ok(200);
        let channel = channel(&app).await;
        put(&app, &format!("/v1/channels/{channel}/apps/{}", id(&made)), json!({})).await;
        say(&app, &channel, "a secret of ours").await;
        far.reply(Reply::Text(500, "a secret of theirs".into()));
        say(&app, &channel, "again").await;
        far.reply(Reply::Text(404, String::new()));
        app.advance(Duration::from_secs(60));
        app.drain().await;

        let reported = logs("").await;
        let lines: Vec<_> = reported["logs"].as_array().unwrap().iter().map(|line| {
            (line["level"].as_str().unwrap(), line["message"].as_str().unwrap())
        }).collect();
        assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), ["info", "warn", "error"], "{reported}");
        for (line, status) in lines.iter().zip(["202", "500", "404"]) {
            assert!(line.1.contains(&format!("{}/target answered with the status {status}", far.base())), "{reported}");
        }
        assert!(!reported.to_string().contains("secret of ours") && !reported.to_string().contains("acme"), "{reported}");
        for (query, left) in [
            ("&level=warn", vec!["warn"]), ("&messageContains=STATUS%20404", vec!["error"]), ("&userId=u", vec![]),
            ("&timeEnd=2020-01-02T00:00:00Z", vec![]),
        ] {
            let reported = logs(query).await;
            let levels: Vec<_> = reported["logs"].as_array().unwrap().iter().map(|line| line["level"].as_str().unwrap()).collect();
            assert_eq!(levels, left, "{query}");
        }
        for _ in 0..100 {
            say(&app, &channel, "more").await;
        }
        let page = logs("").await;
        assert_eq!(page["logs"].as_array().unwrap().len(), 100);
        let rest = logs(&format!("&nextToken={}", page["nextToken"].as_str().unwrap())).await;
        assert_eq!((rest["logs"].as_array().unwrap().len(), rest.get("nextToken")), (3, None));
        for wrong in ["nextToken=x", "timeEnd=2019-01-01T00:00:00Z"] {
            let path = format!("{ALL}/{registry_id}/logs?timeStart=2020-01-01T00:00:00Z&{wrong}");
            assert_eq!(globex.get(&path).await.status, 400, "{wrong}");
        }
        let path = format!("{ALL}/{registry_id}/logs?timeStart=2020-01-01T00:00:00Z");
        assert_eq!(app.owner.get(&path).await.status, 404, "those who installed it have their own deliveries");
    }

    async fn others_install_what_is_published(app) {
        let globex = app.other("globex").await;
        let url = "https://teams.example/hook";
        let private = create(&app.owner, &version("acme/hidden", "1.0.0", url)).await;
        for version in [by_id(&private), json!({"name": "acme/hidden"})] {
            globex.post(INSTALLED, &json!({"registryVersion": version})).await.problem(404, "not_found");
        }
        let mut public = version("acme/teams", "1.0.0", url);
        public["visibility"] = "public".into();
        create(&app.owner, &public).await;
        public["version"] = "1.2.0".into();
        let newest = create(&app.owner, &public).await;
        let first = install(&globex, json!({"name": "acme/teams", "version": "1.0.0"})).await;
        assert_eq!(first["registryVersion"]["version"], "1.0.0");
        for version in [json!({}), json!({"version": "^1"}), json!({"version": "latest"})] {
            let mut body = json!({"name": "acme/teams"});
            body.as_object_mut().unwrap().extend(version.as_object().unwrap().clone());
            assert_eq!(install(&globex, body).await["registryVersion"]["id"], by_id(&newest)["id"]);
        }
        let installs = async || {
            let hub = app.owner.get("/v1/admin/hub/integrations?name=acme/teams").await.ok(200);
            hub["integrations"].as_array().unwrap()[0]["meta"]["installs"].clone()
        };
        assert_eq!(installs().await, 4);
        let page = globex.get(&format!("{INSTALLED}?limit=3")).await.ok(200);
        assert_eq!(page["data"].as_array().unwrap().len(), 3);
        let next = page["nextCursor"].as_str().unwrap();
        let rest = globex.get(&format!("{INSTALLED}?limit=3&cursor={next}")).await.ok(200);
        assert_eq!(rest, json!({"data": [first]}));
        assert_eq!(app.owner.get(INSTALLED).await.ok(200), json!({"data": []}), "others' installations are theirs");
        app.owner.delete(&format!("{INSTALLED}/{}", id(&first))).await.problem(404, "not_found");

        for version in [json!({}), json!({"version": "1"}), json!({"id": by_id(&newest)["id"], "name": "acme/teams"})] {
            app.owner.post(INSTALLED, &json!({"registryVersion": version})).await.problem(400, "invalid");
        }
        app.owner.post(INSTALLED, &json!({})).await.problem(400, "invalid");
        let bare = create(&app.owner, &json!({"name": "acme/bare", "version": "1.0.0"})).await;
        let answer = app.owner.post(INSTALLED, &json!({"registryVersion": by_id(&bare)})).await;
        assert!(answer.status == 400 && answer.text.contains("without an address"), "{}", answer.text);
        let mut cyclic = version("acme/cyclic", "1.0.0", url);
        cyclic["configuration"]["schema"] = json!({"properties": {"a": {"$ref": "#"}}});
        let cyclic = create(&app.owner, &cyclic).await;
        app.owner.post(INSTALLED, &json!({"registryVersion": by_id(&cyclic)})).await.problem(400, "invalid");
        let member = app.caller("acme", "mia", Role::Member).await;
        member.post(INSTALLED, &json!({"registryVersion": by_id(&bare)})).await.problem(403, "forbidden");
        member.get(INSTALLED).await.ok(200);
        app.delete_organisation("globex").await;
        assert_eq!(installs().await, 0, "a removed organisation has nothing installed");
    }
}
