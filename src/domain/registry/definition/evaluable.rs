//! JSON schemas of a definition that values are validated against.
//!
//! A schema is user input, so it is only evaluated if its size bounds the cost: with every reference expanded it has to
//! stay small, and none may be recursive. Not here: the validity of a schema (`json_schema`).

use jsonschema::{Draft, PatternOptions, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value};

use crate::domain::{
    Error, Result,
    error::{Violation, clip},
};

/// Maximum number of values of a schema, with every reference expanded.
const MAX_NODES: usize = 10_000;

/// Maximum nesting depth, with every reference expanded.
const MAX_NESTING: usize = 200;

/// Maximum number of violations of a value that are listed.
const MAX_VIOLATIONS: usize = 20;

/// Maximum length of a rule that is repeated in a message, in bytes.
const MAX_RULE: usize = 200;

const BACKTRACKS: usize = 100_000;
const MAX_PATTERN: usize = 1 << 20;

/// A schema that can be evaluated.
#[derive(Clone, Debug)]
pub struct Evaluable {
    schema: Value,
    field: String,
}

impl Evaluable {
    /// Returns the schema at `field` of a definition, without its own identifier.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the field if evaluating it could take forever.
    pub fn of(mut schema: Value, field: impl Into<String>) -> Result<Self> {
        if let Some(root) = schema.as_object_mut() {
            root.remove("$id");
            root.remove("$schema");
        }
        let field = field.into();
        let mut bounds = Bounds { field: &field, root: &schema, left: MAX_NODES, within: vec!["#"] };
        bounds.walk(&schema, MAX_NESTING)?;
        Ok(Self { schema, field })
    }

    /// Returns the schema itself.
    pub(super) fn value(&self) -> &Value {
        &self.schema
    }

    /// Returns the properties that it declares.
    pub(in crate::domain::registry) fn properties(&self) -> Option<&Map<String, Value>> {
        self.schema.get("properties")?.as_object()
    }

    /// Returns the violations of a value, at their places below `place`. They never repeat the value, which may be a
    /// secret.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the schema if it cannot be evaluated.
    pub fn violations(&self, value: &Value, place: &str) -> Result<Vec<Violation>> {
        let validator = self.validator()?;
        let mut found = Vec::new();
        for error in validator.iter_errors(value) {
            let at = format!("{place}{}", error.instance_path().as_str());
            let mut member = |name: &str, message: &str| {
                let name = clip(name).replace('~', "~0").replace('/', "~1");
                found.push(Violation { field: format!("{at}/{name}"), message: message.to_owned() });
            };
            match error.kind() {
                ValidationErrorKind::Required { property } => {
                    member(property.as_str().unwrap_or_default(), "is required");
                }
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    unexpected.iter().for_each(|name| member(name, "is not a known member"));
                }
                _ => found.push(Violation { message: self.rule(&error, " of its schema"), field: at }),
            }
            if found.len() >= MAX_VIOLATIONS {
                break;
            }
        }
        found.truncate(MAX_VIOLATIONS);
        Ok(found)
    }

    /// Fails where values cannot be validated against it.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the schema.
    pub fn demand_evaluable(&self) -> Result<()> {
        self.validator().map(drop)
    }

    /// Returns the sentence about a violated rule; `of` continues its name. It never repeats the value.
    pub(super) fn rule(&self, error: &ValidationError<'_>, of: &str) -> String {
        let rule = self.schema.pointer(error.schema_path().as_str()).map(Value::to_string);
        let rule = rule.filter(|rule| rule.len() <= MAX_RULE).map(|rule| format!(": {rule}")).unwrap_or_default();
        format!("breaks the rule \"{}\"{of}{rule}", error.kind().keyword())
    }

    /// Compiles the schema.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the schema if it cannot be evaluated.
    pub(super) fn validator(&self) -> Result<Validator> {
        let patterns = PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS).size_limit(MAX_PATTERN);
        let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(false);
        let built = options.with_pattern_options(patterns).build(&self.schema);
        let says = "cannot be evaluated: a reference or a pattern of it is not understood";
        built.map_err(|_| Error::invalid(&self.field, says))
    }
}

/// Measures a schema with its references expanded.
struct Bounds<'a> {
    field: &'a str,
    root: &'a Value,
    left: usize,
    within: Vec<&'a str>,
}

impl<'a> Bounds<'a> {
    fn walk(&mut self, value: &'a Value, levels: usize) -> Result<()> {
        let field = self.field;
        let too_large =
            || Error::invalid(field, format!("must have at most {MAX_NODES} values with its references written out"));
        self.left = self.left.checked_sub(1).ok_or_else(too_large)?;
        let levels = levels.checked_sub(1).ok_or_else(too_large)?;
        match value {
            Value::Array(list) => list.iter().try_for_each(|inner| self.walk(inner, levels)),
            Value::Object(map) => {
                if map.get("$id").is_some_and(Value::is_string) {
                    return Err(Error::invalid(self.field, "must not have an \"$id\" below its root to be evaluated"));
                }
                if let Some(Value::String(reference)) = map.get("$ref") {
                    self.follow(reference, levels)?;
                }
                map.values().try_for_each(|inner| self.walk(inner, levels))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn follow(&mut self, reference: &'a str, levels: usize) -> Result<()> {
        if self.within.contains(&reference) {
            return Err(Error::invalid(self.field, format!("must not lead back to {reference:?} to be evaluated")));
        }
        let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.is_empty() && !pointer.contains('%'));
        let there = pointer.and_then(|pointer| self.root.pointer(pointer));
        let there =
            there.ok_or_else(|| Error::invalid(self.field, format!("has a reference to nothing: {reference:?}")))?;
        self.within.push(reference);
        self.walk(there, levels)?;
        self.within.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn violations_have_their_places_and_no_value() {
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["a/b"], "properties": {
            "a/b": {"type": "string"}, "list": {"items": {"type": "integer", "maximum": 3}},
        }});
        let schema = Evaluable::of(schema, "/schema").unwrap();
        let found = schema.violations(&json!({"list": [1, 9], "x": "hunter2"}), "/input").unwrap();
        let mut found: Vec<_> = found.iter().map(|one| (one.field.as_str(), one.message.as_str())).collect();
        found.sort_unstable();
        let expected = [
            ("/input/a~1b", "is required"),
            ("/input/list/1", "breaks the rule \"maximum\" of its schema: 3"),
            ("/input/x", "is not a known member"),
        ];
        assert_eq!(found, expected);
        assert_eq!(schema.violations(&json!({"a/b": ""}), "").unwrap(), []);
    }

    #[test]
    fn the_list_of_violations_is_bounded() {
        let schema = Evaluable::of(json!({"items": {"type": "string"}}), "/schema").unwrap();
        let many: Vec<u8> = vec![1; 1000];
        assert_eq!(schema.violations(&json!(many), "").unwrap().len(), MAX_VIOLATIONS);
        let schema = Evaluable::of(json!({"pattern": "("}), "/schema").unwrap();
        assert!(schema.violations(&json!("x"), "").is_err());
    }
}
