//! Compares each published document with its contract, by direction: a request can only widen, a response can only
//! gain. `openapi/contract/*.yaml` is the promise, `openapi/<name>.json` is published from the code.
//!
//! Limits of size and patterns are not compared: a published document may bound a value that a contract left unbounded.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::{Map, Value, json};

/// Lists every violation of `contract` by `published`, each with the location in the contract. Empty: the contract
/// holds.
pub fn violations(contract: &Value, published: &Value) -> Vec<String> {
    let mut check = Check { contract, published, within: Vec::new(), found: Vec::new() };
    check.document();
    check.found
}

/// Direction of data through a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    /// The published schema has to accept every value of the contract's.
    Request,
    /// The published schema has to give only values of the contract's.
    Response,
}

use Direction::{Request, Response};

impl Direction {
    /// The pair of inner and outer: the contract's within the published one for a request, the other way round for a
    /// response.
    fn order<T>(self, ours: T, theirs: T) -> (T, T) {
        match self {
            Request => (ours, theirs),
            Response => (theirs, ours),
        }
    }

    fn choose<T>(self, request: T, response: T) -> T {
        self.order(request, response).0
    }
}

/// Maximum depth of a schema.
const DEEPEST: usize = 40;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

struct Check<'a> {
    contract: &'a Value,
    published: &'a Value,
    /// The pairs of references under comparison, from the outside in: a schema may contain itself.
    within: Vec<(String, String)>,
    found: Vec<String>,
}

impl<'a> Check<'a> {
    fn document(&mut self) {
        let mut operations = 0;
        for (path, ours) in members(&self.contract["paths"]) {
            let theirs = members(&self.published["paths"]).find(|(other, _)| template(other) == template(path));
            for method in METHODS.into_iter().filter(|method| ours.get(*method).is_some()) {
                operations += 1;
                let place = format!("{} {path}", method.to_uppercase());
                match theirs.and_then(|(other, item)| Some((other, item, item.get(method)?))) {
                    None => self.report(&place, "is not published"),
                    Some((other, item, operation)) => {
                        let promised = Operation { path, item: ours, this: &ours[method] };
                        self.operation(&place, &promised, &Operation { path: other, item, this: operation });
                    }
                }
            }
        }
        if operations == 0 {
            self.report("the contract", "has no operation");
        }
    }

    fn operation(&mut self, place: &str, promised: &Operation<'a>, published: &Operation<'a>) {
        let (ours, theirs) = (promised.this, published.this);
        if ours["operationId"] != theirs["operationId"] {
            let named = format!("the operationId has to be {}, not {}", ours["operationId"], theirs["operationId"]);
            self.report(place, &named);
        }
        self.security(place, ours, theirs);
        self.parameters(place, promised, published);
        self.request_body(place, &ours["requestBody"], &theirs["requestBody"]);
        self.responses(place, &ours["responses"], &theirs["responses"]);
    }

    fn security(&mut self, place: &str, ours: &Value, theirs: &Value) {
        let promised = credentials(self.contract, ours);
        let published = credentials(self.published, theirs);
        let is_open = |credentials: &BTreeSet<String>| credentials.is_empty() || credentials.contains("");
        match (is_open(&promised), is_open(&published)) {
            (true, true) => {}
            (true, false) => self.report(place, "is open in the contract and demands a credential"),
            (false, true) => self.report(place, "demands a credential in the contract and is open"),
            (false, false) => {
                for missing in promised.difference(&published) {
                    self.report(place, &format!("does not take the credential {missing}"));
                }
            }
        }
    }

