//! Tests of the published documents: their contents, their freshness, and how they are served.

use std::{collections::BTreeSet, path::Path};

use jsonschema::Draft;
use reqwest::Method;
use serde_json::{Map, Value, json};
use tieline::{
    api::shared::schema::{each_schema, modernise},
    openapi,
};

use crate::support::{Answer, Database, Differences, TestApp};

/// Operations without authentication.
const OPEN: [&str; 10] = [
    "getSignInOptions",
    "checkLiveness",
    "checkReadiness",
    "completeGithubInstall",
    "getConsent",
    "giveConsent",
    "completeSlackOAuthInBrowser",
    "getIntegrationIcon",
    "getIntegrationReadme",
    "readMetrics",
];

/// Operations that an upstream calls, with a signature, or with a token in the path or in the body.
const SIGNED: [&str; 14] = [
    "createSession",
    "logIn",
    "receiveGithubEvent",
    "receiveSlackCommand",
    "receiveSlackEvent",
    "receiveSlackInteraction",
    "receiveWebhook",
    "receiveWebhookByLink",
    "receiveWebhookOfUser",
    "receiveWebhookOfUserByLink",
    "checkWebhook",
    "sampleWebhook",
    "addWebhookSubscriber",
    "removeWebhookSubscriber",
];

/// Operations with an optional token.
const OPTIONAL: [&str; 1] = ["completeSlackInstall"];

/// Every document with its name. The assembled one is the first.
fn documents() -> Vec<(&'static str, Value)> {
    openapi::documents().unwrap().all().map(|document| (document.name, document.value.clone())).collect()
}

/// Every operation of a document, with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Map<String, Value>)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let operation = move |(method, operation): (&String, _)| (format!("{method} {path}"), operation);
        item.as_object().unwrap().iter().map(|(method, one)| (method, one.as_object().unwrap())).map(operation)
    })
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn what_is_committed_is_what_is_published() {
    openapi::check(Path::new("openapi")).unwrap();
}

#[test]
fn every_operation_introduces_itself() {
    let mut ids = BTreeSet::new();
    let mut assembled = BTreeSet::new();
    for (name, document) in documents() {
        let described: BTreeSet<_> = document["tags"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|tag| !text(tag, "description").is_empty())
            .map(|tag| text(tag, "name"))
            .collect();
        for (place, operation) in operations(&document) {
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty() && !summary.ends_with('.'), "{name}, {place}: {summary:?}");
            let id = operation["operationId"].as_str().unwrap();
            let camel =
                id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric());
            assert!(camel, "{name}, {place}: {id}");
            let fresh = if name == "tieline" { assembled.insert(id.to_owned()) } else { ids.insert(id.to_owned()) };
            assert!(fresh, "{name}, {place}: {id} is there twice");
            let tags = operation["tags"].as_array().unwrap();
            assert!(!tags.is_empty() && tags.iter().all(|tag| described.contains(tag.as_str().unwrap())), "{place}");
        }
    }
    assert_eq!(ids, assembled, "all dialects are in the document of all");
}

#[test]
fn every_operation_says_who_may_call_it() {
    for (name, document) in documents() {
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        for (place, operation) in operations(&document) {
            let security = operation["security"].as_array().unwrap_or_else(|| panic!("{name}, {place} says nothing"));
            let id = operation["operationId"].as_str().unwrap();
            let (open, signed, optional) = (OPEN.contains(&id), SIGNED.contains(&id), OPTIONAL.contains(&id));
            assert_eq!(security.is_empty(), open || signed, "{name}, {place}");
            assert_eq!(security.contains(&json!({})), optional, "{name}, {place}");
            assert_eq!(operation["responses"].get("401").is_none(), open, "{name}, {place}");
            for requirement in security.iter().filter(|requirement| **requirement != json!({})) {
                let names: Vec<_> = requirement.as_object().unwrap().keys().collect();
                assert!(!names.is_empty() && names.iter().all(|one| schemes.contains_key(*one)), "{name}, {place}");
            }
        }
    }
}

