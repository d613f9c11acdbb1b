//! All dialects in one document, OpenAPI 3.1, by utoipa's typed model.
//!
//! The typed model silently drops anything it does not know, so a test requires that nothing is lost in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder, extensions::ExtensionsBuilder};

use super::Document;
use super::{
    names::{SECTIONS, rename_components},
    publish::{info, names},
    upgrade::{forget_every_type, upgrade},
    webhooks,
};
use crate::api::shared::dialect::Dialect;

const DESCRIPTION: &str = "\
Tieline joins an organisation to the tools around it. This document has every dialect of the service; each dialect \
also has a document of its own, `/openapi/<dialect>.json`.

## Authentication

Send `Authorization: Bearer <token>` with a personal access token or a JWT. A member of several organisations names \
one by `X-Organisation-Id`. Another organisation's resource is *not found*, never *forbidden*.

## Errors

Every error has its dialect's own body. Every response has an `X-Request-Id`, which is also in our log; it repeats the \
request's own, if one was sent.

## Retries

A `429`, and usually a `503`, has a `Retry-After`. An event that is sent repeatedly with the same `Idempotency-Key` is \
accepted once.
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
        prefix(&mut value, dialect.name, &clashes);
        groups.push(json!({ "name": dialect.title, "tags": names(&value["tags"]) }));
        parts.push(read(&value).map_err(|error| format!("{}: {error}", dialect.name))?);
    }
    demand_distinct(documents)?;
    let head = info("Tieline", DESCRIPTION);
    let head: Info = serde_json::from_value(head).map_err(|error| error.to_string())?;
    let extensions = ExtensionsBuilder::new().add("x-tagGroups", Value::from(groups)).build();
    let mut whole = parts.into_iter().fold(OpenApiBuilder::new().info(head).build(), OpenApi::merge_from);
    let sent = read(&webhooks::document())?;
    let webhooks = sent.webhooks.clone();
    whole.merge(sent);
    whole.webhooks = webhooks;
    whole.extensions = Some(extensions);
    let mut whole = serde_json::to_value(&whole).map_err(|error| error.to_string())?;
    forget_every_type(&mut whole);
    Ok(whole)
}

/// Reads a document into the typed model.
fn read(value: &Value) -> Result<OpenApi, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// Finds the references that more than one dialect uses, such as `#/components/schemas/Error`.
fn clashes(documents: &[Document]) -> Vec<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    for (document, section) in documents.iter().flat_map(|one| SECTIONS.map(|section| (one, section))) {
        for name in document.value["components"][section].as_object().into_iter().flat_map(Map::keys) {
            *counts.entry(format!("#/components/{section}/{name}")).or_default() += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(reference, _)| reference).collect()
}

/// Prefixes the clashing names with the dialect's.
fn prefix(document: &mut Value, dialect: &str, clashes: &[String]) {
    let mut letters = dialect.chars();
    let prefix: String = letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect();
    rename_components(document, &|section, name| {
        clashes.contains(&format!("#/components/{section}/{name}")).then(|| format!("{prefix}{name}"))
    });
}

/// Requires distinct operations and tags: of two on one path or of one name, the model would silently keep the first.
fn demand_distinct(documents: &[Document]) -> Result<(), String> {
    let mut owners = BTreeMap::<String, &str>::new();
    let mut claim = |what: String, name: &'static str| match owners.insert(what.clone(), name) {
        Some(other) => Err(format!("{name} and {other} both have {what}")),
        None => Ok(()),
    };
    for Document { name, value, .. } in documents {
        for (path, item) in value["paths"].as_object().into_iter().flatten() {
            claim(format!("the path {path}"), name)?;
            for operation in item.as_object().into_iter().flat_map(Map::values) {
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
