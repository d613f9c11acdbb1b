//! Walks through a body along the table of shapes and lists all issues.
//!
//! The walk is bounded: a map or a list with too many entries is refused without reading them, and after very many
//! issues the rest is not read. Not here: rules across members, on the merged result (`outcome`).

use serde_json::{Map, Value};
use url::Url;

use super::{
    Enclosures,
    file::{self, FileError},
    issue::{Issues, Location, Rule, cut},
    json_schema,
    names::{DefinitionName, IDENTIFIER_RULE, NAME_RULE, SECRET_RULE, is_identifier, is_secret_name},
    shape::{Field, Keys, Null, Shape, When},
    version::{VERSION_RULE, Version},
};

/// Maximum size of the code, in bytes.
pub const MAX_CODE: usize = 52_428_800;
/// Maximum length of a secret, in characters.
pub const MAX_SECRET: usize = 20_000;
/// Maximum length of a URL, in characters.
pub const MAX_URL: usize = 2_000;
/// Maximum length of a key, in characters.
const MAX_KEY: usize = 200;
/// Maximum execution time that may be requested, in seconds.
pub const MAX_EXECUTION_SECS: u32 = 86_400;

/// Operation that a body is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Create,
    Update,
}

impl When {
    pub(super) fn holds(self, mode: Mode) -> bool {
        match self {
            When::Never => false,
            When::InCreate => mode == Mode::Create,
            When::InUpdate => mode == Mode::Update,
            When::Always => true,
        }
    }
}

impl Null {
    fn holds(self, mode: Mode) -> bool {
        match self {
            Null::Never => false,
            Null::InUpdate => mode == Mode::Update,
            Null::Always => true,
        }
    }
}

/// State of the walk, with its results.
pub(super) struct Walk<'a> {
    pub(super) mode: Mode,
    /// True if a schema may refer to an entity by its name.
    pub(super) names_entities: bool,
    pub(super) issues: &'a mut Issues,
    /// The files decoded on the way.
    pub(super) enclosures: &'a mut Enclosures,
}

