//! Transforms the framework's description of a dialect's operations into the published document.
//!
//! The framework's document is correct about types and routes; here it gets the facts that it cannot express. Nothing
//! in here distinguishes dialects.

use std::collections::BTreeSet;

use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    examples::add_examples,
    headers::{own_headers, spelled},
    hoist::hoist,
    links::add_links,
    names::name_schemas,
    tidy::{tidy_schema, unwrap_lines},
};
use crate::api::shared::{
    auth::{OPERATOR_SCHEME, ORGANISATION},
    dialect::Dialect,
    schema::{each_operation, each_schema},
};

/// Prefix of references to schemas.
pub const SCHEMAS: &str = "#/components/schemas/";

/// Builds the published document of a dialect: OpenAPI 3.0.3.
///
/// # Errors
/// When the framework's document is not a valid one.
pub fn publish(dialect: &Dialect) -> Result<Value, String> {
    let raw = (dialect.described)();
    let mut raw: Value = serde_json::from_str(&raw).map_err(|error| format!("{}: {error}", dialect.name))?;
    each_schema(&mut raw, &mut tidy_schema);
    name_schemas(&mut raw);
    if dialect.closed {
        close_requests(&mut raw);
    }
    // Not before: an object that was open stays so.
    hoist(&mut raw).map_err(|error| format!("{}: {error}", dialect.name))?;
    each_operation(&mut raw, |method, operation| publish_operation(method, operation, dialect));
    describe_answers(&mut raw);
    add_examples(&mut raw);
    add_links(&mut raw);
    let shared = share_responses(&mut raw);
    raw["components"]["responses"] = shared.into();
    let tags = tags_in_order(&mut raw);
    let group = json!({ "name": dialect.title, "tags": names(&tags) });
    Ok(json!({
        "openapi": "3.0.3",
        "info": info(&format!("Tieline: {}", dialect.title), dialect.description),
        "servers": [{ "url": "/", "description": "This server" }],
        "tags": tags,
        "x-tagGroups": [group],
        "paths": raw["paths"].take(),
        "components": raw["components"].take(),
    }))
}

/// Head of a document.
pub fn info(title: &str, description: &str) -> Value {
    json!({
        "title": title,
        "description": description,
        "version": env!("CARGO_PKG_VERSION"),
        "contact": { "name": "The maintainers of Tieline" },
        "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
    })
}

/// Lists the tags, in the order in which the operations use them.
fn tags_in_order(document: &mut Value) -> Value {
    let mut tags = document["tags"].as_array().cloned().unwrap_or_default();
    let mut used = Vec::new();
    each_operation(document, |_, operation| {
        used.extend(operation.get("tags").and_then(Value::as_array).into_iter().flatten().cloned());
    });
    tags.sort_by_key(|tag| used.iter().position(|used| *used == tag["name"]));
    tags.into()
}

/// Returns the names of a list of tags.
pub fn names(tags: &Value) -> Vec<&Value> {
    tags.as_array().into_iter().flatten().filter_map(|tag| tag.get("name")).collect()
}

/// Moves the error responses, which are the same everywhere, to one place.
fn share_responses(document: &mut Value) -> Map<String, Value> {
    let mut shared = Map::new();
    each_operation(document, |_, operation| {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            let Some(reason) = reason(status.parse().ok()).filter(|_| status.as_str() >= "400") else { continue };
            let name = reason.replace([' ', '-'], "");
            if shared.entry(&name).or_insert_with(|| response.clone()) == response {
                *response = json!({ "$ref": format!("#/components/responses/{name}") });
            }
        }
    });
    shared
}

fn reason(status: Option<u16>) -> Option<&'static str> {
    StatusCode::from_u16(status?).ok()?.canonical_reason()
}

/// Closes the objects of requests to unknown members.
fn close_requests(document: &mut Value) {
    let mut reached = BTreeSet::new();
    each_operation(document, |_, operation| {
        if let Some(body) = operation.get("requestBody") {
            references(body, &mut reached);
        }
    });
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    let mut open: Vec<_> = reached.iter().cloned().collect();
    let mut composed = BTreeSet::new();
    while let Some(name) = open.pop() {
        let mut inner = BTreeSet::new();
        references(&schemas[&name], &mut inner);
        composed_of(&schemas[&name], &mut composed);
        open.extend(inner.into_iter().filter(|name| reached.insert(name.clone())));
    }
    for name in reached.difference(&composed) {
        let Some(schema) = document.pointer_mut(&format!("/components/schemas/{name}")) else { continue };
        if let Some(object) = schema.as_object_mut().filter(|schema| schema.get("type") == Some(&json!("object"))) {
            object.entry("additionalProperties").or_insert(false.into());
        }
    }
}

