//! CloudEvents over HTTP, in structured and in batched mode: the media type of a body or an answer decides.
//!
//! Not here: their members (`domain::pipeline::cloud_event`).

use std::borrow::Cow;

use poem::{
    Request, RequestBody,
    http::{HeaderMap, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
    types::{ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Value, json};

use super::wire::{EventBatchIn, EventIn};
use crate::api::shared::{
    body::{self, Body},
    media::Media,
    refusal::into_error,
    whole_value::whole_value,
};

/// Media type of one CloudEvent.
pub const STRUCTURED: &str = "application/cloudevents+json";

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
}

impl AsCloudEvents for EventIn {
    type Form = CloudEvent;
    const MEDIA_TYPE: &'static str = STRUCTURED;
}

impl AsCloudEvents for EventBatchIn {
    type Form = Vec<CloudEvent>;
    const MEDIA_TYPE: &'static str = "application/cloudevents-batch+json";
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
        if !names(request.headers(), &header::CONTENT_TYPE, T::MEDIA_TYPE) {
            return Body::from_request(request, body, options).await.map(Sent::Native);
        }
        body::any_json(request, body).await.map(Sent::CloudEvents).map_err(into_error)
    }
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