impl Walk<'_> {
    /// Checks a value and all within it.
    pub(super) fn value(&mut self, shape: &Shape, value: &Value, at: &Location<'_>) {
        match shape {
            Shape::Object { fields, .. } => self.object(fields, value, at),
            Shape::Map { of, keys, most, null } => self.map((of, *keys, *most, *null), value, at),
            Shape::List { of, most } => self.list(of, *most, value, at),
            Shape::Schema => json_schema::check(value, at, self.names_entities, self.issues),
            Shape::Hints => {
                if !value.is_object() {
                    self.wrong_type("object", value, at);
                }
            }
            Shape::Flag => {
                if !value.is_boolean() {
                    self.wrong_type("boolean", value, at);
                }
            }
            Shape::Seconds => self.seconds(value, at),
            Shape::Code | Shape::Secret | Shape::Icon | Shape::Readme => match value.as_str() {
                Some(text) => self.hidden(shape, text, at),
                // The value may be the secret, in the wrong place.
                None => self.issues.add_found(Rule::Type, at, "must be string", name_of(value)),
            },
            Shape::Text { .. } | Shape::Name | Shape::Version | Shape::Id | Shape::Url | Shape::Choice(_) => {
                match value.as_str() {
                    Some(text) => self.text(shape, text, at),
                    None => self.wrong_type("string", value, at),
                }
            }
        }
    }

    fn object(&mut self, fields: &[Field], value: &Value, at: &Location<'_>) {
        let Some(object) = value.as_object() else { return self.wrong_type("object", value, at) };
        for field in fields.iter().filter(|field| field.needed.holds(self.mode)) {
            if !object.contains_key(field.name) {
                let says = format_args!("must have required property '{}'", field.name);
                self.issues.add(Rule::Required, at, says);
            }
        }
        for (key, value) in object {
            if self.issues.enough() {
                return;
            }
            let at = at.key(key);
            let Some(field) = fields.iter().find(|field| field.name == key && field.known != When::Never) else {
                let names = fields.iter().filter(|field| field.known.holds(self.mode)).map(|field| field.name);
                let names = names.collect::<Vec<_>>().join(", ");
                self.issues.add(Rule::UnknownKey, &at, format_args!("is not known, only these are: {names}"));
                continue;
            };
            if !field.known.holds(self.mode) {
                let says = match self.mode {
                    Mode::Create => "can only be set by an update",
                    Mode::Update => "cannot be changed: it is set when the version is created",
                };
                self.issues.add(Rule::UnknownKey, &at, says);
            } else if !(value.is_null() && field.null.holds(self.mode)) {
                self.value(field.shape, value, &at);
            }
        }
    }

    fn map(&mut self, of: (&Shape, Keys, usize, Null), value: &Value, at: &Location<'_>) {
        let (shape, keys, most, null) = of;
        let Some(map) = value.as_object() else {
            let found = if keys == Keys::Secrets { name_of(value).to_owned() } else { seen(value) };
            return self.issues.add_found(Rule::Type, at, "must be object", &found);
        };
        let takes_null = null.holds(self.mode);
        let is_given = |value: &&Value| !(takes_null && value.is_null());
        // An update may remove as many as there are.
        let taken_away = map.values().filter(|value| !is_given(value)).count();
        if map.len() - taken_away > most || taken_away > crate::domain::registry::definition::shape::MAX_ENTRIES {
            return self.issues.add(Rule::Limit, at, format_args!("must NOT have more than {most} properties"));
        }
        for (key, value) in map {
            if self.issues.enough() {
                return;
            }
            let at = at.key(key);
            self.key(keys, key, &at);
            if is_given(&value) {
                self.value(shape, value, &at);
            }
        }
    }

    fn key(&mut self, keys: Keys, key: &str, at: &Location<'_>) {
        match keys {
            Keys::Identifiers if !is_identifier(key) => self.issues.add(Rule::Identifier, at, IDENTIFIER_RULE),
            Keys::Secrets if !is_secret_name(key) => self.issues.add(Rule::SecretName, at, SECRET_RULE),
            Keys::Free if key.contains('\0') => self.characters(at),
            Keys::Free if key.is_empty() || longer_than(key, MAX_KEY) => {
                self.issues.add(Rule::Key, at, format_args!("must have a key of 1 to {MAX_KEY} characters"));
            }
            Keys::Identifiers | Keys::Secrets | Keys::Free => {}
        }
    }

    fn list(&mut self, of: &Shape, most: usize, value: &Value, at: &Location<'_>) {
        let Some(list) = value.as_array() else { return self.wrong_type("array", value, at) };
        if list.len() > most {
            return self.issues.add(Rule::Limit, at, format_args!("must NOT have more than {most} items"));
        }
        for (index, value) in list.iter().enumerate() {
            self.value(of, value, &at.index(index));
        }
    }

    fn text(&mut self, shape: &Shape, text: &str, at: &Location<'_>) {
        if text.contains('\0') {
            return self.characters(at);
        }
        let mut say = |rule, says: &str| self.issues.add_found(rule, at, says, text);
        match shape {
            Shape::Text { least, most } => self.length(*least, *most, text, at),
            Shape::Name if longer_than(text, crate::domain::registry::definition::names::MAX_NAME) => {
                self.length(0, crate::domain::registry::definition::names::MAX_NAME, text, at)
            }
            Shape::Name if DefinitionName::parse(text).is_none() => say(Rule::Name, NAME_RULE),
            Shape::Version if longer_than(text, crate::domain::registry::definition::version::MAX_VERSION) => {
                self.length(0, crate::domain::registry::definition::version::MAX_VERSION, text, at);
            }
            Shape::Version if Version::parse(text).is_none() => say(Rule::Version, VERSION_RULE),
            Shape::Id => self.length(28, 36, text, at),
            Shape::Url if longer_than(text, MAX_URL) => self.length(0, MAX_URL, text, at),
            Shape::Url if !is_web_address(text) => {
                say(Rule::Url, "must be an absolute http or https address, such as \"https://teams.example/hook\"");
            }
            Shape::Choice(words) if !words.contains(&text) => {
                let says = format!("must be equal to one of the allowed values: {}", words.join(", "));
                say(Rule::Enum, &says);
            }
            _ => {}
        }
    }

    fn length(&mut self, least: usize, most: usize, text: &str, at: &Location<'_>) {
        if longer_than(text, most) {
            let says = format_args!("must NOT have more than {most} characters");
            self.issues.add_found(Rule::MaxLength, at, says, text);
        } else if text.len() < least && text.chars().count() < least {
            let says = format_args!("must NOT have fewer than {least} characters");
            self.issues.add_found(Rule::MinLength, at, says, text);
        }
    }

    /// Checks a text that is never shown.
    fn hidden(&mut self, shape: &Shape, text: &str, at: &Location<'_>) {
        match shape {
            Shape::Code if text.len() > MAX_CODE => {
                self.issues.add(Rule::Limit, at, format_args!("must NOT be larger than {MAX_CODE} bytes"));
            }
            Shape::Secret if longer_than(text, MAX_SECRET) => {
                self.issues.add(Rule::MaxLength, at, format_args!("must NOT have more than {MAX_SECRET} characters"));
            }
            Shape::Icon => match file::icon(text) {
                Ok(icon) => self.enclosures.icon = icon,
                Err(FileError { rule, says }) => self.issues.add(rule, at, says),
            },
            Shape::Readme => match file::readme(text) {
                Ok(readme) => self.enclosures.readme = readme,
                Err(FileError { rule, says }) => self.issues.add(rule, at, says),
            },
            _ if text.contains('\0') => self.characters(at),
            _ => {}
        }
    }

    fn seconds(&mut self, value: &Value, at: &Location<'_>) {
        match whole_seconds(value) {
            Some(seconds) if (1..=MAX_EXECUTION_SECS).contains(&seconds) => {}
            None if !value.is_number() => self.wrong_type("integer", value, at),
            _ => {
                let says = format_args!("must be a whole number from 1 to {MAX_EXECUTION_SECS}");
                self.issues.add_found(Rule::Range, at, says, &seen(value));
            }
        }
    }

    fn characters(&mut self, at: &Location<'_>) {
        self.issues.add(Rule::Characters, at, "must NOT contain the character U+0000");
    }

    fn wrong_type(&mut self, wanted: &str, value: &Value, at: &Location<'_>) {
        self.issues.add_found(Rule::Type, at, format_args!("must be {wanted}"), &seen(value));
    }
}

