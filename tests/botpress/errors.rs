//! Tests of validation errors: all are reported at once, each with its location, and by the type that the product's
//! client knows.

use serde_json::{Value, json};

use super::{ALL, VALIDATE, base64, create, full, plain, refused, refused_for};

fn places(issues: &[Value]) -> Vec<&str> {
    issues.iter().map(|issue| issue["path"].as_str().unwrap()).collect()
}

both! {
    async fn all_violations_are_reported_at_once(app) {
        let owner = &app.owner;
        let globex = app.other("globex").await;
        create(&globex, &plain("taken", "1.0.0")).await;
        let mut body = full("taken", "1.0.0");
        body["title"] = json!("x".repeat(65));
        body["actions"]["Send"] = json!({"input": {"schema": {"type": "nonsense"}}});
        body["secrets"]["api-key"] = json!("hunter5");
        body["icon"] = json!("not base64!");
        body["unknown"] = json!(1);
        body["events"]["happened"]["schema"] = json!({"type": 5});
        for path in [VALIDATE, ALL] {
            let answer = owner.post(path, &body).await;
            let issues = refused(&answer, 400, "InvalidPayload");
            let places = places(&issues);
            for place in [
                "/title", "/events/happened/schema/type", "/actions/Send", "/secrets/api-key", "/icon", "/unknown", "/name",
            ] {
                assert!(places.contains(&place), "{place} is not in {places:?}");
            }
            assert_eq!(answer.json()["message"], "request/body/title must NOT have more than 64 characters");
            assert!(!answer.text.contains("hunter"), "{}", answer.text);
        }
    }

    async fn each_kind_has_its_type(app) {
        let owner = &app.owner;
        let with = |key: &str, value: Value| {
            let mut body = plain("teams", "1.0.0");
            body[key] = value;
            body
        };
        let action = json!({"input": {"schema": {}}, "output": {"schema": {}}});
        for (body, status, kind, place, rule) in [
            (json!([]), 400, "InvalidPayload", "", "type"),
            (json!({"version": "1.0.0"}), 400, "InvalidPayload", "", "required"),
            (plain("Teams", "1.0.0"), 400, "InvalidPayload", "/name", "name"),
            (plain("teams", "1.0"), 400, "InvalidPayload", "/version", "version"),
            (with("visibility", json!("secret")), 400, "InvalidPayload", "/visibility", "enum"),
            (with("url", json!("ftp://x")), 400, "InvalidPayload", "/url", "url"),
            (with("secrets", json!({"a": "x"})), 400, "InvalidPayload", "/secrets/a", "secretName"),
            (with("description", json!("a\u{0}")), 400, "InvalidPayload", "/description", "characters"),
            (with("actions", json!({"Send": action})), 400, "InvalidIdentifier", "/actions/Send", "identifier"),
            (with("events", json!({"happened": {"schema": {"type": "x"}}})), 400, "InvalidJsonSchema", "/events/happened/schema/type", "jsonSchema"),
            (
                with("interfaces", json!({"typing": {"id": "ifver_01JVYWESY3BVAM5FR3XT9X813H"}})),
                400, "ReferenceNotFound", "/interfaces/typing/id", "interface",
            ),
        ] {
            for path in [VALIDATE, ALL] {
                refused_for(&owner.post(path, &body).await, status, kind, place, rule);
            }
        }
        refused(&owner.get(&format!("{ALL}/nothing")).await, 404, "ResourceNotFound");
        refused(&owner.post("/v1/admin/bots", &json!({})).await, 405, "MethodNotFound");
        refused(&owner.get(&format!("{ALL}/validate")).await, 405, "MethodNotFound");
        let text = owner.request(reqwest::Method::POST, VALIDATE).header("content-type", "text/plain").body("{}");
        refused(&owner.send(text).await, 415, "UnsupportedMediaType");
        for body in ["", "{", "{\"name\": \"a\", }", "nonsense"] {
            let request = owner.request(reqwest::Method::POST, VALIDATE).header("content-type", "application/json");
            refused(&owner.send(request.body(body)).await, 400, "InvalidPayload");
        }
        // Authentication comes before the body.
        refused(&app.anon.post(VALIDATE, &json!([])).await, 401, "Unauthorized");
        let narrow = json!({"name": "narrow", "scopes": ["integrations:read"]});
        let narrow = owner.post("/v1/tokens", &narrow).await.ok(201);
        let narrow = app.anon.with_token(narrow["secret"].as_str().unwrap());
        refused(&narrow.post(VALIDATE, &plain("teams", "1.0.0")).await, 403, "Forbidden");
    }

    async fn an_icon_is_a_picture_and_nothing_else(app) {
        let owner = &app.owner;
        for svg in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><a href=\"javascript:alert(1)\"><path/></a></svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"https://elsewhere.example/x.png\"/></svg>",
            "<!DOCTYPE svg [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><svg xmlns=\"http://www.w3.org/2000/svg\">&b;</svg>",
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
            "\u{89}PNG",
        ] {
            let mut body = plain("teams", "1.0.0");
            body["icon"] = json!(base64(svg));
            refused_for(&owner.post(VALIDATE, &body).await, 400, "InvalidPayload", "/icon", "icon");
        }
        for (key, value) in [("icon", "%%%"), ("readme", "no base64")] {
            let mut body = plain("teams", "1.0.0");
            body[key] = json!(value);
            refused_for(&owner.post(VALIDATE, &body).await, 400, "InvalidPayload", &format!("/{key}"), "base64");
        }
    }
}