#[test]
fn every_path_names_its_parameters() {
    for (name, document) in documents() {
        for (place, operation) in operations(&document) {
            let wanted: BTreeSet<_> = place.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
            let none = Vec::new();
            let parameters = operation.get("parameters").and_then(Value::as_array).unwrap_or(&none);
            let given = parameters.iter().filter(|parameter| parameter["in"] == "path");
            assert_eq!(
                given.map(|parameter| text(parameter, "name")).collect::<BTreeSet<_>>(),
                wanted,
                "{name}, {place}"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(all) => all.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for (name, document) in documents() {
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in &found {
            let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            assert!(target.is_some(), "{name}: {reference}");
        }
        for section in ["schemas", "responses"] {
            for component in document["components"][section].as_object().into_iter().flat_map(Map::keys) {
                let reference = format!("#/components/{section}/{component}");
                assert!(found.contains(reference.as_str()), "{name}: {reference} is unused");
            }
        }
    }
}

/// Most entries of a map that a program which makes examples is asked to make.
const MOST_ENTRIES: u64 = 200;

/// Faults that spoil what a generator of clients, or an importer, makes: it names what it finds nameless by numbers, Go's
/// constructor of `X` is called `NewX`, and an example of a map gets as many entries as there may be.
fn generates_badly(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let is_constructor =
        |name: &str| name.strip_prefix("New").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    faults
        .extend(schemas.keys().filter(|name| is_constructor(name)).map(|name| format!("{name}: a constructor's name")));
    let mut objects = 0;
    each_schema(&mut document.clone(), &mut |schema| {
        objects += usize::from(schema["properties"].as_object().is_some_and(|members| !members.is_empty()));
        let types = schema["type"].as_array().map_or(1, |types| types.iter().filter(|one| *one != "null").count());
        let is_list = schema["type"] == "array" || schema["type"] == json!(["array", "null"]);
        let faulty = [
            (types > 1, "a union of types"),
            (is_list && schema.get("items").is_none(), "an array without items"),
            (schema["maxProperties"].as_u64() > Some(MOST_ENTRIES), "a map whose example is enormous"),
        ];
        faults.extend(faulty.into_iter().filter(|(is, _)| *is).map(|(_, fault)| format!("{fault}: {schema}")));
    });
    // One that composes others has its own members in one of its parts.
    let named = |schema: &&Value| {
        let parts = schema["allOf"].as_array().into_iter().flatten().chain([*schema]);
        parts.into_iter().any(|part| part["properties"].as_object().is_some_and(|members| !members.is_empty()))
    };
    let named = schemas.values().filter(named).count();
    if objects > named {
        faults.push(format!("{} objects without a name", objects - named));
    }
    if document["info"]["contact"]["name"].as_str().is_none_or(str::is_empty) {
        faults.push("nobody to write to".to_owned());
    }
    faults
}

#[test]
fn every_document_generates_well() {
    for (name, document) in documents() {
        assert_eq!(generates_badly(&document), [""; 0], "{name}");
    }
}

#[test]
fn what_generates_badly_is_found() {
    let inner = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    for (name, schema, fault) in [
        ("NewThing", json!({"type": "object"}), "a constructor's name"),
        ("Thing", json!({"type": "object", "properties": {"inner": inner}}), "1 objects without a name"),
        (
            "Thing",
            json!({"type": "object", "additionalProperties": inner, "nullable": true}),
            "1 objects without a name",
        ),
        ("Thing", json!({"type": ["object", "string"]}), "a union of types"),
        ("Thing", json!({"type": "array"}), "an array without items"),
        ("Thing", json!({"type": "object", "maxProperties": 1000}), "a map whose example is enormous"),
    ] {
        let mut document = openapi::documents().unwrap().dialects[0].value.clone();
        document["components"]["schemas"][name] = schema;
        let faults = generates_badly(&document);
        assert!(faults.len() == 1 && faults[0].contains(fault), "{fault}: {faults:?}");
    }
    let mut document = openapi::documents().unwrap().dialects[0].value.clone();
    document["info"].as_object_mut().unwrap().remove("contact");
    assert_eq!(generates_badly(&document), ["nobody to write to"]);
}

/// Examples of a document, each with its schema.
fn examples(document: &Value) -> Vec<(Value, Value)> {
    fn collect(value: &Value, found: &mut Vec<(Value, Value)>) {
        match value {
            Value::Object(object) => {
                if let Some(schema) = object.get("schema") {
                    let several = object.get("examples").and_then(Value::as_object).into_iter().flat_map(Map::values);
                    let all = object.get("example").into_iter().chain(several.map(|example| &example["value"]));
                    found.extend(all.map(|example| (schema.clone(), example.clone())));
                }
                object.values().for_each(|value| collect(value, found));
            }
            Value::Array(all) => all.iter().for_each(|value| collect(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    collect(&document["paths"], &mut found);
    collect(&document["components"]["responses"], &mut found);
    each_schema(&mut document.clone(), &mut |schema| {
        for name in ["example", "default"] {
            found.extend(schema.get(name).map(|example| (schema.clone(), example.clone())));
        }
    });
    found
}

#[test]
fn every_example_is_one() {
    for (name, mut document) in documents() {
        if text(&document, "openapi").starts_with("3.0") {
            each_schema(&mut document, &mut modernise);
        }
        let found = examples(&document);
        assert!(found.len() > 10, "{name} has {} examples only", found.len());
        for (schema, example) in found {
            let whole = json!({"components": document["components"], "allOf": [schema]});
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            let validator = options.build(&whole).unwrap();
            let wrong: Vec<_> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {example} is no {schema}: {wrong:?}");
        }
    }
}

async fn start() -> TestApp {
    TestApp::start(Database::sqlite()).await
}

/// Asserts a file of this kind, with the headers common to our files.
#[track_caller]
fn file(path: &str, answer: &Answer, content_type: &str) {
    assert_eq!(answer.status, 200, "{path}");
    assert_eq!(answer.header("content-type"), content_type, "{path}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    assert!(!answer.text.is_empty(), "{path}");
}

/// Addresses that a page of ours loads or links to.
fn addresses(html: &str) -> Vec<String> {
    let after = |name: &'static str| html.split(name).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    after("src=\"").chain(after("href=\"")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_served_as_they_are_committed_with_the_public_address() {
    let app = start().await;
    for (path, name) in [
        ("/openapi.json", "tieline"),
        ("/openapi/tieline.json", "tieline"),
        ("/openapi/native.json", "native"),
        ("/openapi/linkbreakers.json", "linkbreakers"),
        ("/openapi/boomerang.json", "boomerang"),
        ("/openapi/telex.json", "telex"),
        ("/openapi/botpress.json", "botpress"),
    ] {
        let answer = app.anon.get(path).await;
        file(path, &answer, "application/json");
        let mut committed: Value =
            serde_json::from_str(&std::fs::read_to_string(format!("openapi/{name}.json")).unwrap()).unwrap();
        let served: Value = serde_json::from_str(&answer.text).unwrap();
        let public = served["servers"][0]["url"].as_str().unwrap();
        assert!(public.starts_with("http") && !public.ends_with('/'), "{path}: {public}");
        committed["servers"] = json!([{"url": public, "description": "This server"}]);
        assert_eq!(served, committed, "{path}");
        let etag = answer.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 10, "{path}: {etag}");
        for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            let again = app.anon.send(app.anon.request(Method::GET, path).header("if-none-match", &known)).await;
            assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}: {known}");
            assert_eq!(again.header("etag"), etag);
        }
        let stale = app.anon.send(app.anon.request(Method::GET, path).header("if-none-match", "\"other\"")).await;
        assert_eq!(stale.status, 200);
        let head = app.anon.send(app.anon.request(Method::HEAD, path)).await;
        assert_eq!((head.status.as_u16(), head.text.as_str(), head.header("etag")), (200, "", etag.as_str()));
        let posted = app.anon.post(path, &json!({})).await;
        assert_eq!((posted.status.as_u16(), posted.header("allow")), (405, "GET, HEAD"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_whole_and_name_no_other_host() {
    let app = start().await;
    let mut pages = Vec::new();
    for (path, content_type) in [("/", "text/html; charset=utf-8"), ("/docs/", "text/html")] {
        let page = app.anon.get(path).await;
        file(path, &page, content_type);
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src"));
        assert!(scripts.is_none_or(|scripts| scripts.trim() == "script-src 'self'"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains("unsafe-eval"), "{policy}");
        for script in page.text.split("<script").skip(1) {
            let (head, rest) = script.split_once('>').unwrap();
            assert!(
                head.contains("src=\"") && rest.trim_start().starts_with("</script>"),
                "{path} has a script within: {head}"
            );
        }
        for handler in [" onload=", " onclick=", " onerror=", "javascript:", "<style", " style="] {
            assert!(!page.text.contains(handler), "{path}: {handler}");
        }
        for address in addresses(&page.text) {
            let base = reqwest::Url::parse(&format!("http://here{path}")).unwrap();
            let target = base.join(&address).unwrap();
            assert_eq!(target.host_str(), Some("here"), "{path} leads to {address}");
            let answer = app.anon.get(target.path()).await;
            assert_eq!(answer.status, 200, "{path} leads to {address}");
        }
        pages.push((path, page.text));
    }
    for (path, content_type) in [
        ("/style.css", "text/css; charset=utf-8"),
        ("/docs/swagger-initializer.js", "text/javascript"),
        ("/docs/index.css", "text/css"),
    ] {
        let answer = app.anon.get(path).await;
        file(path, &answer, content_type);
        pages.push((path, answer.text));
    }
    for path in ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui-standalone-preset.js"] {
        let answer = app.anon.get(path).await;
        file(path, &answer, if path.ends_with("css") { "text/css" } else { "text/javascript" });
    }
    for (path, text) in pages {
        for elsewhere in ["http:", "https:", "=\"//", "'//", "url(//"] {
            assert!(!text.contains(elsewhere), "{path} names {elsewhere}: {text}");
        }
    }
    let start = app.anon.get("/docs/swagger-initializer.js").await.text;
    for document in ["tieline", "native", "linkbreakers", "boomerang", "telex", "botpress"] {
        assert!(start.contains(&format!("\"/openapi/{document}.json\"")), "{start}");
    }
    assert!(start.contains("\"validatorUrl\": \"none\""), "no validator elsewhere is asked: {start}");
    let moved = app.anon.get("/docs").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (308, "/docs/"));
}

#[test]
fn every_link_leads_to_an_operation_and_fills_its_path() {
    for (name, document) in documents() {
        let mut links = 0;
        for (place, operation) in operations(&document) {
            let responses = operation["responses"].as_object().unwrap().values();
            for link in responses.flat_map(|response| response["links"].as_object().into_iter().flat_map(Map::values)) {
                let id = text(link, "operationId");
                let target = operations(&document).find(|(_, one)| one["operationId"] == id);
                let (target, _) = target.unwrap_or_else(|| panic!("{name}, {place}: {id} is not there"));
                let wanted: BTreeSet<_> =
                    target.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
                let given: BTreeSet<_> = link["parameters"].as_object().unwrap().keys().cloned().collect();
                assert_eq!(given, wanted, "{name}, {place}: {id}");
                links += 1;
            }
        }
        assert_eq!(links > 0, ["native", "telex", "botpress", "tieline"].contains(&name), "{name}: {links} links");
    }
}

#[test]
#[should_panic(expected = "GET /v1/things breaks its published document")]
fn a_test_fails_at_its_end_where_an_answer_was_not_as_documented() {
    let differences = Differences::default();
    differences.tell()("GET /v1/things breaks its published document: status 418 is not documented");
}