    fn parameters(&mut self, place: &str, promised: &Operation<'a>, published: &Operation<'a>) {
        let theirs = published.parameters(self.published);
        let ours = promised.parameters(self.contract);
        for (key, parameter) in &ours {
            let place = format!("{place}, {key}");
            let Some((_, other)) = theirs.iter().find(|(other, _)| other == key) else {
                self.report(&place, "is not taken any more");
                continue;
            };
            if is_true(&other["required"]) && !is_true(&parameter["required"]) {
                self.report(&place, "became required");
            }
            self.schema(&place, Request, &parameter["schema"], &other["schema"]);
        }
        for (key, other) in &theirs {
            if is_true(&other["required"]) && !ours.iter().any(|(known, _)| known == key) {
                self.report(&format!("{place}, {key}"), "is required and not in the contract");
            }
        }
    }

    fn request_body(&mut self, place: &str, ours: &Value, theirs: &Value) {
        let (ours, theirs) = (resolve(self.contract, ours), resolve(self.published, theirs));
        let place = format!("{place}, body");
        if is_true(&theirs["required"]) && !is_true(&ours["required"]) {
            self.report(&place, "became required");
        }
        self.content(&place, Request, &ours["content"], &theirs["content"]);
    }

    fn responses(&mut self, place: &str, ours: &Value, theirs: &Value) {
        for (status, response) in members(ours) {
            let place = format!("{place}, {status}");
            let answering: Vec<_> = if status == "default" {
                let is_error = |status: &str| status == "default" || status.starts_with(['4', '5']);
                members(theirs).filter(|(status, _)| is_error(status)).collect()
            } else {
                members(theirs).filter(|(other, _)| other.eq_ignore_ascii_case(status)).collect()
            };
            if answering.is_empty() {
                self.report(&place, "is not published");
            }
            let ours = resolve(self.contract, response);
            for (other, theirs) in answering {
                let place = if other == status { place.clone() } else { format!("{place} as {other}") };
                let theirs = resolve(self.published, theirs);
                self.content(&place, Response, &ours["content"], &theirs["content"]);
                for (name, _) in members(&ours["headers"]) {
                    if !members(&theirs["headers"]).any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                        self.report(&place, &format!("has lost the header {name}"));
                    }
                }
            }
        }
    }

    fn content(&mut self, place: &str, direction: Direction, ours: &Value, theirs: &Value) {
        let essence = |media_type: &str| media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        for (media_type, content) in members(ours) {
            match members(theirs).find(|(other, _)| essence(other) == essence(media_type)) {
                None => self.report(place, &format!("is not published as {media_type}")),
                Some((_, other)) => self.schema(place, direction, &content["schema"], &other["schema"]),
            }
        }
    }

    fn schema(&mut self, place: &str, direction: Direction, ours: &Value, theirs: &Value) {
        let pair = (reference(ours), reference(theirs));
        let is_known = !pair.0.is_empty() && !pair.1.is_empty() && self.within.contains(&pair);
        if is_known || self.within.len() == DEEPEST {
            return;
        }
        self.within.push(pair);
        match (flat(self.contract, ours), flat(self.published, theirs)) {
            (Ok(ours), Ok(theirs)) => self.flat_schema(place, direction, &ours, &theirs),
            (Err(lost), _) | (_, Err(lost)) => self.report(place, &format!("refers to {lost}, which leads nowhere")),
        }
        self.within.pop();
    }

    fn flat_schema(&mut self, place: &str, direction: Direction, ours: &Value, theirs: &Value) {
        if let (None, None) = (alternatives(ours), alternatives(theirs)) {
            self.value(place, direction, ours, theirs);
            self.object(place, direction, ours, theirs);
            if ours["items"].is_object() {
                self.schema(&format!("{place}[]"), direction, &ours["items"], &theirs["items"]);
            }
            return;
        }
        // Every alternative of the inner one needs a match in the outer one.
        let (inner, outer) = direction.order(ours, theirs);
        let listed = |schema| alternatives(schema).unwrap_or(vec![schema]);
        let homeless = listed(inner).into_iter().filter(|&inner| {
            !listed(outer).into_iter().any(|outer| {
                let (ours, theirs) = direction.order(inner, outer);
                let mut part = Check { within: self.within.clone(), found: Vec::new(), ..*self };
                part.schema(place, direction, ours, theirs);
                part.found.is_empty()
            })
        });
        let (homeless, who) = (homeless.count(), direction.choose("taken any more", "in the contract"));
        if homeless > 0 {
            self.report(place, &format!("has {homeless} alternatives that are not {who}"));
        }
    }

    /// Compares type, enum and format.
    fn value(&mut self, place: &str, direction: Direction, ours: &Value, theirs: &Value) {
        let (inner, outer) = direction.order(ours, theirs);
        let changed = |what, from: String, to: String| format!("the {what} has to be {from}, not {to}");
        if let Some(outer) = types(outer) {
            let fits = |kind: &String| outer.contains(kind) || (kind == "integer" && outer.contains("number"));
            if !types(inner).is_some_and(|inner| inner.iter().all(fits)) {
                self.report(place, &changed("type", described(types(ours)), described(types(theirs))));
                return;
            }
        }
        if let Some(outer) = outer["enum"].as_array() {
            let fits = |value: &Value| outer.contains(value) || value.is_null();
            if !inner["enum"].as_array().is_some_and(|inner| inner.iter().all(fits)) {
                self.report(place, &changed("enum", ours["enum"].to_string(), theirs["enum"].to_string()));
            }
        }
        if let Some(outer) = outer["format"].as_str()
            && !format_fits(inner["format"].as_str(), outer, direction)
        {
            self.report(place, &changed("format", ours["format"].to_string(), theirs["format"].to_string()));
        }
    }

    fn object(&mut self, place: &str, direction: Direction, ours: &Value, theirs: &Value) {
        let (inner, outer) = direction.order(ours, theirs);
        let trouble = direction.choose("became required", "is not always given any more");
        for name in names(&outer["required"]).difference(&names(&inner["required"])) {
            self.report(&format!("{place}.{name}"), trouble);
        }
        let takes_anything = direction == Request && !theirs["properties"].is_object() && !is_closed(theirs);
        for (name, property) in members(&ours["properties"]) {
            let place = format!("{place}.{name}");
            match theirs["properties"].get(name) {
                Some(other) => self.schema(&place, direction, property, other),
                None if takes_anything => {}
                None => self.report(&place, "is not published"),
            }
        }
        match (&ours["additionalProperties"], &theirs["additionalProperties"]) {
            (Value::Object(_) | Value::Bool(true), _) if is_closed(theirs) => {
                self.report(place, "has no free members any more");
            }
            (free @ Value::Object(_), other @ Value::Object(_)) => {
                self.schema(&format!("{place}.*"), direction, free, other);
            }
            _ => {}
        }
    }

    fn report(&mut self, place: &str, what: &str) {
        self.found.push(format!("{place}: {what}"));
    }
}

