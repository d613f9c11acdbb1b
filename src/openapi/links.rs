//! Links to the next operations: an answer with the id of a new thing links to the operations on it.

use serde_json::{Map, Value, json};

use super::publish::SCHEMAS;

/// An operation on one thing.
struct Target {
    path: String,
    id: String,
}

/// Links each answer of a `POST` with the id of the created thing to the operations on it.
pub fn add_links(document: &mut Value) {
    let targets: Vec<Target> = document["paths"].as_object().into_iter().flatten().flat_map(targets).collect();
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    let paths = document["paths"].as_object_mut();
    for (path, item) in paths.into_iter().flatten() {
        let Some(responses) = item.pointer_mut("/post/responses").and_then(Value::as_object_mut) else { continue };
        for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            let schema = response.pointer("/content/application~1json/schema").cloned().unwrap_or_default();
            let Some(id) = place_of_id(&schema, &schemas) else { continue };
            let links: Map<_, _> = targets.iter().filter_map(|target| link(path, target, &id)).collect();
            if !links.is_empty() {
                response["links"] = links.into();
            }
        }
    }
}

fn targets((path, item): (&String, &Value)) -> Vec<Target> {
    let ids = item.as_object().into_iter().flat_map(Map::values).filter_map(|one| one["operationId"].as_str());
    ids.map(|id| Target { path: path.clone(), id: id.to_owned() }).collect()
}

/// Builds the link from a path that creates to an operation on one created thing, and nothing else.
fn link(path: &str, target: &Target, id: &str) -> Option<(String, Value)> {
    let mut parameters = Map::new();
    let mut theirs = target.path.split('/');
    for ours in path.split('/') {
        let their = theirs.next()?;
        match (parameter(ours), parameter(their)) {
            (Some(ours), Some(their)) => {
                parameters.insert(their.into(), format!("$request.path.{ours}").into());
            }
            _ if ours != their => return None,
            _ => {}
        }
    }
    parameters.insert(parameter(theirs.next()?)?.into(), format!("$response.body#{id}").into());
    if theirs.any(|segment| parameter(segment).is_some()) {
        return None;
    }
    Some((target.id.clone(), json!({ "operationId": target.id, "parameters": parameters })))
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Finds the location of the id in an answer: in itself, or in its one member with an id.
fn place_of_id(schema: &Value, schemas: &Value) -> Option<String> {
    let properties = properties(schema, schemas)?;
    if properties.contains_key("id") {
        return Some("/id".into());
    }
    let has_id = |(name, inner): (&String, &Value)| {
        let inner = inner.pointer("/allOf/0").unwrap_or(inner);
        self::properties(inner, schemas)?.contains_key("id").then(|| format!("/{name}/id"))
    };
    let mut found = properties.iter().filter_map(has_id);
    found.next().filter(|_| found.next().is_none())
}

fn properties<'a>(schema: &Value, schemas: &'a Value) -> Option<&'a Map<String, Value>> {
    schemas[schema["$ref"].as_str()?.strip_prefix(SCHEMAS)?]["properties"].as_object()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(made: Value) -> Value {
        let response = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Made"}}}});
        let mut document = json!({
            "paths": {
                "/v1/homes/{home}/things": {
                    "get": {"operationId": "list"},
                    "post": {"operationId": "create", "responses": {"201": response.clone(), "400": response}},
                },
                "/v1/homes/{home_id}/things/{id}": {"get": {"operationId": "get"}, "delete": {"operationId": "delete"}},
                "/v1/homes/{home}/things/{thing}/parts": {"get": {"operationId": "parts"}},
                "/v1/homes/{home}/things/{thing}/parts/{part}": {"get": {"operationId": "part"}},
                "/v1/homes/{home}/things/count": {"get": {"operationId": "count"}},
                "/v1/homes/{home}/others/{id}": {"get": {"operationId": "other"}},
            },
            "components": {"schemas": {
                "Made": made, "Thing": {"properties": {"id": {}}}, "Word": {"properties": {"text": {}}},
            }},
        });
        add_links(&mut document);
        let mut without = document["paths"]["/v1/homes/{home}/things"]["post"]["responses"].take();
        assert!(without["400"].get("links").is_none());
        without["201"]["links"].take()
    }

    #[test]
    fn what_was_made_leads_to_the_operations_on_it() {
        let links = linked(json!({"properties": {"id": {}, "thing": {"$ref": "#/components/schemas/Thing"}}}));
        let names: Vec<_> = links.as_object().unwrap().keys().collect();
        assert_eq!(names, ["get", "delete", "parts"]);
        let parameters = json!({"home_id": "$request.path.home", "id": "$response.body#/id"});
        assert_eq!(links["get"], json!({"operationId": "get", "parameters": parameters}));
        assert_eq!(links["parts"]["parameters"]["thing"], "$response.body#/id");
    }

    #[test]
    fn an_id_is_found_in_an_envelope_where_there_is_one_only() {
        let [thing, word] = ["Thing", "Word"].map(|name| json!({"$ref": format!("#/components/schemas/{name}")}));
        let links = linked(json!({"properties": {"secret": {}, "word": word, "thing": {"allOf": [thing]}}}));
        assert_eq!(links["get"]["parameters"]["id"], "$response.body#/thing/id");
        for made in
            [json!({"properties": {"one": thing, "other": thing}}), json!({"properties": {"one": word}}), json!({})]
        {
            assert_eq!(linked(made), Value::Null);
        }
    }
}
