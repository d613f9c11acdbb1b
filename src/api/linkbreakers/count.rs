//! Counts of notifications, in the form that the caller's version of the product's SDK reads.
//!
//! The product's schema had them as text, the form that protocol buffers give 64-bit numbers, up to version 1.162, and
//! has them as numbers since 1.163. Its typed SDKs refuse the other form.

use std::borrow::Cow;

use poem::{FromRequest, Request, RequestBody, http::header};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use crate::api::shared::whole_value::whole_value;

/// Minor versions of the product's SDK, 1.x, that have Slack integrations and read their counts as text.
const READS_TEXT: std::ops::Range<u32> = 51..163;

/// Form in which a caller reads counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON number.
    Number,
    /// Decimal digits in a text.
    Text,
}

impl Form {
    /// Returns the form that the client reads which sent this `User-Agent`: `OpenAPI-Generator/1.162.1/python` is the
    /// product's SDK of that version for Python.
    fn of(agent: &str) -> Self {
        let version = || agent.strip_prefix("OpenAPI-Generator/")?.strip_prefix("1.")?.split(['.', '/']).next();
        match version().and_then(|minor| minor.parse().ok()) {
            Some(minor) if READS_TEXT.contains(&minor) => Self::Text,
            _ => Self::Number,
        }
    }
}

impl<'a> FromRequest<'a> for Form {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::of(request.header(header::USER_AGENT).unwrap_or_default()))
    }
}

/// A count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub number: i64,
    /// Form in which it is written.
    pub form: Form,
}

impl Type for Count {
    whole_value!();

    fn name() -> Cow<'static, str> {
        "count".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let number = MetaSchema { minimum: Some(0.0), ..MetaSchema::new_with_format("integer", "int64") };
        let text = MetaSchema { pattern: Some("^[0-9]+$".into()), ..MetaSchema::new("string") };
        let one_of = [number, text].map(|form| MetaSchemaRef::Inline(Box::new(form))).into();
        MetaSchemaRef::Inline(Box::new(MetaSchema { one_of, ..MetaSchema::ANY }))
    }
}

impl ParseFromJSON for Count {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::Number(number) => number.as_i64().map(|number| Self { number, form: Form::Number }),
            Value::String(text) => text.parse().ok().map(|number| Self { number, form: Form::Text }),
            _ => None,
        }
        .ok_or_else(|| ParseError::custom("is not a count"))
    }
}

impl ToJSON for Count {
    fn to_json(&self) -> Option<Value> {
        Some(match self.form {
            Form::Number => self.number.into(),
            Form::Text => self.number.to_string().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_the_sdk_decides_on_the_form() {
        for agent in [
            "OpenAPI-Generator/1.51.0/python",
            "OpenAPI-Generator/1.104.0/rust",
            "OpenAPI-Generator/1.159.0.post1/python",
            "OpenAPI-Generator/1.162.1/go",
        ] {
            assert_eq!(Form::of(agent), Form::Text, "{agent}");
        }
        for agent in [
            "",
            "curl/8.5.0",
            "node",
            "OpenAPI-Generator/1.163.0/python",
            "OpenAPI-Generator/1.183.3/python",
            "OpenAPI-Generator/2.60.0/python",
            // What the generator writes where nobody named a version: a client of our own document, perhaps.
            "OpenAPI-Generator/1.0.0/python",
            "OpenAPI-Generator//python",
            "Other/1.162.1/python",
        ] {
            assert_eq!(Form::of(agent), Form::Number, "{agent}");
        }
    }

    #[test]
    fn a_count_is_written_in_its_form() {
        for value in [Value::from(42), Value::from("42")] {
            let read = Count::parse_from_json(Some(value.clone())).unwrap();
            assert_eq!((read.number, read.to_json()), (42, Some(value)));
        }
        assert!(Count::parse_from_json(Some(true.into())).is_err());
    }
}
