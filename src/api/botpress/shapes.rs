//! Schemas that the domain describes: bodies and answers that are checked and assembled by its table. The framework
//! knows their names; their definitions are put into its document here.

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Value, json};

use super::{auth::WORKSPACE, rate_limit, wire::integration};
use crate::{
    api::shared::{
        body,
        fault::Fault,
        media::Media,
        schema::each_operation,
        signed::{Inbound, Raw},
        whole_value::whole_value,
    },
    app::registry::Submission,
    domain::{
        Error,
        registry::definition::{Described, Issue, Rule, describe},
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

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Named for $name {
            const NAME: &'static str = $text;
        }
    )+};
}

named! {
    /// Body of a creation.
    New = "NewIntegration",
    /// Body of an update.
    Changed = "IntegrationUpdate",
    /// A version of the caller's workspace.
    Own = "Integration",
    /// A published version.
    Public = "PublicIntegration",
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

/// Converts a body to the use case's input. `bypass` is the value of the header.
///
/// # Errors
/// [`Fault`] for a body that is not JSON, or too large to be checked.
pub async fn submission<N>(body: Raw<Shaped<N>>, bypass: Option<String>) -> Result<Submission, Fault> {
    let bytes = body.bytes;
    let body = if bytes.len() < LONG_BYTES {
        read(&bytes)
    } else {
        let read = tokio::task::spawn_blocking(move || read(&bytes)).await;
        read.map_err(|error| Error::Internal(format!("a body was not read: {error}")))?
    };
    let allow_breaking_changes = bypass.is_some_and(|bypass| bypass.trim().eq_ignore_ascii_case("true"));
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

/// Adds to the framework's document the schemas that it cannot express.
pub fn complete(document: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(document) else { return document.to_owned() };
    let mut put = |name: &str, description: &str, mut schema: Value, example: Value| {
        schema["description"] = description.into();
        schema["example"] = example;
        document["components"]["schemas"][name] = schema;
    };
    put(New::NAME, "A version to be created.", describe(Described::Creation), integration::new_example());
    put(
        Changed::NAME,
        "Changes to a version: absent fields stay unchanged, `null` removes a member, maps are merged by key.",
        describe(Described::Update),
        integration::update_example(),
    );
    put(Own::NAME, "A version of an integration.", integration::schema(false), integration::example(false));
    put(Public::NAME, "A published version.", integration::schema(true), integration::example(true));
    each_operation(&mut document, |_, operation| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        let is_needed = |one: &Value| one["name"] == WORKSPACE && one["required"] == true;
        if let Some(parameters) = parameters.filter(|parameters| parameters.iter().any(is_needed)) {
            parameters.push(json!({
                "name": "x-multiple-integrations",
                "in": "header",
                "required": false,
                "description": "True if the client supports several instances of one integration in a bot. \
                                Ignored.",
                "schema": { "type": "string" },
            }));
        }
        for (_, response) in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
            for (name, description) in rate_limit::HEADERS {
                response["headers"][name.as_str()] =
                    json!({ "description": description, "schema": { "type": "integer" } });
            }
        }
    });
    document.to_string()
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

    #[test]
    fn the_document_has_the_shapes() {
        let document = super::super::DIALECT.described;
        let document: Value = serde_json::from_str(&document()).unwrap();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["NewIntegration"]["properties"]["name"]["maxLength"], json!(200));
        assert_eq!(schemas["Integration"]["additionalProperties"], json!(false));
        let validate = &document["paths"]["/v1/admin/integrations/validate"]["post"];
        let names: Vec<_> = validate["parameters"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert!(names.contains(&json!("x-multiple-integrations")), "{names:?}");
    }
}