/// An operation with the members it inherits from its path.
struct Operation<'a> {
    path: &'a str,
    item: &'a Value,
    this: &'a Value,
}

impl<'a> Operation<'a> {
    /// Every parameter under a key that is the same in both documents: a path's by its position, a header's in lower
    /// case.
    fn parameters(&self, document: &'a Value) -> Vec<(String, &'a Value)> {
        let slots: Vec<_> = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let listed =
            |at: &'a Value| at["parameters"].as_array().into_iter().flatten().map(|each| resolve(document, each));
        let key = |parameter: &Value| {
            let name = parameter["name"].as_str().unwrap_or_default();
            match parameter["in"].as_str().unwrap_or_default() {
                "path" => {
                    format!("path parameter {}", slots.iter().position(|slot| *slot == name).unwrap_or(slots.len()) + 1)
                }
                "header" => format!("header {}", name.to_lowercase()),
                place => format!("{place} parameter {name}"),
            }
        };
        let mut found: Vec<(String, &Value)> = Vec::new();
        for parameter in listed(self.this).chain(listed(self.item)) {
            let key = key(parameter);
            if !found.iter().any(|(known, _)| *known == key) {
                found.push((key, parameter));
            }
        }
        found
    }
}

/// A path with its parameters' names left out.
fn template(path: &str) -> String {
    let segments = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    segments.collect::<Vec<_>>().join("/")
}

