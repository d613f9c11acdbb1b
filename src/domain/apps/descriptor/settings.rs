//! Reads the settings that a descriptor declares.
//!
//! Not here: their values (`setting`).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    finding::{Findings, quoted, rule},
    lint::{flag, type_of},
};
use crate::domain::apps::setting::{MAX_LABEL, validate};

/// Maximum number of settings in a descriptor.
pub const MAX_SETTINGS: usize = 200;
/// Maximum number of options of a setting.
pub const MAX_OPTIONS: usize = 1_000;

/// Type of a setting's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A text.
    Text,
    /// A number, or its text.
    Number,
    /// One of the options.
    Dropdown,
    /// Yes or no.
    Checkbox,
    /// Texts, separated by commas.
    MultiSelect,
    /// Some of the options.
    MultiCheckbox,
    /// One of the options.
    Radio,
    /// A text; not documented, and often seen.
    String,
}

impl SettingKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Number,
        Self::Dropdown,
        Self::Checkbox,
        Self::MultiSelect,
        Self::MultiCheckbox,
        Self::Radio,
        Self::String,
    ];

    /// The name in a descriptor.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Dropdown => "dropdown",
            Self::Checkbox => "checkbox",
            Self::MultiSelect => "multi-select",
            Self::MultiCheckbox => "multi-checkbox",
            Self::Radio => "radio",
            Self::String => "string",
        }
    }

    /// Returns true if it makes no sense without options. A multi-select has them or not.
    pub fn needs_options(self) -> bool {
        matches!(self, Self::Dropdown | Self::Radio | Self::MultiCheckbox)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name.trim()))
    }
}

/// The declaration of a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingSpec {
    /// Its identity, shown to users. Not trimmed: apps look for the exact text.
    pub label: String,
    /// Type of the value. An unknown type counts as text.
    pub kind: SettingKind,
    /// True if the value must not be empty.
    pub required: bool,
    /// The default; `null` if the descriptor has none.
    pub default: Value,
    /// The allowed values; empty means anything.
    pub options: Vec<String>,
    /// Description for users.
    pub description: Option<String>,
    /// True if the value must not be shown.
    pub secret: bool,
    /// The object in the descriptor, which is sent to the app, with `default` overwritten.
    pub object: Map<String, Value>,
}

/// Reads the member `settings` at `path`.
pub(super) fn read(settings: Option<&Value>, path: &str, findings: &mut Findings) -> Vec<SettingSpec> {
    let list = match settings {
        Some(Value::Array(list)) => list,
        None | Some(Value::Null) => {
            findings.warning(rule::MISSING, path, "is missing; an integration without settings has an empty list, []");
            return Vec::new();
        }
        Some(other) => {
            findings.error(rule::TYPE, path, format!("must be a list of settings, not {}", type_of(other)));
            return Vec::new();
        }
    };
    if list.len() > MAX_SETTINGS {
        let message = format!("has {} settings; at most {MAX_SETTINGS} are taken", list.len());
        findings.error(rule::TOO_MANY, path, message);
        return Vec::new();
    }
    let mut labels = HashSet::new();
    let mut specs = Vec::with_capacity(list.len());
    for (index, setting) in list.iter().enumerate() {
        let path = format!("{path}/{index}");
        let Value::Object(object) = setting else {
            let message = format!("must be an object with label, type, required and default, not {}", type_of(setting));
            findings.error(rule::TYPE, path, message);
            continue;
        };
        let Some(spec) = spec(object, &path, findings) else { continue };
        if !labels.insert(spec.label.clone()) {
            let message =
                format!("the label {} is taken by a setting above; both get the same value", quoted(&spec.label));
            findings.warning(rule::DUPLICATE_LABEL, format!("{path}/label"), message);
        }
        specs.push(spec);
    }
    specs
}

