//! Checks that a value is a valid and acceptable JSON schema (draft-07). A user's schema is never compiled and never
//! evaluated here: it is only validated against the metaschema, so the cost is bounded by its size.
//!
//! Unknown keywords are let through, and so is any `pattern`: it is never executed here. Not here: the evaluation of a
//! configuration's schema (`configuration`).

use std::{io, sync::LazyLock};

use jsonschema::{Draft, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};

use super::{
    check::seen,
    issue::{Issue, Issues, Location, Rule, cut},
};

/// Maximum size of a schema, in bytes of JSON without white space.
pub const MAX_SCHEMA_BYTES: usize = 102_400;

/// Maximum nesting depth of a schema.
pub const MAX_SCHEMA_DEPTH: usize = 100;

/// Maximum number of issues listed for one schema.
const MAX_ISSUES: usize = 20;

/// The keywords with a schema, or a list of schemas, as their value.
const SCHEMAS: [&str; 13] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "propertyNames",
    "then",
    "unevaluatedProperties",
];

/// The keywords with a map of schemas as their value.
const MAPS_OF_SCHEMAS: [&str; 5] = ["$defs", "definitions", "dependencies", "patternProperties", "properties"];

/// The metaschema. Formats are not validated: that would compile every `pattern`.
static METASCHEMA: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let metaschema = json!({"$ref": "http://json-schema.org/draft-07/schema#"});
    jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(false).build(&metaschema).ok()
});

/// Checks a schema. `names_entities` allows a `$ref` that is the name of an entity: its existence is not checked here.
pub(super) fn check(schema: &Value, at: &Location<'_>, names_entities: bool, issues: &mut Issues) {
    let Some(object) = schema.as_object() else {
        return issues.add_found(Rule::Type, at, "must be object", &seen(schema));
    };
    if object.is_empty() {
        return;
    }
    if deeper_than(MAX_SCHEMA_DEPTH, schema) {
        let says = format_args!("must NOT be nested more than {MAX_SCHEMA_DEPTH} levels deep");
        return issues.add(Rule::JsonSchema, at, says);
    }
    if larger_than(MAX_SCHEMA_BYTES, schema) {
        return issues.add(Rule::Limit, at, format_args!("must NOT be larger than {MAX_SCHEMA_BYTES} bytes"));
    }
    if has_nul(schema) {
        return issues.add(Rule::Characters, at, "must NOT contain the character U+0000");
    }
    let Some(metaschema) = METASCHEMA.as_ref() else {
        return issues.add(Rule::JsonSchema, at, "cannot be checked");
    };
    if !metaschema.is_valid(schema) {
        let mut left = MAX_ISSUES;
        for error in metaschema.iter_errors(schema) {
            report(&error, at, issues, &mut left);
        }
    }
    References { root: schema, names_entities, issues }.within(object, at, true);
}

/// Reports an error in the words of ajv, at most `left` times.
fn report(error: &ValidationError<'_>, at: &Location<'_>, issues: &mut Issues, left: &mut usize) {
    let says = match error.kind() {
        // A value of several forms, such as `items` or `type`: the form that has its type was meant.
        ValidationErrorKind::AnyOf { context } => {
            let here = error.instance_path().as_str();
            let is_other = |error: &ValidationError<'_>| match error.kind() {
                ValidationErrorKind::Type { .. } => error.instance_path().as_str() == here,
                // The enum values of `type`.
                ValidationErrorKind::Enum { .. } => {
                    error.instance_path().as_str() == here && !error.instance().is_string()
                }
                _ => false,
            };
            let mut meant = context.iter().filter(|errors| !errors.iter().any(is_other));
            match (meant.next(), meant.next()) {
                (Some(errors), None) => return errors.iter().for_each(|error| report(error, at, issues, left)),
                _ => "must match one of the forms that JSON Schema draft-07 has for it".to_owned(),
            }
        }
        ValidationErrorKind::Type { kind } => match kind {
            jsonschema::error::TypeKind::Single(one) => format!("must be {one}"),
            jsonschema::error::TypeKind::Multiple(several) => {
                let names: Vec<_> = several.iter().map(|one| one.to_string()).collect();
                format!("must be {}", names.join(" or "))
            }
        },
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map_or(&[][..], Vec::as_slice);
            let words: Vec<_> = options.iter().filter_map(Value::as_str).collect();
            format!("must be equal to one of the allowed values: {}", words.join(", "))
        }
        ValidationErrorKind::Minimum { limit } => format!("must be >= {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be > {limit}"),
        ValidationErrorKind::MinItems { limit } => format!("must NOT have fewer than {limit} items"),
        ValidationErrorKind::UniqueItems => "must NOT have duplicate items".to_owned(),
        other => format!("breaks the rule {:?} of JSON Schema draft-07", other.keyword()),
    };
    if *left > 0 {
        *left -= 1;
        let path = format!("{at}{}", cut(error.instance_path().as_str(), 1_000));
        issues.push(|| Issue::new(Rule::JsonSchema, path, says).found(&seen(error.instance())));
    }
}

