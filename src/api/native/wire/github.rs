//! GitHub's deliveries. Their payloads are specified by GitHub, and not repeated in the document.

use poem::Request;
use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef},
};

use crate::{
    api::shared::{media::Media, services, signed::Inbound},
    app::{
        github::{GithubConnections, inbound::GithubReceipt},
        tenancy::signatures::SignatureCheck,
    },
    domain::Error,
};

/// A delivery of GitHub's.
pub struct GithubBody;

impl Inbound for GithubBody {
    const MEDIA: &'static [Media] = &[Media::Json, Media::Form];
    /// GitHub's own limit on payloads.
    const LIMIT_BYTES: usize = 25 << 20;
    /// A payload is stored as text, in which the character is escaped; an event of GitHub's must not be lost.
    const CHECKS_TEXT: bool = false;

    type Schema = String;

    fn signature(request: &Request) -> Result<Option<SignatureCheck>, Error> {
        let signature = request.headers().get("x-hub-signature-256");
        services::service::<GithubConnections>(request)?
            .begin_github_signature(signature.map(|value| value.as_bytes()))
            .map(Some)
    }

    fn schema(media: Media) -> MetaSchemaRef {
        let event = MetaSchema {
            description: Some("The event as GitHub describes it; members may be added at any time"),
            ..MetaSchema::new("object")
        };
        let payload = MetaSchema { description: Some("The event as JSON"), ..MetaSchema::new("string") };
        let form = MetaSchema {
            properties: vec![("payload", MetaSchemaRef::Inline(Box::new(payload)))],
            required: vec!["payload"],
            ..MetaSchema::new("object")
        };
        MetaSchemaRef::Inline(Box::new(match media {
            Media::Json => event,
            Media::Form | Media::Anything => form,
        }))
    }
}

/// Result of a delivery of GitHub's.
#[derive(Clone, Debug, Object)]
#[oai(rename = "GithubReceipt", skip_serializing_if_is_none)]
pub struct GithubReceiptOut {
    /// Number of events accepted now, one for each linked organisation.
    pub events: usize,
    /// Number of events accepted before, from the same delivery.
    pub repeated: usize,
    /// True if it concerns no organisation of this service.
    pub ignored: bool,
    /// Reason for which it became no event; absent if it became one.
    pub reason: Option<String>,
}

impl From<GithubReceipt> for GithubReceiptOut {
    fn from(GithubReceipt { events, repeated, ignored, reason }: GithubReceipt) -> Self {
        Self { events, repeated, ignored, reason: reason.map(str::to_owned) }
    }
}
