//! All dialects in one document, OpenAPI 3.1, by utoipa's typed model.
//!
//! The typed model drops what it does not know without a word, so a test demands that nothing gets lost on the way
//! through it. The messages that we send (`webhooks`) would be added here.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder, extensions::ExtensionsBuilder};

use super::{
    publish::{info, names},
    upgrade::upgrade,
};
use crate::api::shared::{dialect::Dialect, documents::Document};

const DESCRIPTION: &str = "\
Tieline joins an organisation to the tools around it. This document has every dialect of the service; each has one of \
its own too, under `/openapi/<dialect>.json`.

## Authentication

Send `Authorization: Bearer <token>` with a personal access token or a JWT. Who is a member of several organisations \
says which one is meant by `X-Organisation-Id`. What belongs to another organisation is *not found*, never *forbidden*.

## Errors

Every refusal has its dialect's own body. Every answer has an `X-Request-Id`, which is in our log too; send one of your \
own to find your request there.

## Trying again

A `503` says by `Retry-After` when to come back. An event that is sent again with the same `Idempotency-Key` is accepted \
once.
";

/// Joins the dialects' documents.
///
/// # Errors
/// When two dialects claim the same path, operation or tag, or utoipa cannot read a document.
pub fn assemble(dialects: &[Dialect], documents: &[Document]) -> Result<Value, String> {
    let clashes = clashes(documents);
    let mut groups = Vec::new();
    let mut parts = Vec::new();
    for (dialect, document) in dialects.iter().zip(documents) {
        let mut value = upgrade(&document.value);
        rename(&mut value, &pascal(dialect.name), &clashes);
        groups.push(json!({ "name": dialect.title, "tags": names(&value["tags"]) }));
        parts.push(read(&value).map_err(|error| format!("{}: {error}", dialect.name))?);
    }
    demand_distinct(documents)?;
    let head = info("Tieline", DESCRIPTION);
    let head: Info = serde_json::from_value(head).map_err(|error| error.to_string())?;
    let extensions = ExtensionsBuilder::new().add("x-tagGroups", Value::from(groups)).build();
    let mut whole = parts.into_iter().fold(OpenApiBuilder::new().info(head).build(), OpenApi::merge_from);
    whole.extensions = Some(extensions);
    serde_json::to_value(&whole).map_err(|error| error.to_string())
}

/// Reads a document into the typed model.
fn read(value: &Value) -> Result<OpenApi, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// The names of schemas that more than one dialect uses.
fn clashes(documents: &[Document]) -> Vec<String> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for document in documents {
        for name in document.value.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten() {
            *counts.entry(name.0).or_default() += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name.to_owned()).collect()
}

/// Puts the dialect's name before the names that clash.
fn rename(document: &mut Value, prefix: &str, clashes: &[String]) {
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        let found = std::mem::take(schemas);
        schemas.extend(found.into_iter().map(|(name, schema)| match clashes.contains(&name) {
            true => (format!("{prefix}{name}"), schema),
            false => (name, schema),
        }));
    }
    rename_references(document, prefix, clashes);
}

fn rename_references(value: &mut Value, prefix: &str, clashes: &[String]) {
    const SCHEMAS: &str = "#/components/schemas/";
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix(SCHEMAS).filter(|name| clashes.iter().any(|clash| clash == name)) {
                *text = format!("{SCHEMAS}{prefix}{name}");
            }
        }
        Value::Object(object) => object.iter_mut().for_each(|(_, value)| rename_references(value, prefix, clashes)),
        Value::Array(all) => all.iter_mut().for_each(|value| rename_references(value, prefix, clashes)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn pascal(name: &str) -> String {
    name.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(name.chars().skip(1)).collect()
}

/// Of two operations on one path, or two tags of one name, the model would keep the first without a word.
fn demand_distinct(documents: &[Document]) -> Result<(), String> {
    let mut owners = BTreeMap::<String, &str>::new();
    let mut claim = |what: String, name: &'static str| match owners.insert(what.clone(), name) {
        Some(other) => Err(format!("{name} and {other} both have {what}")),
        None => Ok(()),
    };
    for Document { name, value, .. } in documents {
        for (path, item) in value["paths"].as_object().into_iter().flatten() {
            claim(format!("the path {path}"), name)?;
            for operation in item.as_object().into_iter().flat_map(|item| item.values()) {
                let id = operation["operationId"].as_str().ok_or(format!("{name}: {path} lacks an operationId"))?;
                claim(format!("the operation {id}"), name)?;
            }
        }
        for tag in names(&value["tags"]) {
            claim(format!("the tag {tag}"), name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
