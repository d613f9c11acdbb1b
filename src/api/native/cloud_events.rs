//! CloudEvents over HTTP (protocol binding 1.0.2). Structured and batched mode are chosen by the media type of a body or
//! an answer, binary mode by the header `ce-specversion`.
//!
//! Not here: their members (`domain::pipeline::cloud_event`).

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use poem::{
    Request, RequestBody,
    http::{HeaderMap, HeaderName, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
    types::{ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Map, Value, json};

use super::wire::{EventBatchIn, EventIn};
use crate::{
    api::shared::{
        body::{self, Body},
        fault::{Fault, Protocol},
        media::Media,
        nul,
        refusal::into_error,
        whole_value::whole_value,
    },
    domain::pipeline::cloud_event,
};

/// Media type of one CloudEvent.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// Prefix of the headers that carry an attribute in binary mode, and the one that is always there.
const PREFIX: &str = "ce-";
const VERSION: &str = "ce-specversion";

/// A CloudEvent in its JSON format.
#[derive(Clone, Debug)]
pub struct CloudEvent(pub Value);

impl Type for CloudEvent {
    whole_value!();

    fn name() -> Cow<'static, str> {
        "CloudEvent".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("CloudEvent".to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("CloudEvent".to_owned(), |_| {
            let text = || MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
            let names = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"];
            let example = json!({
                "specversion": "1.0",
                "id": "A234-1234-1234",
                "source": "https://example.com/shop",
                "type": "com.example.order.created",
                "data": {"total": 12},
            });
            MetaSchema {
                description: Some(
                    "A CloudEvent 1.0 in the JSON format. Other members are extension attributes: strings, booleans or \
                     integers.",
                ),
                properties: names.into_iter().map(|name| (name, text())).collect(),
                required: names[..4].to_vec(),
                additional_properties: Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::ANY)))),
                example: Some(example),
                ..MetaSchema::new("object")
            }
        });
    }
}

impl ParseFromJSON for CloudEvent {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(Self(value.unwrap_or_default()))
    }
}

impl ToJSON for CloudEvent {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

/// A body that may be sent as CloudEvents instead.
pub trait AsCloudEvents: ParseFromJSON + 'static {
    /// Form of the CloudEvents.
    type Form: Type;
    /// Their media type.
    const MEDIA_TYPE: &'static str;
    /// True if one may be sent in binary mode, too.
    const IS_BINARY: bool;
}

impl AsCloudEvents for EventIn {
    type Form = CloudEvent;
    const MEDIA_TYPE: &'static str = STRUCTURED;
    const IS_BINARY: bool = true;
}

impl AsCloudEvents for EventBatchIn {
    type Form = Vec<CloudEvent>;
    const MEDIA_TYPE: &'static str = "application/cloudevents-batch+json";
    const IS_BINARY: bool = false;
}

/// A body in the native form, or CloudEvents, which are checked by their reader.
pub enum Sent<T> {
    /// The native form.
    Native(Body<T>),
    /// CloudEvents.
    CloudEvents(Value),
}

impl<'a, T: AsCloudEvents> ApiExtractor<'a> for Sent<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
        T::Form::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![
            MetaMediaType { content_type: Media::Json.name(), schema: T::schema_ref() },
            MetaMediaType { content_type: T::MEDIA_TYPE, schema: T::Form::schema_ref() },
        ];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let is_structured = names(request.headers(), &header::CONTENT_TYPE, T::MEDIA_TYPE);
        if T::IS_BINARY && !is_structured && request.headers().contains_key(VERSION) {
            return binary(request, body).await.map(Sent::CloudEvents).map_err(into_error);
        }
        if !is_structured {
            return Body::from_request(request, body, options).await.map(Sent::Native);
        }
        body::any_json(request, body).await.map(Sent::CloudEvents).map_err(into_error)
    }
}

/// Reads a CloudEvent in binary mode into its JSON format (protocol binding, 3.1).
async fn binary(request: &Request, body: &mut RequestBody) -> Result<Value, Fault> {
    let raw = body::any_bytes(request, body).await?;
    let mut members = Map::new();
    for (name, value) in request.headers() {
        let Some(attribute) = name.as_str().strip_prefix(PREFIX) else { continue };
        let text = value.to_str().ok().and_then(attribute_value).ok_or_else(|| refused(name, "is not UTF-8"))?;
        if members.insert(attribute.to_owned(), text.into()).is_some() {
            return Err(refused(name, "must be sent once"));
        }
    }
    let media_type = request.content_type();
    members.extend(media_type.map(|media_type| ("datacontenttype".to_owned(), media_type.into())));
    if !raw.is_empty() {
        let (member, data) = match std::str::from_utf8(&raw) {
            _ if cloud_event::is_json(media_type) => ("data", body::json(&raw)?),
            Ok(text) if media_type.is_some_and(|media_type| media_type.starts_with("text/")) => ("data", text.into()),
            Ok(_) | Err(_) => ("data_base64", STANDARD.encode(&raw).into()),
        };
        members.insert(member.to_owned(), data);
    }
    let event = Value::Object(members);
    nul::check_json(event.to_string().as_bytes(), &event)?;
    Ok(event)
}

/// Returns the value of an attribute's header: in quotes or not, percent-encoded where it is not printable ASCII.
fn attribute_value(header: &str) -> Option<String> {
    let quoted = header.strip_prefix('"').and_then(|header| header.strip_suffix('"'));
    let text = quoted.map_or(header.to_owned(), |quoted| quoted.replace("\\\"", "\"").replace("\\\\", "\\"));
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

fn refused(name: &HeaderName, reason: &str) -> Fault {
    Protocol::Parameter { name: name.to_string(), reason: reason.to_owned() }.into()
}

/// Returns true if a caller prefers a CloudEvent.
pub fn is_accepted(headers: &HeaderMap) -> bool {
    names(headers, &header::ACCEPT, STRUCTURED)
}

/// Returns true if a header names a media type.
fn names(headers: &HeaderMap, header: &header::HeaderName, media_type: &str) -> bool {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    let mut named =
        values.flat_map(|value| value.split(',')).map(|one| one.split(';').next().unwrap_or_default().trim());
    named.any(|named| named.eq_ignore_ascii_case(media_type))
}
