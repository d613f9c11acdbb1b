//! The character U+0000, which no text of a request may have: PostgreSQL keeps none, and both databases answer alike.
//!
//! Not here: other rules about text (the published documents, `domain`).

use poem::http::Uri;
use serde_json::Value;
use url::form_urlencoded;

use super::{fault::Protocol, media::Media, violations::below};
use crate::domain::error::Violation;

const RULE: &str = "must not contain the character U+0000";

/// Refuses a path or a query with the character.
///
/// # Errors
/// [`Protocol::Parameter`] naming the parameter of the query, or the path.
pub fn check_target(uri: &Uri) -> Result<(), Protocol> {
    let refused = |name: &str| Err(Protocol::Parameter { name: name.to_owned(), reason: RULE.to_owned() });
    if uri.path().contains("%00") {
        return refused("path");
    }
    let query = uri.query().filter(|query| query.contains("%00")).unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    match pairs.find(|(name, value)| name.contains('\0') || value.contains('\0')) {
        Some((name, _)) if name.contains('\0') => refused("query"),
        Some((name, _)) => refused(&name),
        None => Ok(()),
    }
}

/// Refuses a body that is passed on unchanged, if it is JSON or a form with the character.
///
/// # Errors
/// [`Protocol::BodyViolations`].
pub fn check_raw(media: Media, raw: &[u8]) -> Result<(), Protocol> {
    match media {
        Media::Json => check_json_text(raw),
        Media::Form if contains(raw, b"%00") || raw.contains(&0) => Err(violation(String::new())),
        Media::Form if !contains(raw, b"u0000") => Ok(()),
        // A form's field may be JSON, and some clients call JSON a form.
        Media::Form => {
            let mut fields = form_urlencoded::parse(raw);
            check_json_text(raw).and_then(|()| fields.try_for_each(|(_, text)| check_json_text(text.as_bytes())))
        }
        Media::Anything if raw.contains(&0) => Err(violation(String::new())),
        Media::Anything => check_json_text(raw),
    }
}

fn check_json_text(raw: &[u8]) -> Result<(), Protocol> {
    if !escapes(raw) {
        return Ok(());
    }
    // Parsing costs memory only for suspicious bodies. Malformed JSON is refused by its reader.
    serde_json::from_slice::<Value>(raw).map_or(Ok(()), |value| check_json(raw, &value))
}

/// Refuses JSON with the character; `raw` is the text of `value`.
///
/// # Errors
/// [`Protocol::BodyViolations`] with the JSON pointer of the first text that has it.
pub fn check_json(raw: &[u8], value: &Value) -> Result<(), Protocol> {
    match if escapes(raw) { find(value, "") } else { None } {
        Some(place) => Err(violation(place)),
        None => Ok(()),
    }
}

/// Returns whether JSON text may contain the character: it can only be escaped there (RFC 8259, 7).
fn escapes(raw: &[u8]) -> bool {
    contains(raw, b"\\u0000")
}

/// Returns the pointer of the first text or name with the character. serde_json bounds the depth of a value.
fn find(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| at.to_owned()),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| find(item, &format!("{at}/{index}"))),
        Value::Object(members) => members.iter().find_map(|(name, member)| match name.contains('\0') {
            true => Some(at.to_owned()),
            false => find(member, &below(at, name)),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn violation(field: String) -> Protocol {
    Protocol::BodyViolations(vec![Violation { field, message: RULE.to_owned() }])
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(result: Result<(), Protocol>) -> Option<String> {
        match result {
            Ok(()) => None,
            Err(Protocol::BodyViolations(violations)) => Some(violations[0].field.clone()),
            Err(Protocol::Parameter { name, .. }) => Some(name),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn json_is_searched_for_it() {
        for (raw, expected) in [
            (r#"{"a": ["b", "c\u0000d"]}"#, Some("/a/1")),
            (r#"{"a/b": {"c": "\u0000"}}"#, Some("/a~1b/c")),
            (r#"{"a": {"x\u0000": 1}}"#, Some("/a")),
            (r#"{"a": "\\u0000", "b": "u0000"}"#, None),
            (r#"{"a": "\u0000"#, None),
            ("", None),
        ] {
            assert_eq!(place(check_raw(Media::Json, raw.as_bytes())).as_deref(), expected, "{raw}");
        }
        assert_eq!(place(check_json(b"{}", &json!({}))), None);
    }

    #[test]
    fn forms_and_texts_are_searched_for_it() {
        for (raw, refused) in [
            ("a=b%00", true),
            ("payload=%7B%22a%22%3A%22%5Cu0000%22%7D", true),
            ("a=%252500", false),
            ("a=u0000", false),
            (r#"{"a": "\u0000"}"#, true),
            ("a=b\0", true),
        ] {
            assert_eq!(place(check_raw(Media::Form, raw.as_bytes())).is_some(), refused, "{raw}");
        }
        assert!(check_raw(Media::Anything, b"a\0").is_err());
        assert!(check_raw(Media::Anything, b"\\u0000").is_ok());
        assert!(check_raw(Media::Anything, br#"{"a": "\u0000"}"#).is_err());
    }

    #[test]
    fn a_target_names_the_parameter() {
        for (target, expected) in [
            ("/v1/a%00b", Some("path")),
            ("/v1/a?b=1&c=%00", Some("c")),
            ("/v1/a?%00=1", Some("query")),
            ("/v1/a?b=%2500", None),
            ("/v1/a", None),
        ] {
            assert_eq!(place(check_target(&target.parse().unwrap())).as_deref(), expected, "{target}");
        }
    }
}
