//! The `configuration` of an installed version: its settings, and a schema that validates their values.
//!
//! A schema is user input, so it is only evaluated if its size bounds the cost: with every reference expanded it has to
//! stay small, and none may be recursive. Not here: the stored values.

use jsonschema::{Draft, PatternOptions, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};

use super::Definition;
use crate::domain::{Error, Result, apps::descriptor::MAX_OPTIONS};

/// Maximum number of values of a schema, with every reference expanded.
const MAX_NODES: usize = 10_000;

/// Maximum nesting depth, with every reference expanded.
const MAX_NESTING: usize = 200;

/// Maximum size of a setting's value, in bytes of JSON.
const MAX_VALUE: usize = 40_000;

const FIELD: &str = "/configuration/schema";
const BACKTRACKS: usize = 100_000;
const MAX_PATTERN: usize = 1 << 20;

/// Words in the name of a property that make it a secret.
const SECRET_WORDS: [&str; 5] = ["secret", "password", "token", "apikey", "api_key"];

/// A configuration with a schema that can be evaluated.
#[derive(Clone, Debug)]
pub struct Configuration {
    schema: Value,
}

impl Configuration {
    /// Returns the configuration of a definition.
    ///
    /// # Errors
    /// [`Error::Invalid`] if evaluating its schema could take forever.
    pub fn of(definition: &Definition) -> Result<Self> {
        let mut schema = definition.configuration.get("schema").cloned().unwrap_or_else(|| json!({}));
        if let Some(root) = schema.as_object_mut() {
            root.remove("$id");
            root.remove("$schema");
        }
        let mut bounds = Bounds { root: &schema, left: MAX_NODES, within: vec!["#"] };
        bounds.walk(&schema, MAX_NESTING)?;
        Ok(Self { schema })
    }

    fn properties(&self) -> Option<&Map<String, Value>> {
        self.schema.get("properties")?.as_object()
    }

    /// Returns true if the schema constrains a setting.
    pub fn governs(&self, label: &str) -> bool {
        self.properties().is_some_and(|properties| properties.contains_key(label))
            || self.schema.get("additionalProperties").is_some()
    }

    /// Returns the settings, as declared in a descriptor.
    pub(super) fn settings(&self) -> Vec<Value> {
        let required = self.schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let properties = self.properties().into_iter().flatten();
        properties.map(|(name, property)| self.setting(name, property, is_required(name))).collect()
    }

    fn setting(&self, name: &str, property: &Value, required: bool) -> Value {
        let target = property.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        let property = target.and_then(|pointer| self.schema.pointer(pointer)).unwrap_or(property);
        let options =
            |of: &Value| of.get("enum").and_then(Value::as_array).filter(|all| all.len() <= MAX_OPTIONS).cloned();
        let items = property.get("items").and_then(&options);
        let (kind, options) = match (options(property), property["type"].as_str()) {
            (Some(options), _) => ("dropdown", options),
            (None, Some("number" | "integer")) => ("number", Vec::new()),
            (None, Some("boolean")) => ("checkbox", Vec::new()),
            (None, Some("array")) => ("multi-select", items.unwrap_or_default()),
            _ => ("text", Vec::new()),
        };
        let mut setting =
            json!({"label": name, "type": kind, "required": required, "secret": is_secret(name, property)});
        setting["default"] = property.get("default").cloned().unwrap_or_else(|| json!(""));
        if !options.is_empty() {
            setting["options"] = options.into();
        }
        if let Some(description) = property.get("description").or_else(|| property.get("title")) {
            setting["description"] = description.clone();
        }
        setting
    }

    /// Validates a setting among the others. Errors of the others are ignored: they are filled one by one.
    ///
    /// # Errors
    /// [`Error::Invalid`] of `field` with the violated rule. It never repeats the value, which may be a secret.
    pub fn check(&self, label: &str, values: &Value, field: &str) -> Result<()> {
        if values.to_string().len() > MAX_VALUE {
            return Err(Error::invalid(field, format!("is too much: all settings have at most {MAX_VALUE} bytes")));
        }
        let validator = self.validator()?;
        for error in validator.iter_errors(values) {
            let path = error.instance_path().as_str();
            let own = path.strip_prefix('/').and_then(|path| path.split('/').next());
            let is_own = own.is_some_and(|own| own.replace("~1", "/").replace("~0", "~") == label);
            let is_unexpected = path.is_empty()
                && matches!(error.kind(), ValidationErrorKind::AdditionalProperties { unexpected } if unexpected.iter().any(|name| name == label));
            if is_own || is_unexpected {
                let rule = self.schema.pointer(error.schema_path().as_str()).map(Value::to_string);
                let rule = rule.filter(|rule| rule.len() <= 200).map(|rule| format!(": {rule}")).unwrap_or_default();
                let keyword = error.kind().keyword();
                return Err(Error::invalid(field, format!("breaks the rule \"{keyword}\" of its configuration{rule}")));
            }
        }
        Ok(())
    }

