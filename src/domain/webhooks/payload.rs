//! Extracts the payload of a request to an incoming webhook from any of its encodings: a JSON object, a form, a form
//! with the object in its `payload`, or an object that curl labels as a form.
//!
//! Not here: the meaning of its members (`post`).

use serde_json::{Map, Value};
use url::form_urlencoded;

/// Maximum size of a body, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// The field of a form that contains the object.
const WRAPPER: &str = "payload";

/// Encoding of a body, by its Content-Type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// JSON.
    Json,
    /// A form.
    Form,
    /// Any other type, or none.
    Text,
}

impl Packing {
    /// Classifies a Content-Type. Character sets are ignored: a body is UTF-8 or refused.
    pub fn of(content_type: Option<&str>) -> Self {
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" => Packing::Json,
            "application/x-www-form-urlencoded" => Packing::Form,
            other if other.ends_with("+json") => Packing::Json,
            _ => Packing::Text,
        }
    }
}

/// An extracted payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// Its content.
    pub said: Said,
    /// The text as it came.
    pub raw: String,
}

/// Content of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// An empty body.
    Nothing,
    /// An object, or the fields of a form.
    Object(Map<String, Value>),
    /// A JSON array, which only a script can use.
    Array,
    /// Other text, which only a script can use.
    Text,
}

/// Reason for an unreadable body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadFault {
    /// It is not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// It is labelled as JSON and is not.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// It is JSON nested beyond the limit.
    #[error("the body is nested deeper than 127 levels")]
    TooDeep,
    /// It is JSON without members.
    #[error("Integration payload must be a JSON object, not an array or primitive")]
    NotAnObject,
    /// It has none of the known encodings.
    #[error("the body is neither a JSON object nor a form; send one with a member \"text\"")]
    Unknown,
}

impl Payload {
    /// Extracts a payload.
    ///
    /// # Errors
    /// A [`PayloadFault`], but never [`PayloadFault::Unknown`]: a script may be able to use it.
    pub fn read(packing: Packing, body: &[u8]) -> Result<Self, PayloadFault> {
        let raw = std::str::from_utf8(body).map_err(|_| PayloadFault::NotUtf8)?;
        let text = raw.trim_start_matches('\u{feff}').trim();
        let said = match packing {
            _ if text.is_empty() => Said::Nothing,
            Packing::Json => json(text)?,
            Packing::Form => form(text)?,
            Packing::Text => match parse(text) {
                Ok(Value::Object(object)) => Said::Object(object),
                Err(Unparsed::TooDeep) => return Err(PayloadFault::TooDeep),
                Ok(_) | Err(Unparsed::Broken(_)) => Said::Text,
            },
        };
        Ok(Self { said, raw: raw.to_owned() })
    }

    /// Returns the members of the object; empty if there is no object.
    pub fn content(&self) -> Map<String, Value> {
        match &self.said {
            Said::Object(object) => object.clone(),
            Said::Nothing | Said::Array | Said::Text => Map::new(),
        }
    }

    /// Returns the content to post without a script; `None` for an empty body.
    ///
    /// # Errors
    /// [`PayloadFault::NotAnObject`], [`PayloadFault::Unknown`].
    pub fn into_content(self) -> Result<Option<Map<String, Value>>, PayloadFault> {
        match self.said {
            Said::Nothing => Ok(None),
            Said::Object(object) => Ok((!object.is_empty()).then_some(object)),
            Said::Array => Err(PayloadFault::NotAnObject),
            Said::Text => Err(PayloadFault::Unknown),
        }
    }
}

fn json(text: &str) -> Result<Said, PayloadFault> {
    match parse(text) {
        Ok(Value::Object(object)) => Ok(Said::Object(object)),
        Ok(Value::Array(_)) => Ok(Said::Array),
        Ok(_) => Err(PayloadFault::NotAnObject),
        Err(Unparsed::TooDeep) => Err(PayloadFault::TooDeep),
        Err(Unparsed::Broken(reason)) => Err(PayloadFault::NotJson(reason)),
    }
}

/// Parses a form. First it is tried as JSON: `curl -d` labels everything as a form, and an address in a text may
/// contain characters that separate fields.
fn form(text: &str) -> Result<Said, PayloadFault> {
    if text.starts_with('{')
        && let Ok(Value::Object(object)) = parse(text)
    {
        return Ok(Said::Object(object));
    }
    let fields: Map<String, Value> = form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    let mut each = fields.iter();
    let (Some((name, value)), None) = (each.next(), each.next()) else { return Ok(Said::Object(fields)) };
    let value = value.as_str().unwrap_or_default();
    let wrapped = match (name.as_str(), value) {
        (WRAPPER, value) => parse(value),
        (name, "") => parse(name),
        (name, value) => parse(&format!("{name}={value}")),
    };
    match wrapped {
        Ok(Value::Object(object)) => Ok(Said::Object(object)),
        Ok(_) => Err(PayloadFault::NotAnObject),
        Err(Unparsed::TooDeep) => Err(PayloadFault::TooDeep),
        Err(Unparsed::Broken(_)) => Ok(Said::Object(fields)),
    }
}

enum Unparsed {
    TooDeep,
    Broken(String),
}

