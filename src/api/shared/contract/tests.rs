//! A small document, with responses that match it or not.

use super::*;

fn contract() -> Contract {
    let document = json!({
        "paths": {"/v1/things/{id}/parts/{part}": {
            "get": {"parameters": [{"in": "path", "name": "id"}, {"in": "query", "name": "limit"}], "responses": {"204": {"description": "Nothing"}, "500": {"content": {"application/json": {"schema": {
                "type": "object", "required": ["error"],
            }}}}}},
            "patch": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"200": {"headers": {
                    "X-Id": {"required": true, "schema": {"type": "string", "pattern": "^[a-z]+$"}},
                    "Retry-After": {"schema": {"type": "integer"}},
                    "Again": {"schema": {"type": "boolean"}},
                }, "content": {"application/json": {"schema": {
                    "type": "array", "items": {"$ref": "#/components/schemas/Thing"},
                }}}}},
            },
        }},
        "components": {"schemas": {"Thing": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": false,
            "properties": {"name": {"type": "string", "nullable": true}, "next": {"$ref": "#/components/schemas/Thing"}},
        }}},
    });
    Contract::compile(document, true).unwrap()
}

#[test]
fn a_path_knows_its_methods_and_its_parameters() {
    let contract = contract();
    let path = contract.path("/v1/things/:param0/parts/:param1").unwrap();
    assert_eq!(path.allow, ["GET", "PATCH", "HEAD"]);
    assert_eq!(path.parameter("param1"), "part");
    assert_eq!(path.parameter("limit"), "limit");
    assert_eq!(contract.find("/v1/things/one/parts/2").map(|path| &*path.path), Some("/v1/things/{id}/parts/{part}"));
    assert!(contract.find("/v1/things/one/parts").is_none() && contract.find("/v1/others/one/parts/2").is_none());
    assert!(path.operation(&Method::HEAD).is_some() && path.operation(&Method::POST).is_none());
}

#[test]
fn a_query_has_documented_parameters_alone() {
    let contract = contract();
    let path = contract.path("/v1/things/:param0/parts/:param1").unwrap();
    let reason = |method: &Method, query: &str| match path.operation(method).unwrap().check_query(query) {
        Err(Protocol::Parameter { name, reason }) => Some(format!("{name} {reason}")),
        _ => None,
    };
    assert_eq!(reason(&Method::GET, "limit=1&limit=2"), None);
    assert_eq!(reason(&Method::HEAD, ""), None);
    let known = "is not known here; this operation has limit";
    assert_eq!(reason(&Method::GET, "limit=1&l%C3%AFmit&id=2"), Some(format!("lïmit {known}")));
    assert_eq!(reason(&Method::GET, "id=2"), Some(format!("id {known}")), "that is in the path");
    assert!(reason(&Method::PATCH, "limit=1").unwrap().ends_with("has no parameters in the query"));
    let page =
        json!({"paths": {"/v1/page": {"get": {"responses": {"200": {"content": {"text/html": {"schema": {}}}}}}}}});
    let page = Contract::compile(page, false).unwrap();
    assert!(page.find("/v1/page").unwrap().operation(&Method::GET).unwrap().check_query("iss=x").is_ok());
}

#[test]
fn every_violation_of_a_body_is_listed() {
    let contract = contract();
    let operation = contract.path("/v1/things/:param0/parts/:param1").unwrap().operation(&Method::PATCH).unwrap();
    assert_eq!(operation.check_body(&json!({"name": null, "next": {"name": "x"}})), Ok(()));
    let broken = operation.check_body(&json!({"nmae": 1, "next": {"name": 5}})).unwrap_err();
    let mut fields: Vec<_> = broken.iter().map(|v| v.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["/name", "/next/name", "/nmae"]);
}

fn sent(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[test]
fn a_response_must_be_documented() {
    let contract = contract();
    let path = contract.path("/v1/things/:param0/parts/:param1").unwrap();
    let patch = path.operation(&Method::PATCH).unwrap();
    let json = sent(&[("content-type", "application/json; charset=utf-8"), ("x-id", "one")]);
    let check = |status, headers: &HeaderMap, body: &'static str| {
        patch.check_response(status, headers, Some(body.as_bytes())).err().unwrap_or_default()
    };
    assert_eq!(check(200, &json, r#"[{"name": "x"}]"#), "");
    assert!(check(200, &json, r#"[{"name": 5}]"#).contains("/0/name"));
    assert!(check(200, &json, "[").contains("not JSON"));
    assert!(check(200, &sent(&[("content-type", "text/plain"), ("x-id", "one")]), "x").contains("text/plain"));
    assert!(check(201, &json, "{}").contains("201"));
    let get = path.operation(&Method::GET).unwrap();
    assert_eq!(get.check_response(204, &sent(&[]), Some(b"")), Ok(()));
    assert!(get.check_response(204, &json, Some(b"{}")).is_err());
}

#[test]
fn the_headers_of_a_response_must_be_as_documented() {
    let contract = contract();
    let path = contract.path("/v1/things/:param0/parts/:param1").unwrap();
    let patch = path.operation(&Method::PATCH).unwrap();
    let check = |headers: &[(&'static str, &'static str)]| {
        patch.check_response(200, &sent(headers), None).err().unwrap_or_default()
    };
    assert_eq!(check(&[("x-id", "one")]), "");
    assert_eq!(check(&[("x-id", "one"), ("retry-after", "5"), ("again", "true")]), "");
    assert!(check(&[]).contains("lacks the header X-Id"));
    assert!(check(&[("x-id", "two words")]).contains("X-Id"));
    assert!(check(&[("x-id", "one"), ("retry-after", "soon")]).contains("Retry-After"));
}

#[test]
fn a_response_of_no_operation_must_look_like_a_failure() {
    let contract = contract();
    let json = sent(&[("content-type", "application/json")]);
    assert_eq!(contract.check_stray(&json, Some(br#"{"error": "nothing is here"}"#)), Ok(()));
    assert_eq!(contract.check_stray(&json, None), Ok(()));
    assert!(contract.check_stray(&json, Some(b"{}")).is_err());
    assert!(contract.check_stray(&sent(&[("content-type", "text/plain")]), Some(b"not found")).is_err());
}
