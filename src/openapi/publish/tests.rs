//! Tests of the additions and removals by publishing, on one small document.

use poem_openapi::{Object, OpenApi, payload::Json};

use super::*;
use crate::api::shared::dialect::describe;

const DIALECT: Dialect = Dialect {
    name: "small",
    title: "Small",
    description: "A small one.",
    prefixes: &["/v1"],
    together: &[&["token", "user"]],
    names_organisation: true,
    closed: true,
    closed_query: false,
    described,
    error_example: |status| (status == 400).then(|| json!({ "code": 400 })),
    refuse: |_, _| unreachable!("nothing is refused here"),
    endpoint: |_| unreachable!("nothing is served here"),
};

/// The relevant parts of the framework's document.
fn described() -> String {
    json!({
        "openapi": "3.0.0",
        "tags": [{"name": "Parts"}, {"name": "Things"}],
        "paths": {"/v1/things": {
            "post": {
                "tags": ["Things", "Parts"],
                "parameters": [{"name": "limit", "in": "query", "required": false, "deprecated": false, "explode": true,
                    "schema": {"type": "integer", "format": "uint32", "maximum": 250.0}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {
                    "400": {"description": "Bad", "content": {"application/json; charset=utf-8": {"schema": {}}}},
                    "200": {"description": "", "headers": {"LOCATION": {"required": true, "deprecated": false,
                        "schema": {"type": "string"}}}},
                    "401": {"description": "Who?"},
                    "405": {"description": "Never"},
                    "409": {"description": "Clash"},
                    "415": {"description": "Type"},
                    "422": {"description": "Key"},
                },
                "security": [{"token": []}, {"user": []}],
                "operationId": "createThing",
            },
            "get": {"responses": {"400": {"description": "Bad"}, "401": {"description": "Who?"}, "404": {"description": "No"},
                "409": {"description": "Clash"}, "413": {"description": "Long"}, "500": {"description": "Bug"}}},
        }},
        "components": {"schemas": {
            "Thing": {"type": "object", "properties": {
                "part": {"allOf": [{"$ref": "#/components/schemas/Part"}, {"description": "Its part"}],
                    "description": "Its part"},
                "form": {"type": "object", "oneOf": [{"$ref": "#/components/schemas/Wrapped"}]},
            }},
            "Part": {"type": "object", "properties": {}},
            "Wrapped": {"allOf": [{"type": "object", "properties": {}}, {"$ref": "#/components/schemas/Inner"}]},
            "Inner": {"type": "object"},
            "Answer": {"type": "object"},
        }},
    })
    .to_string()
}

fn published() -> Value {
    publish(&DIALECT).unwrap()
}

fn operation<'a>(document: &'a Value, method: &str) -> &'a Value {
    &document["paths"]["/v1/things"][method]
}

#[test]
fn the_head_is_ours() {
    let document = published();
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["info"]["title"], "Tieline: Small");
    assert_eq!(document["servers"][0]["url"], "/");
    assert_eq!(document["x-tagGroups"], json!([{"name": "Small", "tags": ["Things", "Parts"]}]));
}

#[test]
fn noise_is_gone() {
    let document = published();
    let post = operation(&document, "post");
    assert_eq!(
        post["parameters"][0],
        json!({"name": "limit", "in": "query", "required": false,
            "schema": {"type": "integer", "format": "int64", "maximum": 250, "minimum": 0}})
    );
    let properties = &document["components"]["schemas"]["Thing"]["properties"];
    assert_eq!(
        properties["part"],
        json!({"allOf": [{"$ref": "#/components/schemas/Part"}], "description": "Its part"})
    );
    assert_eq!(properties["form"]["type"], Value::Null);
}