/// Checks the `$ref`s of a schema. They have to lead to a location within it. A recursive reference is harmless: it is
/// followed together with a value, which is finite.
struct References<'a, 'i> {
    root: &'a Value,
    names_entities: bool,
    issues: &'i mut Issues,
}

impl References<'_, '_> {
    /// `is_based` is true if `#` is the root: an `$id` on the way changes the base.
    fn within(&mut self, schema: &Map<String, Value>, at: &Location<'_>, is_based: bool) {
        if self.issues.enough() {
            return;
        }
        let is_based = is_based && (std::ptr::eq(schema, self.base()) || !schema.contains_key("$id"));
        if let Some(Value::String(reference)) = schema.get("$ref") {
            self.reference(reference, &at.key("$ref"), is_based);
        }
        for keyword in SCHEMAS {
            match schema.get(keyword) {
                Some(Value::Object(inner)) => self.within(inner, &at.key(keyword), is_based),
                Some(Value::Array(list)) => {
                    let at = at.key(keyword);
                    for (index, inner) in list.iter().enumerate() {
                        let Some(inner) = inner.as_object() else { continue };
                        self.within(inner, &at.index(index), is_based);
                    }
                }
                _ => {}
            }
        }
        for keyword in MAPS_OF_SCHEMAS {
            let Some(Value::Object(map)) = schema.get(keyword) else { continue };
            let at = at.key(keyword);
            for (key, inner) in map {
                let Some(inner) = inner.as_object() else { continue };
                self.within(inner, &at.key(key), is_based);
            }
        }
    }

    fn base(&self) -> *const Map<String, Value> {
        self.root.as_object().map_or(std::ptr::null(), |root| root)
    }

    fn reference(&mut self, reference: &str, at: &Location<'_>, is_based: bool) {
        if self.names_entities && is_entity(reference) {
            return;
        }
        let Some(pointer) = reference.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            let says = "must lead to a place within the schema, such as \"#/definitions/name\"";
            return self.issues.add_found(Rule::JsonSchema, at, says, reference);
        };
        // A percent-encoded pointer, or one relative to another `$id`, is not checked.
        let leads_nowhere = self.root.pointer(pointer).is_none_or(|there| !there.is_object() && !there.is_boolean());
        if is_based && !pointer.contains('%') && leads_nowhere {
            let says = "must lead to a place within the schema: there is no schema at this one";
            self.issues.add_found(Rule::JsonSchema, at, says, reference);
        }
    }
}

/// Returns true if a reference is the name of an entity, as the product's SDK writes it in an interface.
pub(super) fn is_entity(reference: &str) -> bool {
    !reference.starts_with('#')
}

/// Passes each reference of a schema, in the order of the keywords.
pub(super) fn each_reference(schema: &mut Value, pass: &mut impl FnMut(&mut String)) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::String(reference)) = schema.get_mut("$ref") {
        pass(reference);
    }
    for keyword in SCHEMAS {
        match schema.get_mut(keyword) {
            Some(Value::Array(list)) => list.iter_mut().for_each(|inner| each_reference(inner, pass)),
            Some(inner) => each_reference(inner, pass),
            None => {}
        }
    }
    for keyword in MAPS_OF_SCHEMAS {
        let map = schema.get_mut(keyword).and_then(Value::as_object_mut);
        map.into_iter().flat_map(Map::values_mut).for_each(|inner| each_reference(inner, pass));
    }
}

/// Returns true if a value is nested deeper than so many levels. It reads no deeper than that.
fn deeper_than(levels: usize, value: &Value) -> bool {
    match value {
        Value::Object(map) => levels == 0 || map.values().any(|value| deeper_than(levels - 1, value)),
        Value::Array(list) => levels == 0 || list.iter().any(|value| deeper_than(levels - 1, value)),
        _ => false,
    }
}

/// Returns true if a value is longer as JSON. It is written no further than that.
fn larger_than(most: usize, value: &Value) -> bool {
    struct Room(usize);
    impl io::Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Room(most), value).is_err()
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
