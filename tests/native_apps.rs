//! Tests of apps in the native dialect: installation, changes, and settings as a whole.

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::{
    channel_integrations::named_channel,
    support::{Answer, Client, Integration},
};

const ALL: &str = "/v1/apps";

async fn put(caller: &Client, path: &str, body: &Value) -> Answer {
    caller.send(caller.request(Method::PUT, path).json(body)).await
}

async fn far() -> Integration {
    Integration::start(
        "output",
        json!([
            {"label": "level", "type": "dropdown", "required": true, "default": "low", "options": ["low", "high"]},
            {"label": "API key", "type": "text", "required": false, "secret": true, "default": ""},
        ]),
    )
    .await
}

both! {
    async fn an_app_is_installed_by_a_valid_descriptor_alone(app) {
        let far = far().await;
        let made = app.owner.post(ALL, &json!({"descriptorUrl": far.json_url(), "credential": "hunter2"})).await;
        assert!(!made.text.contains("hunter2"), "{}", made.text);
        let made = made.ok(201);
        assert_eq!((&made["name"], &made["targetUrl"]), (&json!("A output"), &json!(format!("{}/target", far.base()))));
        let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
        far.describe("{}");
        for (body, pointer) in [
            (json!({"descriptorUrl": far.json_url()}), "/descriptorUrl"),
            (json!({"descriptorUrl": "nowhere"}), "/descriptorUrl"),
            (json!({"descriptorUrl": far.json_url(), "registryVersion": {"name": "a"}}), "/descriptorUrl"),
            (json!({"registryVersion": {"name": "a", "version": "no version"}}), "/registryVersion"),
            (json!({"registryVersion": {}}), "/registryVersion"),
            (json!({"descriptorUrl": far.json_url(), "name": ""}), "/name"),
        ] {
            let refused = app.owner.post(ALL, &body).await.problem(400, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        }
        let change = json!({"descriptorUrl": far.json_url()});
        let refused = app.owner.patch(&path, &change).await.problem(400, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/descriptorUrl");
        assert_eq!(app.owner.get(&path).await.ok(200), made, "it keeps the descriptor that it has");
        far.describe(&far.descriptor("modifier", json!([])).to_string());
        let changed = app.owner.patch(&path, &change).await.ok(200);
        assert_eq!((&changed["kind"], &changed["name"]), (&json!("modifier"), &made["name"]));
        assert_eq!(changed["declaredSettings"], json!([]));
        app.owner.patch(&path, &json!({"displayName": "x"})).await.problem(400, "invalid");

        let second = app.owner.post(ALL, &json!({"descriptorUrl": far.json_url()})).await.ok(201);
        let page = app.owner.get(&format!("{ALL}?limit=1")).await.ok(200);
        assert_eq!(page["data"], json!([second]));
        let rest = app.owner.get(&format!("{ALL}?limit=1&cursor={}", page["nextCursor"].as_str().unwrap())).await.ok(200);
        assert_eq!(rest, json!({"data": [changed]}));
    }

    async fn settings_are_replaced_as_a_whole_or_not_at_all(app) {
        let far = far().await;
        let made = app.owner.post(ALL, &json!({"descriptorUrl": far.json_url()})).await.ok(201);
        let id = made["id"].as_str().unwrap();
        let channel = named_channel(&app, "support").await;
        let (of_all, here) = (format!("{ALL}/{id}/settings"), format!("/v1/channels/{channel}/apps/{id}"));
        assert_eq!(app.owner.get(&of_all).await.ok(200), json!({"settings": {}}));
        let set = json!({"settings": {"level": "high", "API key": "hunter2", "more": 5}});
        assert_eq!(put(&app.owner, &of_all, &set).await.ok(200), set);
        let wrong = json!({"settings": {"level": "loud", "a/b": ["x"], "API key": "hunter3"}});
        let refused = put(&app.owner, &of_all, &wrong).await.problem(400, "invalid");
        let pointers: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
        assert_eq!(pointers, ["/settings/a~1b", "/settings/level"], "{refused}");
        for body in [json!({}), json!({"settings": {"level": null}}), json!({"settings": {"level": {}}}), json!({"values": {}})] {
            put(&app.owner, &of_all, &body).await.problem(400, "invalid");
        }
        assert_eq!(app.owner.get(&of_all).await.ok(200), set, "nothing of an invalid request is applied");

        let admin = app.caller("acme", "ada", Role::Admin).await;
        let masked = json!({"settings": {"level": "high", "API key": "••••", "more": 5}});
        assert_eq!(admin.get(&of_all).await.ok(200), masked);
        let change = json!({"settings": {"level": "low", "API key": "••••"}});
        assert_eq!(put(&admin, &of_all, &change).await.ok(200), change);
        let kept = json!({"settings": {"level": "low", "API key": "hunter2"}});
        assert_eq!(app.owner.get(&of_all).await.ok(200), kept, "a masked secret stays, and an absent setting goes");

        app.owner.get(&here).await.problem(404, "not_found");
        let wrong = json!({"active": true, "settings": {"level": "loud"}});
        put(&app.owner, &here, &wrong).await.problem(400, "invalid");
        app.owner.get(&here).await.problem(404, "not_found");
        let used = put(&app.owner, &here, &json!({"settings": {"API key": "of the channel"}})).await.ok(200);
        assert_eq!((&used["settings"]["API key"], &used["active"]), (&json!("of the channel"), &json!(true)));
        assert_eq!(admin.get(&here).await.ok(200)["settings"], json!({"API key": "••••"}));
        assert_eq!(put(&admin, &here, &json!({"position": 7})).await.ok(200)["settings"], json!({"API key": "••••"}));
        assert_eq!(app.owner.get(&here).await.ok(200)["settings"], used["settings"], "absent settings stay");
        assert_eq!(app.owner.get(&of_all).await.ok(200), kept);
    }

    async fn settings_of_a_version_are_checked_by_its_configuration(app) {
        let version = json!({
            "name": "acme/teams", "version": "1.0.0", "url": "https://teams.example/hook",
            "configuration": {"schema": {"type": "object", "additionalProperties": false, "properties": {
                "room": {"type": "string", "pattern": "^#"}, "many": {"type": "integer", "maximum": 9},
            }}},
        });
        app.owner.post("/v1/admin/integrations", &version).await.ok(200);
        let body = json!({"registryVersion": {"name": "acme/teams"}, "name": "Teams"});
        let made = app.owner.post(ALL, &body).await.ok(201);
        assert_eq!((&made["name"], &made["registryVersion"]["name"]), (&json!("Teams"), &json!("acme/teams")));
        let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
        let settings = format!("{path}/settings");
        let set = json!({"settings": {"room": "#support", "many": 3}});
        assert_eq!(put(&app.owner, &settings, &set).await.ok(200), set);
        let wrong = json!({"settings": {"room": "support", "many": 10, "other": "x"}});
        let refused = put(&app.owner, &settings, &wrong).await.problem(400, "invalid");
        let pointers: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
        assert_eq!(pointers, ["/settings/many", "/settings/other", "/settings/room"]);
        assert_eq!(app.owner.get(&settings).await.ok(200), set);
        let url = json!({"descriptorUrl": "https://elsewhere.example/app.json"});
        app.owner.patch(&path, &url).await.problem(400, "invalid");
    }
}