/// Collects the names of the referenced schemas.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(name) = object.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(SCHEMAS)) {
                found.insert(name.to_owned());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Collects the names of the schemas that are only a part of another one: those cannot exclude other members.
fn composed_of(value: &Value, found: &mut BTreeSet<String>) {
    if let Some(all) = value.get("allOf").and_then(Value::as_array).filter(|all| all.len() > 1) {
        all.iter().for_each(|part| references(part, found));
    }
    let inner = value.as_object().into_iter().flat_map(Map::values);
    inner.chain(value.as_array().into_iter().flatten()).for_each(|value| composed_of(value, found));
}

fn publish_operation(method: &str, operation: &mut Map<String, Value>, dialect: &Dialect) {
    unwrap_lines(operation);
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(parameter) = parameter.as_object_mut() else { continue };
        unwrap_lines(parameter);
        drop_false(parameter, "deprecated");
        parameter.remove("explode");
    }
    if let Some(body) = operation.get_mut("requestBody") {
        plain_media_types(body);
    }
    let security = security(operation.remove("security"), dialect.together);
    let is_open = security.as_array().is_none_or(Vec::is_empty);
    let schemes = security.as_array().map_or(&[][..], Vec::as_slice);
    let is_of_organisation = !is_open && schemes.iter().all(|one| one.get(OPERATOR_SCHEME).is_none());
    if is_of_organisation && dialect.names_organisation {
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        parameters.as_array_mut().into_iter().for_each(|parameters| parameters.push(organisation()));
    }
    let facts = Facts { closed_query: dialect.closed_query, ..Facts::of(operation, method == "get", is_open) };
    let mut responses: Vec<(u16, Value)> = Vec::new();
    if let Some(Value::Object(found)) = operation.remove("responses") {
        for (status, mut response) in found {
            let Ok(status) = status.parse() else { continue };
            if facts.allow(status) {
                publish_response(&mut response, status, dialect);
                responses.push((status, response));
            }
        }
    }
    responses.sort_by_key(|(status, _)| *status);
    let responses: Map<_, _> = responses.into_iter().map(|(status, response)| (status.to_string(), response)).collect();
    operation.insert("responses".into(), responses.into());
    operation.insert("security".into(), security);
}

/// The header that `auth::Bearer` reads beside the token.
fn organisation() -> Value {
    json!({
        "name": ORGANISATION,
        "in": "header",
        "required": false,
        "description": "The organisation, for callers with several memberships",
        "schema": { "type": "string", "format": "uuid" },
    })
}

/// Facts that decide which of its dialect's errors an operation can have.
struct Facts {
    has_body: bool,
    has_parameters: bool,
    has_path_parameters: bool,
    has_key: bool,
    is_open: bool,
    is_signed: bool,
    /// The body contains the credential, and a browser gets a cookie for it.
    signs_in: bool,
    /// The body contains the credential.
    logs_in: bool,
    /// The path contains a token.
    is_addressed: bool,
    reads: bool,
    /// Unknown parameters of the query are refused.
    closed_query: bool,
}

impl Facts {
    fn of(operation: &Map<String, Value>, gets: bool, is_open: bool) -> Self {
        let parameters = operation.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let name = |parameter: &Value| parameter["name"].as_str().unwrap_or_default().to_ascii_lowercase();
        let says = |start: &str| {
            operation.get("description").and_then(Value::as_str).is_some_and(|text| text.starts_with(start))
        };
        Self {
            has_body: operation.contains_key("requestBody"),
            has_parameters: !parameters.is_empty(),
            has_path_parameters: parameters.iter().any(|parameter| parameter["in"] == "path"),
            has_key: parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key")
                // A batch has one for each of its items.
                || operation.get("description").and_then(Value::as_str).is_some_and(|text| text.contains("Idempotency-Key")),
            is_open,
            is_signed: parameters.iter().any(|one| one["in"] == "header" && name(one).contains("signature")),
            is_addressed: parameters.iter().any(|one| one["in"] == "path" && name(one) == "token"),
            signs_in: says("Signs a browser in"),
            logs_in: says("Takes a personal access token in place of the password"),
            // A GET with a code of OAuth connects something.
            reads: gets && !parameters.iter().any(|parameter| parameter["name"] == "code"),
            closed_query: false,
        }
    }