#[test]
fn responses_are_those_that_happen() {
    let document = published();
    let statuses =
        |method| -> Vec<_> { operation(&document, method)["responses"].as_object().unwrap().keys().collect() };
    assert_eq!(statuses("post"), ["200", "400", "401", "409", "415"]);
    assert_eq!(statuses("get"), ["500"]);
    let ok = &operation(&document, "post")["responses"]["200"];
    assert_eq!(ok["description"], "Success");
    let shared = &document["components"]["responses"];
    assert_eq!(operation(&document, "post")["responses"]["400"], json!({"$ref": "#/components/responses/BadRequest"}));
    let headers = |one: &Value| one["headers"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(headers(ok), ["Location", "X-Request-Id"]);
    assert_eq!(headers(&shared["Unauthorized"]), ["X-Request-Id", "WWW-Authenticate"]);
    let content = &shared["BadRequest"]["content"];
    assert_eq!(*content, json!({"application/json": {"schema": {}, "example": {"code": 400}}}));
}

#[test]
fn some_facts_are_in_the_parameters() {
    let facts = |parameter: Value, gets| {
        let operation = json!({ "parameters": [parameter] });
        Facts::of(operation.as_object().unwrap(), gets, true)
    };
    let signed = facts(json!({"in": "header", "name": "X-Hub-Signature-256"}), false);
    assert!(signed.allow(401) && !signed.allow(403));
    assert!(!facts(json!({"in": "header", "name": "X-Other"}), false).allow(401));
    let addressed = facts(json!({"in": "path", "name": "token"}), false);
    assert!(addressed.allow(401) && addressed.allow(404) && !addressed.allow(403));
    assert!(facts(json!({"in": "query", "name": "code"}), true).allow(409));
    assert!(!facts(json!({"in": "query", "name": "other"}), true).allow(409));
}

#[test]
fn a_secured_operation_takes_the_organisation() {
    let other = publish(&Dialect { names_organisation: false, ..DIALECT }).unwrap();
    assert_eq!(operation(&other, "post")["parameters"].as_array().map(Vec::len), Some(1));
    let document = published();
    let names = |method| -> Vec<_> {
        operation(&document, method)["parameters"].as_array().into_iter().flatten().map(|p| &p["name"]).collect()
    };
    assert_eq!(names("post"), ["limit", "X-Organisation-Id"]);
    assert!(names("get").is_empty());
}

#[test]
fn security_says_together_what_counts_together() {
    let document = published();
    assert_eq!(operation(&document, "post")["security"], json!([{"token": [], "user": []}]));
    assert_eq!(operation(&document, "get")["security"], json!([]));
}

#[test]
fn requests_take_no_unknown_members() {
    let open = publish(&Dialect { closed: false, ..DIALECT }).unwrap();
    assert_eq!(open["components"]["schemas"]["Thing"].get("additionalProperties"), None);
    let document = published();
    let closed = |name: &str| document["components"]["schemas"][name].get("additionalProperties").is_some();
    assert!(closed("Thing") && closed("Part"));
    // Only a part of another schema, which knows the other members; and not part of any request.
    assert!(!closed("Inner") && !closed("Answer"));
}

#[test]
fn the_frameworks_own_document_is_understood() {
    #[derive(Object)]
    struct Thing {
        /// Its size.
        size: u32,
    }
    struct Api;
    #[OpenApi]
    impl Api {
        /// Get a thing
        #[oai(path = "/v1/things/:id", method = "get", operation_id = "getThing")]
        async fn get(&self, id: poem_openapi::param::Path<u64>) -> Json<Thing> {
            Json(Thing { size: u32::try_from(id.0).unwrap_or(0) })
        }
    }
    let document = publish(&Dialect { described: || describe(Api), ..DIALECT }).unwrap();
    let get = &document["paths"]["/v1/things/{id}"]["get"];
    assert_eq!(get["parameters"][0]["schema"], json!({"type": "integer", "format": "int64", "minimum": 0}));
    assert!(get["responses"]["200"]["content"].get("application/json").is_some());
    let size = &document["components"]["schemas"]["Thing"]["properties"]["size"];
    assert_eq!(*size, json!({"type": "integer", "format": "int64", "description": "Its size.", "minimum": 0}));
}
