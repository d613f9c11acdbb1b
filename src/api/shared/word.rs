//! Enums of the domain as enums of the API: one adaptor instead of a mirror of each enum.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use super::whole_value::whole_value;
use crate::domain::error::clip;

/// A closed set of enum values.
pub trait Vocabulary: Copy + Send + Sync + 'static {
    /// Name of the schema in the documents.
    const NAME: &'static str;
    /// Description of the schema.
    const DESCRIPTION: &'static str;

    /// Lists every enum value with its meaning; a meaning may have several values.
    fn words() -> Vec<(&'static str, Self)>;

    /// Returns the enum value that is written for a meaning.
    fn word(self) -> &'static str;
}

/// One enum value of the set `V`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<V>(pub V);

impl<V: Vocabulary> Word<V> {
    fn read<T: Type>(text: &str) -> Result<V, ParseError<T>> {
        let words = V::words();
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let all = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
                Err(ParseError::custom(format!("{:?} is not one of {all}", clip(text))))
            }
        }
    }
}

impl<V: Vocabulary> Type for Word<V> {
    whole_value!();

    fn name() -> Cow<'static, str> {
        V::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(V::NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(V::NAME.to_owned(), |_| {
            let mut schema = MetaSchema::new("string");
            schema.description = Some(V::DESCRIPTION);
            schema.enum_items = V::words().iter().map(|(word, _)| Value::from(*word)).collect();
            schema
        });
    }
}

impl<V: Vocabulary> ParseFromJSON for Word<V> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let value = value.unwrap_or_default();
        match &value {
            Value::String(text) => Ok(Self(Self::read(text)?)),
            _ => Err(ParseError::expected_type(value)),
        }
    }
}

impl<V: Vocabulary> ParseFromParameter for Word<V> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self(Self::read(text)?))
    }
}

impl<V: Vocabulary> ToJSON for Word<V> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.word().into())
    }
}