/// Accepted credentials of an operation, one text for each alternative; empty when it is open.
fn credentials(document: &Value, operation: &Value) -> BTreeSet<String> {
    let demanded = operation.get("security").unwrap_or(&document["security"]);
    let one = |name: &str| {
        let scheme = &document["components"]["securitySchemes"][name];
        let parts =
            ["type", "scheme", "in", "name"].map(|part| scheme[part].as_str().unwrap_or_default().to_lowercase());
        parts.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let all = |alternative: &Value| members(alternative).map(|(name, _)| one(name)).collect::<BTreeSet<_>>();
    let together = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(" and ");
    demanded.as_array().into_iter().flatten().map(|alternative| together(all(alternative))).collect()
}

/// Returns the schema with its references resolved and `allOf` joined into one.
fn flat(document: &Value, schema: &Value) -> Result<Value, String> {
    let mut seen = BTreeSet::new();
    let mut schema = schema;
    while let Some(pointer) = schema["$ref"].as_str() {
        if !seen.insert(pointer) {
            return Err(pointer.to_owned());
        }
        schema = pointer.strip_prefix('#').and_then(|at| document.pointer(at)).ok_or(pointer)?;
    }
    let mut joined = schema.as_object().cloned().unwrap_or_default();
    for part in joined.remove("allOf").as_ref().and_then(Value::as_array).into_iter().flatten() {
        for (key, value) in members(&flat(document, part)?) {
            match (joined.get_mut(key), value) {
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
                (Some(Value::Array(known)), Value::Array(more)) if key == "required" => known.extend(more.clone()),
                _ => {
                    joined.insert(key.to_owned(), value.clone());
                }
            }
        }
    }
    Ok(Value::Object(joined))
}

/// Alternatives of a schema, if it has any.
fn alternatives(schema: &Value) -> Option<Vec<&Value>> {
    let listed = ["oneOf", "anyOf"].into_iter().find_map(|key| schema[key].as_array())?;
    Some(listed.iter().collect())
}

/// Reports that each value of the inner format is one of the outer format.
fn format_fits(inner: Option<&str>, outer: &str, direction: Direction) -> bool {
    const INT32: [&str; 5] = ["int8", "int16", "int32", "uint8", "uint16"];
    let Some(inner) = inner else {
        // A number of the contract may be bounded, like a text or a list; a text may not become a date.
        let is_numeric = |format: &str| format.contains("int") || ["float", "double"].contains(&format);
        return direction == Request && is_numeric(outer);
    };
    match outer {
        "int32" => INT32.contains(&inner),
        "int64" => INT32.contains(&inner) || ["int64", "uint32"].contains(&inner),
        "double" => ["float", "double"].contains(&inner),
        other => inner == other,
    }
}

/// Types that a schema allows; `None` when it allows any.
fn types(schema: &Value) -> Option<BTreeSet<String>> {
    let mut types: BTreeSet<String> = match &schema["type"] {
        Value::String(one) => [one.clone()].into(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ if schema["properties"].is_object() => ["object".to_owned()].into(),
        _ => return None,
    };
    if is_true(&schema["nullable"]) {
        types.insert("null".to_owned());
    }
    Some(types)
}

fn described(types: Option<BTreeSet<String>>) -> String {
    types.map_or("anything".to_owned(), |types| types.into_iter().collect::<Vec<_>>().join(" or "))
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|pointer| pointer.strip_prefix('#'));
    pointer.and_then(|at| document.pointer(at)).unwrap_or(value)
}

fn reference(schema: &Value) -> String {
    schema["$ref"].as_str().unwrap_or_default().to_owned()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(key, value)| (key.as_str(), value))
}

fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn is_closed(schema: &Value) -> bool {
    schema["additionalProperties"].as_bool() == Some(false)
}

fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true)
}

// ---- The contracts ------------------------------------------------------------------------------------------------

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi")
}

/// Returns the contracts by name.
fn contracts() -> Vec<(String, Value)> {
    let files = fs::read_dir(folder().join("contract")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut contracts: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap_or_default();
            let contract = serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (name, contract)
        })
        .collect();
    contracts.sort_by(|a, b| a.0.cmp(&b.0));
    contracts
}

#[test]
fn every_contract_holds() {
    let contracts = contracts();
    assert!(!contracts.is_empty(), "no contract was found");
    for (name, contract) in contracts {
        let file = folder().join(format!("{name}.json"));
        let text = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}; `make openapi` writes it", file.display()));
        let published: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let found = violations(&contract, &published);
        assert!(found.is_empty(), "{name}.json falls short of contract/{name}.yaml:\n  {}", found.join("\n  "));
    }
}

/// A contract holds against itself, so each of its references can be resolved; and its operations have proper names.
#[test]
fn every_contract_is_sound() {
    for (name, contract) in contracts() {
        assert_eq!(violations(&contract, &contract), [""; 0], "{name}");
        for (path, item) in members(&contract["paths"]) {
            for (method, operation) in members(item).filter(|(key, _)| METHODS.contains(key)) {
                let id = operation["operationId"].as_str().unwrap_or_default();
                let is_camel_case =
                    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(char::is_alphanumeric);
                assert!(is_camel_case, "{name}: {method} {path} has the operationId {id:?}");
                assert!(
                    operation["responses"].get("default").is_some(),
                    "{name}: {method} {path} promises no error body"
                );
            }
        }
    }
}

mod comparison {
    //! Tests of the comparison: each rule on a small document that breaks it, and on one that does not.

    use super::*;

