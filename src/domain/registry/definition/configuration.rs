//! The `configuration` of an installed version: its settings, and a schema that validates their values.
//!
//! Not here: the stored values, and the bounds of a schema that is evaluated (`evaluable`).

use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};

use super::{Definition, evaluable::Evaluable};
use crate::domain::{Error, Result, apps::descriptor::MAX_OPTIONS};

/// Maximum size of a setting's value, in bytes of JSON.
const MAX_VALUE: usize = 40_000;

const FIELD: &str = "/configuration/schema";

/// Words in the name of a property that make it a secret.
const SECRET_WORDS: [&str; 5] = ["secret", "password", "token", "apikey", "api_key"];

/// A configuration with a schema that can be evaluated.
#[derive(Clone, Debug)]
pub struct Configuration {
    schema: Evaluable,
}

impl Configuration {
    /// Returns the configuration of a definition.
    ///
    /// # Errors
    /// [`Error::Invalid`] if evaluating its schema could take forever.
    pub fn of(definition: &Definition) -> Result<Self> {
        let schema = definition.configuration.get("schema").cloned().unwrap_or_else(|| json!({}));
        Ok(Self { schema: Evaluable::of(schema, FIELD)? })
    }

    /// Returns true if the schema constrains a setting.
    pub fn governs(&self, label: &str) -> bool {
        self.schema.properties().is_some_and(|properties| properties.contains_key(label))
            || self.schema.value().get("additionalProperties").is_some()
    }

    /// Returns the settings, as declared in a descriptor.
    pub(super) fn settings(&self) -> Vec<Value> {
        let required = self.schema.value().get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let properties = self.schema.properties().into_iter().flatten();
        properties.map(|(name, property)| self.setting(name, property, is_required(name))).collect()
    }

    fn setting(&self, name: &str, property: &Value, required: bool) -> Value {
        let target = property.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        let property = target.and_then(|pointer| self.schema.value().pointer(pointer)).unwrap_or(property);
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
        let validator = self.schema.validator()?;
        for error in validator.iter_errors(values) {
            let path = error.instance_path().as_str();
            let own = path.strip_prefix('/').and_then(|path| path.split('/').next());
            let is_own = own.is_some_and(|own| own.replace("~1", "/").replace("~0", "~") == label);
            let is_unexpected = path.is_empty()
                && matches!(error.kind(), ValidationErrorKind::AdditionalProperties { unexpected } if unexpected.iter().any(|name| name == label));
            if is_own || is_unexpected {
                return Err(Error::invalid(field, self.schema.rule(&error, " of its configuration")));
            }
        }
        Ok(())
    }
}

/// Returns true if a property holds a secret, by its schema or by its name.
pub(in crate::domain::registry) fn is_secret(name: &str, property: &Value) -> bool {
    let name = name.to_lowercase();
    property["x-zui"]["secret"] == true
        || property["writeOnly"] == true
        || property["format"] == "password"
        || SECRET_WORDS.iter().any(|word| name.contains(word))
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