fn parse(text: &str) -> Result<Value, Unparsed> {
    serde_json::from_str(text).map_err(|error| {
        let reason = error.to_string();
        if reason.starts_with("recursion limit exceeded") { Unparsed::TooDeep } else { Unparsed::Broken(reason) }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(packing: Packing, body: &str) -> Result<Said, PayloadFault> {
        Payload::read(packing, body.as_bytes()).map(|payload| payload.said)
    }

    fn object(value: Value) -> Result<Said, PayloadFault> {
        Ok(Said::Object(value.as_object().unwrap().clone()))
    }

    #[test]
    fn a_content_type_says_how_it_is_packed() {
        for (content_type, packing) in [
            ("application/json", Packing::Json),
            ("Application/JSON; charset=utf-8", Packing::Json),
            ("application/vnd.api+json", Packing::Json),
            ("application/x-www-form-urlencoded;charset=latin1", Packing::Form),
            ("text/plain", Packing::Text),
            ("", Packing::Text),
        ] {
            assert_eq!(Packing::of(Some(content_type)), packing, "{content_type}");
        }
        assert_eq!(Packing::of(None), Packing::Text);
    }

    #[test]
    fn each_packing_is_undone() {
        use Packing::{Form, Json, Text};
        let hi = || object(json!({"text": "hi"}));
        for (packing, body, said) in [
            (Json, r#"{"text": "hi"}"#, hi()),
            (Json, "\u{feff} {\"text\": \"hi\"}\n", hi()),
            (Json, "", Ok(Said::Nothing)),
            (Json, " ", Ok(Said::Nothing)),
            (Json, "[1]", Ok(Said::Array)),
            (Json, "5", Err(PayloadFault::NotAnObject)),
            (Json, "null", Err(PayloadFault::NotAnObject)),
            (Json, r#"{"payload": "{\"text\": \"hi\"}"}"#, object(json!({"payload": "{\"text\": \"hi\"}"}))),
            (Form, "payload=%7B%22text%22%3A%22hi%22%7D", hi()),
            (Form, r#"payload={"text":"hi"}"#, hi()),
            (Form, r#"{"text":"hi"}"#, hi()),
            (Form, r#"{"text":"a=1&b=2"}"#, object(json!({"text": "a=1&b=2"}))),
            (Form, "%7B%22text%22%3A%22hi%22%7D", hi()),
            (Form, "%7B%22text%22%3A%22a=b%22%7D", object(json!({"text": "a=b"}))),
            (Form, "payload=hello+there", object(json!({"payload": "hello there"}))),
            (Form, "text=hi", hi()),
            (Form, "payload=[1]", Err(PayloadFault::NotAnObject)),
            (Form, "payload=5", Err(PayloadFault::NotAnObject)),
            (Form, "[1]", Err(PayloadFault::NotAnObject)),
            (Form, "payload={}&text=hi", object(json!({"payload": "{}", "text": "hi"}))),
            (Form, "text=a&text=hi", hi()),
            (Text, r#"{"text": "hi"}"#, hi()),
            (Text, "hi", Ok(Said::Text)),
            (Text, "[1]", Ok(Said::Text)),
            (Text, "", Ok(Said::Nothing)),
        ] {
            assert_eq!(read(packing, body), said, "{packing:?} {body}");
        }
        assert!(matches!(read(Json, "{"), Err(PayloadFault::NotJson(_))));
        assert_eq!(Payload::read(Text, b"\xff"), Err(PayloadFault::NotUtf8));
    }

    #[test]
    fn deep_nesting_is_refused_in_every_encoding() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        for packing in [Packing::Json, Packing::Form, Packing::Text] {
            assert_eq!(read(packing, &deep), Err(PayloadFault::TooDeep), "{packing:?}");
        }
        assert_eq!(read(Packing::Form, &format!("payload={deep}")), Err(PayloadFault::TooDeep));
    }

    #[test]
    fn without_a_script_something_has_to_be_said() {
        let content = |packing, body: &str| Payload::read(packing, body.as_bytes()).unwrap().into_content();
        assert_eq!(content(Packing::Json, ""), Ok(None));
        assert_eq!(content(Packing::Json, "{}"), Ok(None));
        assert_eq!(content(Packing::Json, "[]"), Err(PayloadFault::NotAnObject));
        assert_eq!(content(Packing::Text, "hi"), Err(PayloadFault::Unknown));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            for packing in [Packing::Json, Packing::Form, Packing::Text] {
                let _ = Payload::read(packing, &body);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(body in "[\\[\\]{}\":,=&%+a-z0-9 ]{0,60}") {
            for packing in [Packing::Json, Packing::Form, Packing::Text] {
                if let Ok(payload) = Payload::read(packing, body.as_bytes()) {
                    prop_assert_eq!(&payload.raw, &body);
                    // An extracted payload, encoded again, is extracted unchanged.
                    if let Said::Object(object) = &payload.said {
                        let again = serde_json::to_vec(object).unwrap();
                        prop_assert_eq!(&Payload::read(Packing::Json, &again).unwrap().said, &payload.said);
                    }
                }
            }
        }

        #[test]
        fn an_object_comes_out_of_every_packing_alike(text in "\\PC{0,40}", more in "\\PC{0,20}") {
            let wanted = json!({"text": text, "more": [more, 1, null, {"a": true}]});
            let body = wanted.to_string();
            let encoded = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &body).finish();
            let bare: String = form_urlencoded::byte_serialize(body.as_bytes()).collect();
            for (packing, body) in [
                (Packing::Json, &body),
                (Packing::Text, &body),
                (Packing::Form, &body),
                (Packing::Form, &encoded),
                (Packing::Form, &bare),
            ] {
                prop_assert_eq!(read(packing, body), object(wanted.clone()), "{:?} {}", packing, body);
            }
        }
    }
}