fn spec(object: &Map<String, Value>, path: &str, findings: &mut Findings) -> Option<SettingSpec> {
    let label = label(object, path, findings)?;
    let kind = kind(object, path, findings);
    let options = options(object, kind, path, findings);
    let spec = SettingSpec {
        label,
        kind,
        required: flag(object, "required", path, findings).unwrap_or(false),
        default: object.get("default").cloned().unwrap_or_default(),
        options,
        description: object.get("description").and_then(Value::as_str).map(str::to_owned),
        secret: flag(object, "secret", path, findings).unwrap_or(false),
        object: object.clone(),
    };
    check_default(&spec, path, findings);
    Some(spec)
}

fn label(object: &Map<String, Value>, path: &str, findings: &mut Findings) -> Option<String> {
    let path = format!("{path}/label");
    let label = match object.get("label") {
        Some(Value::String(label)) => label.clone(),
        Some(Value::Number(number)) => {
            findings.warning(rule::TYPE, &path, format!("is a number and taken as the text \"{number}\""));
            number.to_string()
        }
        Some(other) => {
            findings.error(rule::TYPE, path, format!("must be a text, not {}", type_of(other)));
            return None;
        }
        None => String::new(),
    };
    if label.trim().is_empty() {
        findings.error(rule::MISSING, path, "is missing; a setting is found by its label");
        return None;
    }
    let length = label.chars().count();
    if length > MAX_LABEL {
        findings.error(rule::TOO_LONG, path, format!("has {length} characters; at most {MAX_LABEL} are taken"));
        return None;
    }
    Some(label)
}

fn kind(object: &Map<String, Value>, path: &str, findings: &mut Findings) -> SettingKind {
    let path = format!("{path}/type");
    let Some(found) = object.get("type") else {
        findings.warning(rule::MISSING, path, "is missing and taken as text");
        return SettingKind::Text;
    };
    match found.as_str().and_then(SettingKind::named) {
        Some(kind) => kind,
        None => {
            let shown = found.as_str().map_or_else(|| type_of(found).to_owned(), quoted);
            let known = SettingKind::ALL.map(SettingKind::as_str).join(", ");
            findings.warning(rule::UNKNOWN_TYPE, path, format!("{shown} is taken as text; known are {known}"));
            SettingKind::Text
        }
    }
}

fn options(object: &Map<String, Value>, kind: SettingKind, path: &str, findings: &mut Findings) -> Vec<String> {
    let at = format!("{path}/options");
    let options = match object.get("options") {
        Some(Value::Array(list)) if list.len() <= MAX_OPTIONS => {
            let options: Vec<_> = list.iter().filter_map(plain).collect();
            if options.len() < list.len() {
                findings.warning(rule::OPTIONS, &at, "holds something that is no text and is left out");
            }
            options
        }
        Some(Value::Array(list)) => {
            let message = format!("has {} options; at most {MAX_OPTIONS} are taken", list.len());
            findings.error(rule::TOO_MANY, &at, message);
            return Vec::new();
        }
        None | Some(Value::Null) => Vec::new(),
        Some(other) => {
            findings.warning(rule::OPTIONS, &at, format!("must be a list of texts; {} is ignored", type_of(other)));
            Vec::new()
        }
    };
    if options.is_empty() && kind.needs_options() {
        let message = format!("a {} without options takes any text", kind.as_str());
        findings.warning(rule::OPTIONS, path, message);
    }
    options
}

/// Checks the default. An empty one is normal: a user has yet to fill it in.
fn check_default(spec: &SettingSpec, path: &str, findings: &mut Findings) {
    let optional = SettingSpec { required: false, ..spec.clone() };
    if let Some(default) = spec.object.get("default").filter(|default| !default.is_null())
        && let Err(violation) = validate(Some(&optional), default)
    {
        findings.warning(rule::DEFAULT, format!("{path}/default"), violation.message);
    }
    if spec.secret && spec.default.as_str().is_some_and(|text| !text.is_empty()) {
        let message = "is a secret, and everybody can read it here";
        findings.warning(rule::DEFAULT, format!("{path}/default"), message);
    }
}

/// Returns a text, a number or a truth value as a text.
pub(in crate::domain) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
