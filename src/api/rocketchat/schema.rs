//! Messages of the product's own validator. They are part of the dialect, and so is their order: a body is checked
//! against each of a few schemas, the first fault of each is reported, and then that none of them matches.

use serde_json::{Map, Value};

use crate::{
    api::shared::fault::{Fault, Protocol},
    domain::error::Violation,
};

/// Type of a body's member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A non-empty text.
    Some,
    /// A text that contains this.
    Containing(&'static str),
    /// Exactly this text.
    Exactly(&'static str),
    /// A Boolean.
    Truth,
    /// A number.
    Number,
    /// A list of non-empty texts.
    Texts,
}

/// A member of a body.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    name: &'static str,
    kind: Kind,
    required: bool,
    nullable: bool,
}

/// Declares a required member.
pub const fn must(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: true, nullable: false }
}

/// Declares an optional member, which may be null.
pub const fn may(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false, nullable: true }
}

/// Schema of a body.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Its members, in groups; missing ones are reported in this order.
    pub members: &'static [&'static [Member]],
    /// True if unknown members are refused.
    pub closed: bool,
}

impl Shape {
    /// Returns the first fault of a body.
    fn wrong(&self, body: &Map<String, Value>) -> Option<String> {
        let members = || self.members.iter().copied().flatten();
        let missing = members().find(|member| member.required && !body.contains_key(member.name));
        if let Some(member) = missing {
            return Some(format!("must have required property '{}'", member.name));
        }
        let known = |name: &String| members().any(|member| member.name == name);
        if self.closed && !body.keys().all(known) {
            return Some("must NOT have additional properties".to_owned());
        }
        members().find_map(|member| member.wrong(body.get(member.name)?))
    }
}

impl Member {
    fn wrong(&self, value: &Value) -> Option<String> {
        if self.nullable && value.is_null() {
            return None;
        }
        let text = |demand: &dyn Fn(&str) -> Option<String>| match value {
            Value::String(text) => demand(text),
            _ => Some("must be string".to_owned()),
        };
        match self.kind {
            Kind::Text => text(&|_| None),
            Kind::Some => text(&|text| text.is_empty().then(too_short)),
            Kind::Containing(part) => {
                text(&|text| (!text.contains(part)).then(|| format!("must match pattern \"{part}\"")))
            }
            Kind::Exactly(word) => text(&|text| (text != word).then(|| "must be equal to constant".to_owned())),
            Kind::Truth => (!value.is_boolean()).then(|| "must be boolean".to_owned()),
            Kind::Number => (!value.is_number()).then(|| "must be number".to_owned()),
            Kind::Texts => match value {
                Value::Array(items) => items.iter().find_map(|item| match item {
                    Value::String(text) => text.is_empty().then(too_short),
                    _ => Some("must be string".to_owned()),
                }),
                _ => Some("must be array".to_owned()),
            },
        }
    }
}

fn too_short() -> String {
    "must NOT have fewer than 1 characters".to_owned()
}

/// Parses a body that matches exactly one of several schemas; returns it with the schema's index.
///
/// # Errors
/// The product's messages.
pub fn one_of(raw: &[u8], shapes: &[Shape]) -> Result<(Map<String, Value>, usize), Fault> {
    let body = object(raw)?;
    let wrong: Vec<Option<String>> = shapes.iter().map(|shape| shape.wrong(&body)).collect();
    let mut fitting = wrong.iter().enumerate().filter(|(_, wrong)| wrong.is_none()).map(|(index, _)| index);
    if let (Some(index), None) = (fitting.next(), fitting.next()) {
        return Ok((body, index));
    }
    let none = "must match exactly one schema in oneOf".to_owned();
    Err(refusal(wrong.into_iter().flatten().chain([none])))
}

/// Parses a body that matches a schema.
///
/// # Errors
/// The product's message.
pub fn shaped(raw: &[u8], shape: &Shape) -> Result<Map<String, Value>, Fault> {
    let body = object(raw)?;
    match shape.wrong(&body) {
        None => Ok(body),
        Some(wrong) => Err(refusal([wrong])),
    }
}

/// An absent body counts as an object without members.
fn object(raw: &[u8]) -> Result<Map<String, Value>, Fault> {
    if raw.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(raw) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(refusal(["must be object".to_owned()])),
        Err(error) => {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
            Err(Protocol::MalformedJson { reason, line: error.line(), column: error.column() }.into())
        }
    }
}

fn refusal(sentences: impl IntoIterator<Item = String>) -> Fault {
    let violation = |message| Violation { field: String::new(), message };
    Protocol::BodyViolations(sentences.into_iter().map(violation).collect()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Shape = Shape {
        members: &[&[must("type", Kind::Containing("one")), must("name", Kind::Some), may("more", Kind::Texts)]],
        closed: false,
    };
    const OTHER: Shape =
        Shape { members: &[&[must("type", Kind::Exactly("other")), must("on", Kind::Truth)]], closed: true };

    fn sentences(body: &str) -> Vec<String> {
        match one_of(body.as_bytes(), &[ONE, OTHER]) {
            Ok((_, index)) => vec![index.to_string()],
            Err(fault) => fault.violations().into_iter().map(|violation| violation.message).collect(),
        }
    }

    #[test]
    fn the_first_fault_of_each_schema_is_reported() {
        let none = "must match exactly one schema in oneOf";
        for (body, expected) in [
            (r#"{"type": "someone", "name": "x"}"#, vec!["0"]),
            (r#"{"type": "one", "name": "x", "more": null, "else": 1}"#, vec!["0"]),
            (r#"{"type": "other", "on": true}"#, vec!["1"]),
            ("{}", vec!["must have required property 'type'", "must have required property 'type'", none]),
            ("", vec!["must have required property 'type'", "must have required property 'type'", none]),
            (
                r#"{"type": "two", "name": "x", "on": 1}"#,
                vec!["must match pattern \"one\"", "must NOT have additional properties", none],
            ),
            (
                r#"{"type": "one", "name": "", "on": 1}"#,
                vec!["must NOT have fewer than 1 characters", "must NOT have additional properties", none],
            ),
            (r#"{"type": 1, "on": 1}"#, vec!["must have required property 'name'", "must be string", none]),
            ("[]", vec!["must be object"]),
        ] {
            assert_eq!(sentences(body), expected, "{body}");
        }
        assert!(matches!(one_of(b"{", &[ONE]), Err(Fault::Protocol(Protocol::MalformedJson { .. }))));
    }
}