    /// A document with one operation, with a request and a response body.
    fn document(takes: Value, gives: Value) -> Value {
        json!({
            "paths": {"/things/{id}": {"post": {
                "operationId": "makeThing",
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                    {"$ref": "#/components/parameters/Limit"},
                ],
                "requestBody": {"content": {"application/json": {"schema": takes}}},
                "responses": {
                    "200": {"description": "", "content": {"application/json": {"schema": gives}}},
                    "default": {"$ref": "#/components/responses/Error"},
                },
            }}},
            "security": [{"token": []}],
            "components": {
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
                "parameters": {"Limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
                "responses": {"Error": {"description": "", "content": {"application/json": {"schema":
                    {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}}}}},
                "schemas": {
                    "Colour": {"type": "string", "enum": ["red", "blue"]},
                    "Tree": {"type": "object", "properties": {"name": {"type": "string"},
                        "branches": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
                },
            },
        })
    }

    fn plain() -> Value {
        document(json!({"type": "object"}), json!({"type": "object"}))
    }

    /// The only violation after the published copy of the plain document was changed; `""` when there is none.
    fn after(change: impl FnOnce(&mut Value)) -> String {
        let mut published = plain();
        change(&mut published);
        one(&plain(), &published)
    }

    fn one(contract: &Value, published: &Value) -> String {
        let found = violations(contract, published);
        assert!(found.len() <= 1, "{found:#?}");
        found.into_iter().next().unwrap_or_default()
    }

    fn takes(contract: Value, published: Value) -> String {
        let place = "POST /things/{id}, body";
        one(&document(contract, json!({})), &document(published, json!({}))).replace(place, "")
    }

    fn gives(contract: Value, published: Value) -> String {
        let place = "POST /things/{id}, 200";
        one(&document(json!({}), contract), &document(json!({}), published)).replace(place, "")
    }

    fn operation(document: &mut Value) -> &mut Value {
        &mut document["paths"]["/things/{id}"]["post"]
    }

    fn object(properties: Value) -> Value {
        json!({"type": "object", "properties": properties})
    }

    #[test]
    fn a_document_holds_against_itself() {
        assert_eq!(after(|_| {}), "");
        let tree = json!({"$ref": "#/components/schemas/Tree"});
        assert_eq!(takes(tree.clone(), tree.clone()) + &gives(tree.clone(), tree), "");
    }

    #[test]
    fn an_empty_contract_promises_nothing_and_is_a_mistake() {
        assert_eq!(violations(&json!({}), &plain()), ["the contract: has no operation"]);
    }

    #[test]
    fn operations_stay() {
        let path = "POST /things/{id}";
        assert_eq!(after(|d| d["paths"] = json!({})), format!("{path}: is not published"));
        let renamed = after(|d| operation(d)["operationId"] = json!("createThing"));
        assert_eq!(renamed, format!("{path}: the operationId has to be \"makeThing\", not \"createThing\""));
        let moved = after(|d| d["paths"] = json!({"/things/{id}": {"put": operation(d).clone()}}));
        assert_eq!(moved, format!("{path}: is not published"));
    }

    #[test]
    fn a_path_parameter_may_change_its_name_only() {
        let rename = |d: &mut Value, kind: &str| {
            let mut operation = operation(d).clone();
            operation["parameters"][0] =
                json!({"name": "thingId", "in": "path", "required": true, "schema": {"type": kind}});
            d["paths"] = json!({"/things/{thingId}": {"post": operation}});
        };
        assert_eq!(after(|d| rename(d, "string")), "");
        assert!(after(|d| rename(d, "integer")).ends_with("path parameter 1: the type has to be string, not integer"));
    }

    #[test]
    fn credentials_stay() {
        let open = "POST /things/{id}: demands a credential in the contract and is open";
        assert_eq!(after(|d| d["security"] = json!([])), open);
        assert_eq!(after(|d| operation(d)["security"] = json!([{"token": []}, {}])), open);
        let other = |d: &mut Value| d["components"]["securitySchemes"]["token"]["scheme"] = json!("basic");
        assert_eq!(after(other), "POST /things/{id}: does not take the credential http bearer");
        let more = |d: &mut Value| {
            d["components"]["securitySchemes"]["key"] = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
            d["security"] = json!([{"token": []}, {"key": []}]);
        };
        assert_eq!(after(more), "");
        let both = |d: &mut Value| {
            more(d);
            d["security"] = json!([{"token": [], "key": []}]);
        };
        assert_eq!(after(both), "POST /things/{id}: does not take the credential http bearer");
        let mut contract = plain();
        contract["security"] = json!([]);
        assert_eq!(one(&contract, &plain()), "POST /things/{id}: is open in the contract and demands a credential");
    }

    #[test]
    fn parameters_only_widen() {
        let limit = |d: &mut Value, change: Value| d["components"]["parameters"]["Limit"] = change;
        let place = "POST /things/{id}, query parameter limit";
        assert_eq!(after(|d| limit(d, json!({}))), format!("{place}: is not taken any more"));
        let required = json!({"name": "limit", "in": "query", "required": true, "schema": {"type": "integer"}});
        assert_eq!(after(|d| limit(d, required)), format!("{place}: became required"));
        let bounded = json!({"name": "limit", "in": "query", "schema": {"type": "integer", "format": "uint32"}});
        assert_eq!(after(|d| limit(d, bounded)), "");
        let narrowed = json!({"name": "limit", "in": "query", "schema": {"type": "integer", "enum": [1]}});
        assert_eq!(after(|d| limit(d, narrowed)), format!("{place}: the enum has to be null, not [1]"));
        let add = |d: &mut Value, required: bool| {
            let header = json!({"name": "X-Key", "in": "header", "required": required, "schema": {"type": "string"}});
            operation(d)["parameters"].as_array_mut().unwrap().push(header);
        };
        assert_eq!(after(|d| add(d, false)), "");
        assert_eq!(after(|d| add(d, true)), "POST /things/{id}, header x-key: is required and not in the contract");
    }

    #[test]
    fn bodies_stay() {
        let place = "POST /things/{id}, body";
        let without = after(|d| operation(d)["requestBody"] = json!({}));
        assert_eq!(without, format!("{place}: is not published as application/json"));
        let required = after(|d| operation(d)["requestBody"]["required"] = json!(true));
        assert_eq!(required, format!("{place}: became required"));
        let spelled = |d: &mut Value| {
            let content = operation(d)["requestBody"]["content"]["application/json"].take();
            operation(d)["requestBody"]["content"] = json!({"application/JSON; charset=utf-8": content});
        };
        assert_eq!(after(spelled), "");
    }

    #[test]
    fn statuses_and_error_bodies_stay() {
        let place = "POST /things/{id}";
        let lost = after(|d| {
            operation(d)["responses"].as_object_mut().unwrap().remove("200");
        });
        assert_eq!(lost, format!("{place}, 200: is not published"));
        let set = |d: &mut Value, errors: Value| {
            let ok = operation(d)["responses"]["200"].clone();
            operation(d)["responses"] = errors;
            operation(d)["responses"]["200"] = ok;
        };
        assert_eq!(after(|d| set(d, json!({}))), format!("{place}, default: is not published"));
        let error = json!({"$ref": "#/components/responses/Error"});
        assert_eq!(after(|d| set(d, json!({"400": error, "5XX": error}))), "");
        let bare = after(|d| set(d, json!({"400": error, "404": {"description": ""}})));
        assert_eq!(bare, format!("{place}, default as 404: is not published as application/json"));
        let other = json!({"content": {"application/json": {"schema": object(json!({"message": {}}))}}});
        let found = {
            let mut published = plain();
            set(&mut published, json!({"404": other}));
            violations(&plain(), &published)
        };
        let place = format!("{place}, default as 404.error");
        assert_eq!(found, [format!("{place}: is not always given any more"), format!("{place}: is not published")]);
    }

    #[test]
    fn response_headers_stay() {
        let mut contract = plain();
        operation(&mut contract)["responses"]["200"]["headers"] = json!({"Location": {}});
        assert_eq!(one(&contract, &plain()), "POST /things/{id}, 200: has lost the header Location");
        let mut published = plain();
        operation(&mut published)["responses"]["200"]["headers"] = json!({"LOCATION": {}});
        assert_eq!(one(&contract, &published), "");
    }

    #[test]
    fn fields_that_are_taken_stay_and_none_becomes_required() {
        let text = json!({"type": "string"});
        let two = object(json!({"a": text, "b": text}));
        assert_eq!(takes(two.clone(), object(json!({"a": text}))), ".b: is not published");
        assert_eq!(takes(object(json!({"a": text})), two.clone()), "");
        assert_eq!(takes(two.clone(), json!({"type": "object"})), "", "a free object takes them all");
        assert!(
            !violations(
                &document(two.clone(), json!({})),
                &document(json!({"type": "object", "additionalProperties": false}), json!({}))
            )
            .is_empty()
        );
        let mut required = two.clone();
        required["required"] = json!(["a"]);
        assert_eq!(takes(two.clone(), required.clone()), ".a: became required");
        assert_eq!(takes(required, two), "");
        let free = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let closed = json!({"type": "object", "additionalProperties": false});
        assert_eq!(takes(free.clone(), closed), ": has no free members any more");
        let numbers = json!({"type": "object", "additionalProperties": {"type": "integer"}});
        assert_eq!(takes(free, numbers), ".*: the type has to be string, not integer");
    }

    #[test]
    fn fields_that_are_given_stay() {
        let text = json!({"type": "string"});
        let two = object(json!({"a": text, "b": text}));
        assert_eq!(gives(two.clone(), object(json!({"a": text}))), ".b: is not published");
        assert_eq!(gives(object(json!({"a": text})), two.clone()), "");
        let mut always = two.clone();
        always["required"] = json!(["a"]);
        assert_eq!(gives(always.clone(), two.clone()), ".a: is not always given any more");
        assert_eq!(gives(two, always), "");
    }

    #[test]
    fn types_widen_one_way_and_narrow_the_other() {
        for (narrow, wide) in [
            (json!({"type": "string"}), json!({})),
            (json!({"type": "integer"}), json!({"type": "number"})),
            (json!({"type": "string"}), json!({"type": "string", "nullable": true})),
            (json!({"type": "string"}), json!({"type": ["string", "null"]})),
            (json!({"type": "string", "enum": ["red"]}), json!({"$ref": "#/components/schemas/Colour"})),
            (json!({"type": "string", "enum": ["red"]}), json!({"type": "string"})),
            (json!({"type": "string", "format": "uuid"}), json!({"type": "string"})),
            (json!({"type": "integer", "format": "uint16"}), json!({"type": "integer", "format": "int32"})),
            (json!({"type": "string"}), json!({"oneOf": [{"type": "integer"}, {"type": "string"}]})),
            (json!({"anyOf": [{"type": "string"}]}), json!({"anyOf": [{"type": "boolean"}, {"type": "string"}]})),
            (object(json!({"a": {"type": "string"}})), object(json!({"a": {}}))),
            (json!({"type": "array", "items": {"type": "string"}}), json!({"type": "array", "items": {}})),
        ] {
            assert_eq!(takes(narrow.clone(), wide.clone()), "", "{narrow} to {wide}");
            assert_ne!(takes(wide.clone(), narrow.clone()), "", "{wide} to {narrow}");
            assert_eq!(gives(wide.clone(), narrow.clone()), "", "{wide} to {narrow}");
            assert_ne!(gives(narrow.clone(), wide.clone()), "", "{narrow} to {wide}");
        }
    }

    #[test]
    fn messages_say_what_was_promised() {
        assert_eq!(
            takes(json!({"type": "string"}), json!({"type": "integer"})),
            ": the type has to be string, not integer"
        );
        let colours = json!({"type": "string", "enum": ["red", "blue", "green"]});
        let message = ": the enum has to be [\"red\",\"blue\"], not [\"red\",\"blue\",\"green\"]";
        assert_eq!(gives(json!({"$ref": "#/components/schemas/Colour"}), colours), message);
        let date = json!({"type": "string", "format": "date-time"});
        assert_eq!(takes(json!({"type": "string"}), date), ": the format has to be null, not \"date-time\"");
        let either = json!({"oneOf": [{"type": "string"}, {"type": "integer"}]});
        assert_eq!(
            takes(either.clone(), json!({"type": "string"})),
            ": has 1 alternatives that are not taken any more"
        );
        assert_eq!(gives(json!({"type": "string"}), either), ": has 1 alternatives that are not in the contract");
    }

    #[test]
    fn references_and_all_of_are_seen_through() {
        let reference = json!({"$ref": "#/components/schemas/Tree"});
        let wrapped = json!({"allOf": [reference, {"description": "wrapped"}]});
        assert_eq!(takes(reference.clone(), wrapped.clone()) + &gives(wrapped, reference.clone()), "");
        let changed = object(json!({"name": {"type": "string"}, "branches": {"type": "array", "items": object(json!({
            "name": {"type": "integer"}, "branches": {"type": "array", "items": reference}}))}}));
        assert_eq!(takes(reference, changed), ".branches[].name: the type has to be string, not integer");
        let lost = json!({"$ref": "#/components/schemas/Lost"});
        assert_eq!(takes(json!({}), lost), ": refers to #/components/schemas/Lost, which leads nowhere");
    }
}
