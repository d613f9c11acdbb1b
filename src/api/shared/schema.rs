//! Traversal of the schemas of an OpenAPI 3.0 document, and their conversion to JSON Schema 2020-12 (which is OpenAPI
//! 3.1's).

use serde_json::{Map, Value, json};

/// Calls `visit` with every schema of a document, inner ones first. Examples and defaults are not schemas.
pub fn each_schema(document: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    for schema in values(document.pointer_mut("/components/schemas")) {
        each_within(schema, visit);
    }
    each_operation(document, |_, operation| {
        if let Some(Value::Array(parameters)) = operation.get_mut("parameters") {
            parameters.iter_mut().filter_map(|p| p.get_mut("schema")).for_each(|s| each_within(s, visit));
        }
        let request = operation.get_mut("requestBody").and_then(|body| body.get_mut("content"));
        values(request).filter_map(|media| media.get_mut("schema")).for_each(|s| each_within(s, visit));
        values(operation.get_mut("responses")).for_each(|response| each_of_response(response, visit));
    });
    values(document.pointer_mut("/components/responses")).for_each(|response| each_of_response(response, visit));
}

fn each_of_response(response: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    for holder in ["content", "headers"] {
        values(response.get_mut(holder)).filter_map(|one| one.get_mut("schema")).for_each(|s| each_within(s, visit));
    }
}

/// Calls `visit` with every operation of a document and its method.
pub fn each_operation(document: &mut Value, mut visit: impl FnMut(&str, &mut Map<String, Value>)) {
    for path in values(document.get_mut("paths")).filter_map(Value::as_object_mut) {
        for (method, operation) in path {
            operation.as_object_mut().into_iter().for_each(|operation| visit(method, operation));
        }
    }
}

/// Iterates over the values of an object; over nothing for any other value.
fn values(object: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    object.and_then(Value::as_object_mut).into_iter().flat_map(|object| object.iter_mut().map(|(_, value)| value))
}

/// Calls `visit` with every schema within one, and then with itself.
fn each_within(schema: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    if let Some(object) = schema.as_object_mut() {
        values(object.get_mut("properties")).for_each(|s| each_within(s, visit));
        for key in ["items", "additionalProperties", "not"] {
            if let Some(inner) = object.get_mut(key).filter(|inner| inner.is_object()) {
                each_within(inner, visit);
            }
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            if let Some(Value::Array(all)) = object.get_mut(key) {
                all.iter_mut().for_each(|s| each_within(s, visit));
            }
        }
    }
    visit(schema);
}

/// Rewrites the keywords that differ between OpenAPI 3.0 and JSON Schema 2020-12: `nullable` and exclusive limits.
pub fn modernise(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for (exclusive, limit) in [("exclusiveMaximum", "maximum"), ("exclusiveMinimum", "minimum")] {
        match object.get(exclusive).and_then(Value::as_bool) {
            Some(true) => {
                let value = object.remove(limit).unwrap_or_default();
                object.insert(exclusive.into(), value);
            }
            Some(false) => _ = object.remove(exclusive),
            None => {}
        }
    }
    if object.remove("nullable") != Some(json!(true)) {
        return;
    }
    if let Some(Value::Array(options)) = object.get_mut("enum") {
        options.push(Value::Null);
    }
    match object.get_mut("type") {
        Some(ty) => *ty = json!([ty.clone(), "null"]),
        None => {
            if let Some(all) = object.remove("allOf") {
                let one = match all {
                    Value::Array(mut all) if all.len() == 1 => all.remove(0),
                    all => json!({ "allOf": all }),
                };
                object.insert("anyOf".into(), json!([one, { "type": "null" }]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modern(mut schema: Value) -> Value {
        modernise(&mut schema);
        schema
    }

    #[test]
    fn null_becomes_a_type() {
        assert_eq!(modern(json!({"type": "string", "nullable": true})), json!({"type": ["string", "null"]}));
        assert_eq!(
            modern(json!({"nullable": true, "allOf": [{"$ref": "#/x"}]})),
            json!({"anyOf": [{"$ref": "#/x"}, {"type": "null"}]})
        );
        assert_eq!(
            modern(json!({"type": "string", "enum": ["a"], "nullable": true})),
            json!({"type": ["string", "null"], "enum": ["a", null]})
        );
    }

    #[test]
    fn an_exclusive_limit_becomes_a_number() {
        assert_eq!(modern(json!({"minimum": 0, "exclusiveMinimum": true})), json!({"exclusiveMinimum": 0}));
        assert_eq!(modern(json!({"minimum": 0, "exclusiveMinimum": false})), json!({"minimum": 0}));
    }

    #[test]
    fn every_schema_is_visited_and_no_example() {
        let mut document = json!({
            "paths": {"/a": {"post": {
                "parameters": [{"schema": {"v": 1}}],
                "requestBody": {"content": {"application/json": {"schema": {"items": {"v": 1}, "v": 1}}}},
                "responses": {"200": {
                    "headers": {"X": {"schema": {"v": 1}}},
                    "content": {"application/json": {"schema": {"oneOf": [{"v": 1}], "v": 1}, "example": {"v": 1}}},
                }},
            }}},
            "components": {"responses": {"B": {"content": {"text/plain": {"schema": {"v": 1}}}}}, "schemas": {"A": {"properties": {"p": {"v": 1}}, "v": 1, "example": {"v": 1}}}},
        });
        let mut seen = 0;
        each_schema(&mut document, &mut |schema| seen += i32::from(schema.get("v").is_some()));
        assert_eq!(seen, 9);
    }
}