    fn allow(&self, status: u16) -> bool {
        match status {
            400 => self.has_body || self.has_parameters || self.closed_query,
            401 => !self.is_open || self.is_signed || self.is_addressed || self.signs_in || self.logs_in,
            // Another site's page may not sign a browser in.
            403 => !self.is_open || self.signs_in,
            502 => !self.is_open,
            404 => !self.is_open || self.has_path_parameters,
            // The answer of a path, never of one of its methods.
            405 => false,
            409 => !self.reads,
            408 | 413 | 415 => self.has_body,
            422 => self.has_key,
            _ => true,
        }
    }
}

/// Combines security schemes: the framework lists them as alternatives; those that only count together become one
/// requirement.
fn security(listed: Option<Value>, together: &[&[&str]]) -> Value {
    let mut listed: Vec<Value> = listed.and_then(|listed| listed.as_array().cloned()).unwrap_or_default();
    for set in together {
        let is_of_set = |one: &Value| set.iter().any(|name| one.get(name).is_some());
        if listed.iter().filter(|one| is_of_set(one)).count() == set.len() {
            listed.retain(|one| !is_of_set(one));
            listed.push(set.iter().map(|name| ((*name).to_owned(), json!([]))).collect::<Map<_, _>>().into());
        }
    }
    listed.into()
}

fn publish_response(response: &mut Value, status: u16, dialect: &Dialect) {
    plain_media_types(response);
    let Some(response) = response.as_object_mut() else { return };
    if response.get("description").is_none_or(|text| text == "") {
        response.insert("description".into(), reason(Some(status)).unwrap_or("Response").into());
    }
    let mut headers = Map::new();
    if let Some(Value::Object(found)) = response.remove("headers") {
        for (name, mut header) in found {
            if let Some(header) = header.as_object_mut() {
                drop_false(header, "deprecated");
                drop_false(header, "required");
            }
            headers.insert(spelled(&name), header);
        }
    }
    for (name, header) in own_headers(status) {
        headers.entry(name).or_insert(header);
    }
    response.insert("headers".into(), headers.into());
    if status >= 400
        && let Some(example) = (dialect.error_example)(status)
    {
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        for (_, media) in content.into_iter().flatten().filter(|(name, _)| name.ends_with("json")) {
            media["example"] = example.clone();
        }
    }
}

/// Describes an answer without a sentence of its own by its type's description.
fn describe_answers(document: &mut Value) {
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    each_operation(document, |_, operation| {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for response in responses.into_iter().flatten().filter_map(|(_, response)| response.as_object_mut()) {
            let Some("OK") = response.get("description").and_then(Value::as_str) else { continue };
            let content = response.get("content").and_then(Value::as_object);
            let reference =
                content.into_iter().flat_map(Map::values).find_map(|media| media["schema"]["$ref"].as_str());
            let said = reference.and_then(|to| schemas[to.strip_prefix(SCHEMAS)?]["description"].as_str());
            let said = said.map_or("Success", |text| text.split("\n\n").next().unwrap_or(text)).to_owned();
            response.insert("description".into(), said.into());
        }
    });
}

/// Rewrites `application/json; charset=utf-8` to `application/json`: JSON has no other character set.
fn plain_media_types(holder: &mut Value) {
    let Some(content) = holder.get_mut("content").and_then(Value::as_object_mut) else { return };
    let found = std::mem::take(content);
    content.extend(found.into_iter().map(|(name, media)| {
        let essence = name.split(';').next().unwrap_or_default().trim().to_owned();
        (essence, media)
    }));
}

fn drop_false(object: &mut Map<String, Value>, key: &str) {
    if object.get(key) == Some(&json!(false)) {
        object.remove(key);
    }
}

#[cfg(test)]
mod tests;
