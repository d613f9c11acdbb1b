//! Examples of all requests and answers, assembled from those of the types.

use serde_json::{Map, Value, json};

use crate::api::shared::schema::each_operation;

/// Maximum depth, because a schema may contain itself.
const DEEPEST: usize = 8;

/// Adds an example to every body that has none.
pub fn add_examples(document: &mut Value) {
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    each_operation(document, |_, operation| {
        operation.get_mut("requestBody").into_iter().for_each(|body| add_to_bodies(body, &schemas));
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        responses.into_iter().flatten().for_each(|(_, response)| add_to_bodies(response, &schemas));
    });
}

fn add_to_bodies(holder: &mut Value, schemas: &Value) {
    for (media_type, media) in holder.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
        let Some(media) = media.as_object_mut() else { continue };
        if media.contains_key("example") || media.contains_key("examples") {
            continue;
        }
        let example = match media_type.as_str() {
            "text/html" => Some("<!doctype html><title>Tieline</title><p>Done.</p>".into()),
            "image/svg+xml" => Some("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>".into()),
            _ => media.get("schema").and_then(|schema| example(schema, schemas, DEEPEST)),
        };
        if let Some(example) = example {
            media.insert("example".into(), example);
        }
    }
}

/// Builds an example of a schema, through a number of references; none of a deeper one.
fn example(schema: &Value, schemas: &Value, depth: usize) -> Option<Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let depth = depth.checked_sub(1)?;
        return example(schemas.get(reference.rsplit('/').next()?)?, schemas, depth);
    }
    let given = schema.get("example").or_else(|| schema["enum"].get(0)).or_else(|| schema.get("default"));
    if let Some(given) = given {
        return Some(given.clone());
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let examples = parts.iter().filter_map(|part| example(part, schemas, depth));
        let own = (schema.get("properties").is_some()).then(|| of_object(schema, schemas, depth));
        return examples.chain(own).reduce(merge);
    }
    if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        return choices.iter().find_map(|choice| example(choice, schemas, depth));
    }
    Some(match schema["type"].as_str() {
        Some("object") => of_object(schema, schemas, depth),
        Some("array") => {
            let item = schema.get("items").and_then(|items| example(items, schemas, depth));
            item.into_iter().collect::<Vec<_>>().into()
        }
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        Some("boolean") => true.into(),
        Some("string") => of_text(schema).into(),
        _ => json!({}),
    })
}

/// Merges two objects; of any other two values the first counts.
fn merge(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

fn of_object(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let properties = schema["properties"].as_object();
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let member = |(name, schema): (&String, &Value)| {
        // Optional members are in an example where the schema has one of its own.
        let shown = required(name) || schema.get("example").is_some() || schema.get("enum").is_some();
        shown.then(|| example(schema, schemas, depth)).flatten().map(|example| (name.clone(), example))
    };
    properties.into_iter().flatten().filter_map(member).collect::<Map<_, _>>().into()
}

fn of_text(schema: &Value) -> &'static str {
    match schema["format"].as_str() {
        Some("uuid") => "0199a5c2-7d10-7a3e-9c41-2f0f6f0c1d55",
        Some("date-time") => "2026-03-14T09:26:53Z",
        Some("date") => "2026-03-14",
        Some("uri" | "url") => "https://example.com/",
        Some("email") => "ada@example.com",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_put_together_from_the_types_own() {
        let schemas = json!({
            "Name": {"type": "string", "example": "ada"},
            "Node": {"type": "object", "required": ["child"], "properties": {"child": {"$ref": "#/components/schemas/Node"}}},
            "User": {
                "type": "object",
                "required": ["id", "name", "roles"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "name": {"$ref": "#/components/schemas/Name"},
                    "roles": {"type": "array", "items": {"type": "string", "enum": ["owner", "admin"]}},
                    "left": {"type": "string", "format": "date-time"},
                },
            },
        });
        let of = |name: &str| example(&json!({"$ref": format!("#/components/schemas/{name}")}), &schemas, DEEPEST);
        let user = json!({"id": "0199a5c2-7d10-7a3e-9c41-2f0f6f0c1d55", "name": "ada", "roles": ["owner"]});
        assert_eq!(of("User"), Some(user));
        assert!(of("Node").is_some_and(|node| node.is_object()));
    }

    #[test]
    fn what_was_written_stays() {
        let mut body = json!({"content": {
            "application/json": {"schema": {"type": "string"}, "example": "mine"},
            "text/plain": {"schema": {"type": "integer", "minimum": 3}},
        }});
        add_to_bodies(&mut body, &json!({}));
        assert_eq!(body["content"]["application/json"]["example"], "mine");
        assert_eq!(body["content"]["text/plain"]["example"], 3);
    }
}