    fn validator(&self) -> Result<Validator> {
        let patterns = PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS).size_limit(MAX_PATTERN);
        let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(false);
        let built = options.with_pattern_options(patterns).build(&self.schema);
        built
            .map_err(|_| Error::invalid(FIELD, "cannot be evaluated: a reference or a pattern of it is not understood"))
    }
}

fn is_secret(name: &str, property: &Value) -> bool {
    let name = name.to_lowercase();
    property["x-zui"]["secret"] == true
        || property["writeOnly"] == true
        || property["format"] == "password"
        || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Measures a schema with its references expanded.
struct Bounds<'a> {
    root: &'a Value,
    left: usize,
    within: Vec<&'a str>,
}

impl<'a> Bounds<'a> {
    fn walk(&mut self, value: &'a Value, levels: usize) -> Result<()> {
        let too_large =
            || Error::invalid(FIELD, format!("must have at most {MAX_NODES} values with its references written out"));
        self.left = self.left.checked_sub(1).ok_or_else(too_large)?;
        let levels = levels.checked_sub(1).ok_or_else(too_large)?;
        match value {
            Value::Array(list) => list.iter().try_for_each(|inner| self.walk(inner, levels)),
            Value::Object(map) => {
                if map.get("$id").is_some_and(Value::is_string) {
                    return Err(Error::invalid(FIELD, "must not have an \"$id\" below its root to be installed"));
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
            return Err(Error::invalid(FIELD, format!("must not lead back to {reference:?} to be installed")));
        }
        let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.is_empty() && !pointer.contains('%'));
        let there = pointer.and_then(|pointer| self.root.pointer(pointer));
        let there = there.ok_or_else(|| Error::invalid(FIELD, format!("has a reference to nothing: {reference:?}")))?;
        self.within.push(reference);
        self.walk(there, levels)?;
        self.within.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::registry::definition::{DefinitionKind, check_create};

    fn configuration(schema: Value) -> Result<Configuration> {
        let body = json!({"name": "acme/a", "version": "1.0.0", "configuration": {"schema": schema}});
        Configuration::of(&check_create(DefinitionKind::Integration, &body).unwrap().0)
    }

    #[test]
    fn a_costly_schema_is_not_evaluated() {
        let cyclic = json!({"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"allOf": [{"$ref": "#/definitions/a"}]}}});
        assert!(configuration(cyclic).is_err());
        assert!(configuration(json!({"properties": {"a": {"$ref": "#"}}})).is_err());
        let mut definitions = json!({"d0": {"type": "string"}});
        for level in 1..20 {
            let one = json!({"$ref": format!("#/definitions/d{}", level - 1)});
            definitions[format!("d{level}")] = json!({"allOf": [one, one]});
        }
        assert!(configuration(json!({"definitions": definitions})).is_err());
        assert!(
            configuration(json!({"definitions": {"a": {}}, "properties": {"a": {"$ref": "#/definitions/a"}}})).is_ok()
        );
    }

    #[test]
    fn only_the_setting_that_is_saved_counts() {
        let schema = json!({"type": "object", "required": ["b"], "additionalProperties": false, "properties": {
            "a/b": {"type": "integer", "minimum": 5}, "b": {"type": "string", "pattern": "^x"}, "c": {"enum": ["p", "q"]},
        }});
        let configuration = configuration(schema).unwrap();
        let check =
            |label: &str, values: Value| configuration.check(label, &values, "/value").map_err(|e| e.to_string());
        assert!(check("a/b", json!({"a/b": 5})).is_ok());
        assert!(check("a/b", json!({"a/b": 5, "b": "wrong"})).is_ok());
        assert!(check("a/b", json!({"a/b": 4})).unwrap_err().contains("\"minimum\" of its configuration: 5"));
        let said = check("b", json!({"b": "hunter2"})).unwrap_err();
        assert!(said.contains("pattern") && !said.contains("hunter2"), "{said}");
        assert!(check("c", json!({"c": "r"})).unwrap_err().contains("enum"));
        assert!(check("d", json!({"d": 1})).unwrap_err().contains("additionalProperties"));
    }
}