/// Reads a whole number in any notation: to JSON `10.0` is one.
pub(super) fn whole_seconds(value: &Value) -> Option<u32> {
    let number = value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=1e9).contains(number))?;
        Some(number as u64)
    })?;
    u32::try_from(number).ok()
}

/// Returns true if a text has more characters than the limit. A long one is not counted to its end.
fn longer_than(text: &str, most: usize) -> bool {
    text.len() > most && text.chars().nth(most).is_some()
}

/// Accepts a web address, and an empty text, which clears it in the product.
fn is_web_address(text: &str) -> bool {
    let is_web = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    text.is_empty() || Url::parse(text).is_ok_and(is_web)
}

/// Formats a value for an issue.
pub(super) fn seen(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, 100),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => name_of(value).to_owned(),
    }
}

/// Names the type of a value, for people.
fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Estimates the size of an object as JSON, in bytes, without some of its members. It stops counting above `most`.
pub(super) fn weight(object: &Map<String, Value>, most: usize, is_counted: impl Fn(&str) -> bool) -> usize {
    let mut sum = 2;
    let mut open: Vec<&Value> = Vec::new();
    for (key, value) in object.iter().filter(|(key, _)| is_counted(key)) {
        sum += key.len() + 4;
        open.push(value);
    }
    while let Some(value) = open.pop().filter(|_| sum <= most) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => sum += 5,
            Value::String(text) => sum += text.len() + 3,
            Value::Array(list) => {
                sum += list.len() + 2;
                if sum <= most {
                    open.extend(list);
                }
            }
            Value::Object(map) => {
                sum += map.len() * 4 + 2;
                if sum <= most {
                    sum += map.keys().map(String::len).sum::<usize>();
                    open.extend(map.values());
                }
            }
        }
    }
    sum
}
