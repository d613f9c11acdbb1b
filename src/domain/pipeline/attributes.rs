//! Attributes of an event: the small, flat part that routes match on.
//!
//! Not here: the names that mean something to a kind of route (`domain::routes`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::error::Violation;

/// Maximum number of attributes of an event.
pub const MAX_ATTRIBUTES: usize = 32;
/// Maximum length of a name, in characters.
const MAX_NAME: usize = 64;
/// Maximum length of a value, in characters.
pub const MAX_VALUE: usize = 255;

/// Names and values. A value is a text, in the canonical string form of CloudEvents 1.0 ("Type System") where it
/// stands for a number, a truth value or a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Returns the value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets an attribute.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the violations of the rules of number, names and values.
    pub fn violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut broken = |field: String, message: String| violations.push(Violation { field, message });
        if self.0.len() > MAX_ATTRIBUTES {
            broken("/attributes".into(), format!("must have at most {MAX_ATTRIBUTES} members"));
        }
        for (name, value) in self.iter() {
            if !is_name(name) {
                let rule = "must be named by letters, digits and underscores, beginning with a letter";
                broken(pointer(name), format!("{rule}, at most {MAX_NAME} of them"));
            }
            if !is_value(value) {
                broken(pointer(name), format!("must be 1 to {MAX_VALUE} characters without control characters"));
            }
        }
        violations
    }
}

impl From<BTreeMap<String, String>> for Attributes {
    fn from(attributes: BTreeMap<String, String>) -> Self {
        Self(attributes)
    }
}

impl From<Attributes> for BTreeMap<String, String> {
    fn from(attributes: Attributes) -> Self {
        attributes.0
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Returns the JSON pointer of an attribute (RFC 6901).
pub fn pointer(name: &str) -> String {
    format!("/attributes/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Returns true for the name of an attribute.
pub fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Returns true for the value of an attribute.
pub fn is_value(value: &str) -> bool {
    (1..=MAX_VALUE).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(attributes: &Attributes) -> Vec<String> {
        attributes.violations().into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn names_are_words_and_values_short_texts() {
        let (name, value) = ("n".repeat(64), "ä".repeat(255));
        for (name, value) in [("a", "b"), ("A_1", " "), (name.as_str(), "🦀"), ("branch", value.as_str())] {
            assert_eq!(fields(&Attributes::from_iter([(name, value)])), [""; 0], "{name}: {value}");
        }
        let (name, value) = ("n".repeat(65), "x".repeat(256));
        let at_name = pointer(&name);
        for (name, value, field) in [
            ("", "b", "/attributes/"),
            ("1a", "b", "/attributes/1a"),
            ("_a", "b", "/attributes/_a"),
            ("a-b", "b", "/attributes/a-b"),
            ("ä", "b", "/attributes/ä"),
            ("a/b~c", "b", "/attributes/a~1b~0c"),
            (name.as_str(), "b", at_name.as_str()),
            ("a", "", "/attributes/a"),
            ("a", "\n", "/attributes/a"),
            ("a", "b\u{0}", "/attributes/a"),
            ("a", "\u{85}", "/attributes/a"),
            ("a", value.as_str(), "/attributes/a"),
        ] {
            assert_eq!(fields(&Attributes::from_iter([(name, value)])), [field], "{name}: {value}");
        }
    }

    #[test]
    fn every_broken_rule_is_reported() {
        let numbered = |count: usize| (0..count).map(|n| (format!("a{n}"), "b".to_owned()));
        assert!(fields(&numbered(MAX_ATTRIBUTES).collect()).is_empty());
        let wrong = [("-".to_owned(), String::new())];
        let found = fields(&numbered(MAX_ATTRIBUTES).chain(wrong).collect());
        assert_eq!(found, ["/attributes", "/attributes/-", "/attributes/-"]);
    }

    #[test]
    fn they_are_an_object_in_json() {
        let attributes = Attributes::from_iter([("b", "2"), ("a", "1")]);
        let json = serde_json::json!({"a": "1", "b": "2"});
        assert_eq!(serde_json::to_value(&attributes).unwrap(), json);
        assert_eq!(serde_json::from_value::<Attributes>(json).unwrap(), attributes);
    }
}
