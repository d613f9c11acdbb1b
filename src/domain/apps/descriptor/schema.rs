//! Converts a descriptor's settings into a JSON Schema.
//!
//! Not here: the validation of values (`setting`).

use serde_json::{Map, Value, json};

use super::settings::{SettingKind, SettingSpec};

/// Returns an object schema with a property for each setting.
///
/// Each property has a single type, as readers of it expect, although a number may also be set as a text.
pub(super) fn of_settings(specs: &[SettingSpec]) -> Value {
    let properties: Map<_, _> = specs.iter().map(|spec| (spec.label.clone(), property(spec))).collect();
    let required: Vec<_> = specs.iter().filter(|spec| spec.required).map(|spec| spec.label.as_str()).collect();
    let mut schema = json!({ "properties": properties, "type": "object" });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn property(spec: &SettingSpec) -> Value {
    let of_type = match spec.kind {
        SettingKind::Number => "number",
        SettingKind::Checkbox => "boolean",
        SettingKind::Text
        | SettingKind::Dropdown
        | SettingKind::MultiSelect
        | SettingKind::MultiCheckbox
        | SettingKind::Radio
        | SettingKind::String => "string",
    };
    let mut property = json!({ "type": of_type });
    if let Some(description) = &spec.description {
        property["description"] = description.as_str().into();
    }
    if matches!(spec.kind, SettingKind::Dropdown | SettingKind::Radio) && !spec.options.is_empty() {
        property["enum"] = spec.options.clone().into();
    }
    if !spec.secret && !spec.default.is_null() {
        property["default"] = spec.default.clone();
    }
    property
}
