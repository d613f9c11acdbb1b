//! The arguments of a request in each of their encodings: in the address, as a form, or as JSON. Clients differ, and
//! both providers accept all of them; in a form, a structured argument is JSON in a string.

use serde_json::{Map, Value};
use url::form_urlencoded;

/// Arguments by name.
#[derive(Debug, Default)]
pub(crate) struct Params(Map<String, Value>);

impl Params {
    /// Reads the arguments of a request; on failure, returns Slack's error code.
    pub(crate) fn parse(query: &str, content_type: &str, body: &[u8]) -> Result<Self, &'static str> {
        let mut params = if content_type.starts_with("application/json") {
            match serde_json::from_slice(body) {
                Ok(Value::Object(fields)) => Self(fields),
                Ok(_) => return Err("json_not_object"),
                Err(_) if body.is_empty() => Self::default(),
                Err(_) => return Err("invalid_json"),
            }
        } else if content_type.starts_with("multipart/") {
            return Err("invalid_post_type");
        } else {
            Self::form(body)
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            params.0.entry(name.into_owned()).or_insert_with(|| Value::String(value.into_owned()));
        }
        Ok(params)
    }

    /// Reads a form alone.
    pub(crate) fn form(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        Self(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
    }

    /// Creates arguments from values.
    pub(crate) fn of(fields: &[(&str, Option<&str>)]) -> Self {
        let given = fields.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
        Self(given.map(|(name, value)| (name.to_owned(), Value::String(value.to_owned()))).collect())
    }

    /// A text argument; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A required argument.
    pub(crate) fn required(&self, name: &str, error: &'static str) -> Result<&str, &'static str> {
        self.text(name).ok_or(error)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1" | "True"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// An integer argument; an error for any other value.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, ()> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => number.as_i64().map(Some).ok_or(()),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| ()),
            Some(_) => Err(()),
        }
    }

    /// Takes a structured argument; an error when it is a text that is not JSON.
    pub(crate) fn take_json(&mut self, name: &str) -> Result<Option<Value>, ()> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(&text).map(Some).map_err(|_| ()),
            Some(value) => Ok(Some(value)),
        }
    }

    /// Takes a text, which avoids a copy.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_give_the_same_arguments() {
        let form = Params::parse("", "application/x-www-form-urlencoded", b"text=a%26b&limit=5&blocks=%5B1%5D");
        let json = Params::parse("", "application/json", br#"{"text":"a&b","limit":5,"blocks":[1]}"#);
        for mut params in [form.unwrap(), json.unwrap()] {
            assert_eq!(params.text("text"), Some("a&b"));
            assert_eq!(params.number("limit"), Ok(Some(5)));
            assert_eq!(params.take_json("blocks"), Ok(Some(serde_json::json!([1]))));
        }
    }

    #[test]
    fn what_is_not_json_is_said_to_be_so() {
        assert_eq!(Params::parse("", "application/json", b"{").unwrap_err(), "invalid_json");
        assert_eq!(Params::parse("", "application/json", b"[]").unwrap_err(), "json_not_object");
        assert_eq!(Params::parse("a=1", "application/json", b"").unwrap().text("a"), Some("1"));
    }
}
