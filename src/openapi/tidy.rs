//! Removes from schemas what the framework writes and nobody needs, and says the rest in words that other programs know.

use serde_json::{Map, Number, Value};

/// Most entries of a map that a document tells in numbers. An example of a map may be made with as many as there may be:
/// a bound that is there only so that there is one is told in words.
const MOST_ENTRIES: u64 = 200;

/// Tells the bound of an enormous map in words.
fn tell_bound(object: &mut Map<String, Value>) {
    let Some(most) = object.get("maxProperties").and_then(Value::as_u64).filter(|most| *most > MOST_ENTRIES) else {
        return;
    };
    object.shift_remove("maxProperties");
    let said = object.get("description").and_then(Value::as_str).unwrap_or_default().trim_end_matches('.');
    let end = format!("At most {most} entries.");
    let description = if said.is_empty() { end } else { format!("{said}. {end}") };
    object.insert("description".into(), description.into());
}

/// Removes the framework's noise from a schema, and describes unsigned numbers by keywords that other programs know.
pub fn tidy_schema(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for limit in ["maximum", "minimum", "multipleOf"] {
        if let Some(whole) = object.get(limit).and_then(Value::as_f64).and_then(whole) {
            object.insert(limit.into(), whole.into());
        }
    }
    let format = object.get("format").and_then(Value::as_str);
    if let Some(signed) = format.and_then(|format| match format {
        "uint8" | "uint16" | "int8" | "int16" => Some("int32"),
        "uint32" | "uint64" => Some("int64"),
        _ => None,
    }) {
        if format.is_some_and(|format| format.starts_with('u')) {
            object.entry("minimum").or_insert(0.into());
        }
        object.insert("format".into(), signed.into());
    }
    unwrap_lines(object);
    tell_bound(object);
    leave_out_nulls(object);
    // A reference with a description: the framework writes the description twice.
    let outer = object.clone();
    if let Some(Value::Array(all)) = object.get_mut("allOf") {
        let said = |part: &Value| match part.as_object() {
            Some(part) => part.iter().all(|(key, value)| outer.get(key) == Some(value)),
            None => false,
        };
        all.retain(|part| !said(part));
    }
    // A union need not be an object only.
    if ["oneOf", "anyOf"].iter().any(|key| object.contains_key(*key)) && !object.contains_key("properties") {
        object.remove("type");
    }
}

/// Removes absent members from an example, too.
fn leave_out_nulls(schema: &mut Map<String, Value>) {
    let properties = schema.get("properties").cloned().unwrap_or_default();
    if let Some(Value::Object(example)) = schema.get_mut("example") {
        example.retain(|name, value| !value.is_null() || properties[name.as_str()].get("nullable").is_some());
    }
}

#[allow(clippy::cast_possible_truncation, reason = "checked: it is whole and small")]
fn whole(number: f64) -> Option<Number> {
    (number.fract() == 0.0 && number.abs() < 1e15).then(|| Number::from(number as i64))
}

/// Joins the lines of each paragraph of a description: the line breaks of our source have no meaning.
pub fn unwrap_lines(object: &mut Map<String, Value>) {
    let Some(Value::String(text)) = object.get_mut("description") else { return };
    let is_plain = |line: &str| line.starts_with(|first: char| first.is_alphanumeric() || "`\"(*_".contains(first));
    let paragraph = |paragraph: &str| match paragraph.lines().all(is_plain) {
        true => paragraph.lines().collect::<Vec<_>>().join(" "),
        false => paragraph.to_owned(),
    };
    *text = text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bound_of_an_enormous_map_is_told_in_words() {
        for (said, told) in [(None, "At most 1000 entries."), (Some("By name"), "By name. At most 1000 entries.")] {
            let mut schema = json!({"type": "object", "maxProperties": 1000});
            if let Some(said) = said {
                schema["description"] = said.into();
            }
            tidy_schema(&mut schema);
            assert_eq!(schema, json!({"type": "object", "description": told}));
        }
        let mut small = json!({"type": "object", "maxProperties": 200});
        tidy_schema(&mut small);
        assert_eq!(small["maxProperties"], json!(200));
    }

    #[test]
    fn a_paragraph_is_one_line() {
        let mut object = json!({"description": "One\ntwo.\n\n- a\n- b"});
        unwrap_lines(object.as_object_mut().unwrap());
        assert_eq!(object["description"], "One two.\n\n- a\n- b");
    }

    #[test]
    fn an_example_leaves_out_what_is_absent() {
        let mut schema =
            json!({"properties": {"a": {}, "b": {"nullable": true}}, "example": {"a": null, "b": null, "c": 1}});
        leave_out_nulls(schema.as_object_mut().unwrap());
        assert_eq!(schema["example"], json!({"b": null, "c": 1}));
    }
}
