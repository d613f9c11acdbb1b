//! Tests of interfaces: their lifecycle, and the integrations that implement them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ALL, VALIDATE, base64, create, plain, put, refused, refused_for};
use crate::support::{Answer, Client};

const INTERFACES: &str = "/v1/admin/interfaces";
const HUB: &str = "/v1/admin/hub/interfaces";

/// An interface in the form in which the product's SDK writes it: a schema names an entity.
fn creatable(version: &str) -> Value {
    let item = json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"item": {"$ref": "item"}},
        "required": ["item"], "additionalProperties": false,
    });
    json!({
        "name": "acme/creatable", "version": version, "title": "Creatable",
        "entities": {"item": {"schema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}}},
        "actions": {"create": {"input": {"schema": item}, "output": {"schema": item}}},
        "events": {"created": {"schema": item}},
        "icon": base64(super::SVG), "readme": base64("# Creatable"),
    })
}

fn linear(version: &str, interface: &Value) -> Value {
    let issue = json!({"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}, "required": ["id"]});
    let with_issue = json!({"type": "object", "properties": {"item": issue}, "required": ["item"]});
    json!({
        "name": "acme/linear", "version": version, "entities": {"issue": {"schema": issue}},
        "actions": {"createIssue": {"input": {"schema": with_issue}, "output": {"schema": with_issue}}},
        "events": {"created": {"schema": with_issue, "ui": {"item": {"title": "Issue"}}}},
        "interfaces": {"creatable<issue>": {
            "id": interface["id"], "entities": {"item": {"name": "issue"}},
            "actions": {"create": {"name": "createIssue"}}, "events": {"created": {"name": "created"}},
        }},
    })
}

async fn make(caller: &Client, body: &Value) -> Value {
    caller.post(INTERFACES, body).await.ok(200)["interface"].clone()
}

fn path(id: &Value) -> String {
    format!("{INTERFACES}/{}", id.as_str().unwrap())
}

async fn change(caller: &Client, id: &Value, body: &Value) -> Answer {
    caller.send(caller.request(Method::PUT, &path(id)).json(body)).await
}

both! {
    async fn an_interface_comes_and_is_shown_and_goes(app) {
        let owner = &app.owner;
        let made = make(owner, &creatable("1.0.0")).await;
        let id = made["id"].as_str().unwrap();
        assert!(id.starts_with("ifver_") && id.len() == 32, "{id}");
        assert_eq!(made["actions"], creatable("1.0.0")["actions"]);
        assert_eq!((&made["channels"], &made["public"], made.get("nameTemplate")), (&json!({}), &json!(false), None));
        let readme = made["readmeUrl"].as_str().unwrap();
        assert_eq!(owner.get(&readme[readme.find("/v1").unwrap()..]).await.text, "# Creatable");
        for place in ["acme%2Fcreatable/1.0.0", "acme%2Fcreatable/latest", "acme%2Fcreatable/%5E1.0.0", id] {
            assert_eq!(owner.get(&format!("{INTERFACES}/{place}")).await.ok(200), json!({"interface": made}), "{place}");
            refused(&owner.get(&format!("{HUB}/{place}")).await, 404, "ResourceNotFound");
        }
        let listed = owner.get(INTERFACES).await.ok(200);
        assert_eq!((&listed["interfaces"][0]["id"], &listed["meta"]), (&made["id"], &json!({})));
        // The two kinds have names of their own, and neither is seen among the other.
        create(owner, &plain("acme/creatable", "1.0.0")).await;
        assert_eq!(owner.get("/v1/admin/integrations").await.ok(200)["integrations"].as_array().unwrap().len(), 1);
        refused(&owner.get(&format!("/v1/admin/integrations/{id}")).await, 404, "ResourceNotFound");
        refused(&owner.get(&format!("{INTERFACES}/nothing")).await, 404, "ResourceNotFound");
        refused_for(&owner.post(INTERFACES, &creatable("1.0.0")).await, 409, "AlreadyExists", "/version", "taken");

        let body = json!({"title": "Create", "nameTemplate": {"script": "{{item}}", "language": "handlebars"}});
        let changed = change(owner, &made["id"], &body).await.ok(200)["interface"].clone();
        assert_eq!((&changed["title"], &changed["nameTemplate"]["language"]), (&json!("Create"), &json!("handlebars")));
        assert_eq!(change(owner, &made["id"], &json!({"nameTemplate": null})).await.ok(200)["interface"].get("nameTemplate"), None);
        assert_eq!(owner.delete(&path(&made["id"])).await.ok(200), json!({}));
        refused(&owner.delete(&path(&made["id"])).await, 404, "ResourceNotFound");
        make(&app.other("globex").await, &json!({"name": "plain", "version": "1.0.0"})).await;
        refused_for(&owner.post(INTERFACES, &json!({"name": "plain", "version": "2.0.0"})).await, 403, "Forbidden", "/name", "reserved");
    }

    async fn a_public_interface_is_for_everybody_and_stays_as_it_is(app) {
        let (owner, globex) = (&app.owner, app.other("globex").await);
        let private = make(owner, &creatable("1.0.0")).await;
        for place in [path(&private["id"]), format!("{INTERFACES}/acme%2Fcreatable/latest")] {
            refused(&globex.get(&place).await, 404, "ResourceNotFound");
        }
        let mut body = linear("1.0.0", &private);
        body["name"] = json!("globex/linear");
        let place = "/interfaces/creatable<issue>/id";
        refused_for(&globex.post(ALL, &body).await, 400, "ReferenceNotFound", place, "interface");

        change(owner, &private["id"], &json!({"public": true})).await.ok(200);
        for place in [private["id"].as_str().unwrap(), "acme%2Fcreatable/latest"] {
            for base in [INTERFACES, HUB] {
                assert_eq!(globex.get(&format!("{base}/{place}")).await.ok(200)["interface"]["public"], true, "{base}");
            }
        }
        assert_eq!(globex.get(HUB).await.ok(200)["interfaces"][0]["name"], "acme/creatable");
        assert_eq!(globex.get(INTERFACES).await.ok(200)["interfaces"], json!([]));
        refused(&change(owner, &private["id"], &json!({"title": "Other"})).await, 403, "Forbidden");
        refused(&change(&globex, &private["id"], &json!({"title": "Other"})).await, 404, "ResourceNotFound");
        let mut breaking = creatable("1.1.0");
        breaking["actions"] = json!({});
        refused_for(&owner.post(INTERFACES, &breaking).await, 400, "BreakingChanges", "/actions/create", "breakingChange");

        let made = create(&globex, &body).await;
        assert_eq!(made["interfaces"]["creatable<issue>"]["name"], "acme/creatable");
        let answer = owner.delete(&path(&private["id"])).await;
        refused(&answer, 409, "ReferenceConstraint");
        assert!(!answer.text.contains("globex"), "{}", answer.text);
    }

    async fn an_integration_implements_an_interface(app) {
        let owner = &app.owner;
        let interface = make(owner, &creatable("1.0.0")).await;
        let body = linear("1.0.0", &interface);
        assert_eq!(owner.post(VALIDATE, &body).await.ok(200), json!({}));
        let made = create(owner, &body).await;
        let expected = json!({
            "id": interface["id"], "name": "acme/creatable", "version": "1.0.0", "entities": {"item": {"name": "issue"}},
            "actions": {"create": {"name": "createIssue"}}, "events": {"created": {"name": "created"}}, "channels": {},
        });
        assert_eq!(made["interfaces"]["creatable<issue>"], expected);
        assert_eq!(made["events"]["created"].get("ui"), None, "hints are not kept");
        let read = owner.get("/v1/admin/integrations/acme%2Flinear/latest").await.ok(200);
        assert_eq!(read["integration"]["interfaces"]["creatable<issue>"], expected);
        for (query, count) in [
            (format!("interfaceId={}", interface["id"].as_str().unwrap()), 1),
            ("interfaceId=ifver_01JVYWESY3BVAM5FR3XT9X813H".into(), 0),
            ("interfaceId=nothing".into(), 0),
            ("interfaceName=acme%2Fcreatable".into(), 1),
            ("interfaceName=acme%2Flinear".into(), 0),
            ("search=creatable".into(), 1),
        ] {
            let listed = owner.get(&format!("{}?{query}", ALL)).await.ok(200);
            assert_eq!(listed["integrations"].as_array().unwrap().len(), count, "{query}");
        }
        let found = owner.get(&format!("{}?search=creatable", ALL)).await.ok(200);
        assert_eq!(found["integrations"][0]["matchedOn"]["interfaces"], json!(["acme/creatable"]));

        refused(&owner.delete(&path(&interface["id"])).await, 409, "ReferenceConstraint");
        let wider = json!({"actions": {"remove": {"input": {"schema": {}}, "output": {"schema": {}}}}});
        refused_for(&change(owner, &interface["id"], &wider).await, 400, "BreakingChanges", "", "breakingChange");
        change(owner, &interface["id"], &json!({"title": "Still"})).await.ok(200);
        let wrong = json!({"actions": {"createIssue": null}, "interfaces": {"creatable<issue>": {
            "id": interface["id"], "entities": {"item": {"name": "issue"}},
        }}});
        let answer = put(owner, &made["id"], &wrong).await;
        refused_for(&answer, 400, "ReferenceNotFound", "/interfaces/creatable<issue>/actions/create/name", "interface");
        let text = json!({"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]});
        let wrong = json!({"events": {"created": {"schema": text}}});
        let place = "/events/created/schema/properties/item/type";
        refused_for(&put(owner, &made["id"], &wrong).await, 400, "InvalidPayload", place, "implementation");
        put(owner, &made["id"], &json!({"interfaces": {"creatable<issue>": null}})).await.ok(200);
        owner.delete(&path(&interface["id"])).await.ok(200);
    }

    async fn a_published_implementation_can_be_deployed_again(app) {
        let owner = &app.owner;
        let interface = make(owner, &creatable("1.0.0")).await;
        let mut body = linear("1.0.0", &interface);
        body["visibility"] = json!("public");
        let made = create(owner, &body).await;
        body.as_object_mut().unwrap().retain(|key, _| key != "name" && key != "version");
        put(owner, &made["id"], &body).await.ok(200);
        refused(&put(owner, &made["id"], &json!({"interfaces": {"creatable<issue>": null}})).await, 403, "Forbidden");
        owner.delete(&crate::botpress::path(&made["id"])).await.ok(200);
        owner.delete(&path(&interface["id"])).await.ok(200);
    }

    async fn interfaces_are_seen_natively(app) {
        let interface = make(&app.owner, &creatable("1.0.0")).await;
        let listed = app.owner.get("/v1/registry/interfaces?search=creat").await.ok(200);
        let one = listed["data"][0].clone();
        assert_eq!((&one["name"], &one["organisation"]["slug"]), (&json!("acme/creatable"), &json!("acme")));
        let id = tieline::domain::registry::public_id("ifver", interface["id"].as_str().unwrap()).unwrap().to_string();
        assert_eq!(one["id"], id);
        let shown = app.owner.get(&format!("/v1/registry/interfaces/{id}")).await.ok(200);
        assert_eq!((&shown["actions"], &shown["title"]), (&interface["actions"], &json!("Creatable")));
        let globex = app.other("globex").await;
        assert_eq!(globex.get("/v1/registry/interfaces").await.ok(200)["data"], json!([]));
        globex.get(&format!("/v1/registry/interfaces/{id}")).await.problem(404, "not_found");
        assert_eq!(app.owner.get("/v1/registry/versions").await.ok(200)["data"], json!([]));
    }

    async fn versions_may_have_build_metadata(app) {
        let owner = &app.owner;
        let made = create(owner, &plain("built", "1.0.0+build.5")).await;
        assert_eq!(made["version"], "1.0.0+build.5");
        for version in ["1.0.0+other", "1.0.0"] {
            refused_for(&owner.post(ALL, &plain("built", version)).await, 409, "AlreadyExists", "/version", "taken");
        }
        for query in ["1.0.0", "1.0.0%2Bbuild.5", "1.0.0%2Banything", "latest", "%5E1.0.0"] {
            let found = owner.get(&format!("{}/built/{query}", ALL)).await.ok(200);
            assert_eq!(found["integration"]["id"], made["id"], "{query}");
        }
        for query in ["1.0.0", "1.0.0%2Bbuild.5", "latest"] {
            let listed = owner.get(&format!("{}?version={query}", ALL)).await.ok(200);
            assert_eq!(listed["integrations"].as_array().unwrap().len(), 1, "{query}");
        }
        let listed = owner.get(&format!("{}?version=1.0.1", ALL)).await.ok(200);
        assert_eq!(listed["integrations"], json!([]));
    }

    async fn the_account_is_the_callers_and_there_are_no_plugins(app) {
        let account = app.owner.get("/v1/admin/account/me").await.ok(200)["account"].clone();
        assert!(account["id"].as_str().is_some_and(|id| !id.is_empty()) && account["createdAt"].is_string(), "{account}");
        assert_eq!(account["emailVerified"], false);
        let other = app.other("globex").await.get("/v1/admin/account/me").await.ok(200);
        assert_ne!(other["account"]["id"], account["id"]);
        refused(&app.anon.get("/v1/admin/account/me").await, 401, "Unauthorized");
        for path in ["/v1/admin/plugins", "/v1/admin/hub/plugins"] {
            assert_eq!(app.owner.get(path).await.ok(200), json!({"plugins": [], "meta": {}}));
        }
    }
}
