//! Converts a published OpenAPI 3.0 document to 3.1, within the part of 3.1 that utoipa's typed model preserves.

use serde_json::{Map, Value, json};

use crate::api::shared::schema::{each_operation, each_schema, modernise};

/// Returns the same document in OpenAPI 3.1.
pub fn upgrade(document: &Value) -> Value {
    let mut document = document.clone();
    each_schema(&mut document, &mut |schema| {
        modernise(schema);
        name_every_type(schema);
    });
    each_operation(&mut document, |_, operation| {
        operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().for_each(forget_required_headers);
    });
    document
        .pointer_mut("/components/responses")
        .and_then(Value::as_object_mut)
        .into_iter()
        .for_each(forget_required_headers);
    document["openapi"] = json!("3.1.0");
    document
}

/// Removes `required` from the headers of answers, which utoipa does not know.
fn forget_required_headers(responses: &mut Map<String, Value>) {
    let headers = responses.values_mut().filter_map(|response| response.get_mut("headers")?.as_object_mut());
    for header in headers.flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        header.remove("required");
    }
}

/// Every type of JSON.
const EVERY_TYPE: [&str; 6] = ["object", "array", "string", "number", "boolean", "null"];

/// Adds every possible type to a schema without one, because utoipa reads no schema without a type.
pub(super) fn name_every_type(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if ["type", "$ref", "allOf", "anyOf", "oneOf"].iter().any(|key| object.contains_key(*key)) {
        return;
    }
    object.insert("type".into(), json!(EVERY_TYPE));
}

/// Removes the types that [`name_every_type`] has added: to a generator of clients they would be a union of six.
pub(super) fn forget_every_type(document: &mut Value) {
    each_schema(document, &mut |schema| {
        if let Some(object) = schema.as_object_mut()
            && object.get("type") == Some(&json!(EVERY_TYPE))
        {
            object.remove("type");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_anything_says_so() {
        let old = json!({"openapi": "3.0.3", "components": {"schemas": {
            "A": {"type": "object", "properties": {"any": {}, "maybe": {"type": "string", "nullable": true}}},
        }}});
        let new = upgrade(&old);
        assert_eq!(new["openapi"], "3.1.0");
        let properties = &new["components"]["schemas"]["A"]["properties"];
        assert_eq!(properties["any"]["type"].as_array().map(Vec::len), Some(6));
        assert_eq!(properties["maybe"]["type"], json!(["string", "null"]));
        let mut new = new;
        forget_every_type(&mut new);
        let properties = &new["components"]["schemas"]["A"]["properties"];
        assert_eq!((&properties["any"], &properties["maybe"]["type"]), (&json!({}), &json!(["string", "null"])));
    }
}
