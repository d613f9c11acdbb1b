//! Versions of the registry as bodies and answers: values that the domain describes, checks and assembles. The framework
//! knows the names of their schemas; a dialect puts the definitions into its document.
//!
//! Not here: the definitions (`domain::registry::definition`).

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use super::{
    body,
    fault::Fault,
    media::Media,
    signed::{Inbound, Raw},
    whole_value::whole_value,
};
use crate::{
    app::registry::Submission,
    domain::{
        Error,
        registry::definition::{Issue, Rule},
    },
};

/// Maximum size of a version's body.
const LIMIT_BYTES: usize = 50 << 20;
/// Maximum number of JSON values in a version's body: each value takes more memory than it has bytes.
const MAX_VALUES: usize = 200_000;
/// Size from which a body is parsed on a blocking thread.
const LONG_BYTES: usize = 64 << 10;

/// A schema's name, as a type.
pub trait Named: Send + Sync + 'static {
    /// Name of the schema in the document.
    const NAME: &'static str;
}

/// A value of a schema.
#[derive(Clone, Debug)]
pub struct Shaped<N>(pub Value, PhantomData<fn() -> N>);

impl<N> From<Value> for Shaped<N> {
    fn from(value: Value) -> Self {
        Self(value, PhantomData)
    }
}

impl<N: Named> Type for Shaped<N> {
    whole_value!();

    fn name() -> Cow<'static, str> {
        N::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(N::NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(N::NAME.to_owned(), |_| MetaSchema::new("object"));
    }
}

impl<N: Named> ParseFromJSON for Shaped<N> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        value.map(Self::from).ok_or_else(ParseError::expected_input)
    }
}

impl<N: Named> ToJSON for Shaped<N> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

/// Body of a creation or an update: parsed here, and checked by the use case, which reports all errors at once.
impl<N: Named> Inbound for Shaped<N> {
    const MEDIA: &'static [Media] = &[Media::Json];
    const LIMIT_BYTES: usize = LIMIT_BYTES;
    /// The check of a definition reports it, together with all other errors.
    const CHECKS_TEXT: bool = false;

    type Schema = Self;
}

/// Converts a body to the use case's input.
///
/// # Errors
/// [`Fault`] for a body that is not JSON, or too large to be checked.
pub async fn submission<N>(body: Raw<Shaped<N>>, allow_breaking_changes: bool) -> Result<Submission, Fault> {
    let bytes = body.bytes;
    let body = if bytes.len() < LONG_BYTES {
        read(&bytes)
    } else {
        let read = tokio::task::spawn_blocking(move || read(&bytes)).await;
        read.map_err(|error| Error::Internal(format!("a body was not read: {error}")))?
    };
    Ok(Submission { body: body?, allow_breaking_changes })
}

fn read(bytes: &Bytes) -> Result<Value, Fault> {
    if values(bytes) > MAX_VALUES {
        let says = format_args!("must NOT have more than {MAX_VALUES} values");
        return Err(Error::Issues(vec![Issue::new(Rule::Limit, "", says)]).into());
    }
    body::json(bytes)
}

/// Estimates the number of values in a JSON text.
fn values(text: &[u8]) -> usize {
    let (mut count, mut in_text, mut escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b':' | b'[' | b'{' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_without_texts() {
        for (text, count) in [("", 1), ("{}", 2), (r#"{"a,b:[": [1, 2, "\",:"]}"#, 6), ("[[[", 4)] {
            assert_eq!(values(text.as_bytes()), count, "{text}");
        }
        let long = format!("[{}1]", "1,".repeat(MAX_VALUES));
        assert!(matches!(read(&long.into()), Err(Fault::Core(Error::Issues(_)))));
    }
}
