//! Webhook destinations: a URL to which routes send events, signed as Standard Webhooks says.
//!
//! Not here: the signature (`provider::webhook`), outgoing webhooks with triggers and scripts (`setup`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::domain::{
    Error, Result,
    ambient::{Time, timestamp},
    error::Violation,
    pipeline::{cloud_event, destination::DestinationKind, event::Event},
};

/// Kind of the destinations that are URLs of routes.
pub const WEBHOOK: DestinationKind = DestinationKind::new("webhook");

/// Maximum number of additional headers.
const MAX_HEADERS: usize = 20;
/// Maximum length of a header's value, in bytes.
const MAX_HEADER_VALUE: usize = 4096;
/// Maximum rate, in deliveries a second.
const MAX_RATE: u32 = 1000;

/// Body of a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    /// [`EventNotification`].
    #[default]
    Json,
    /// CloudEvents 1.0 in structured mode.
    CloudEvents,
}

/// Settings of a webhook destination, as a request has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EndpointOptions {
    /// Signing secret; a fresh one is made where it is absent.
    pub secret: Option<String>,
    /// Additional headers.
    pub headers: Option<BTreeMap<String, String>>,
    /// Body of the deliveries.
    pub format: Option<BodyFormat>,
    /// Maximum number of deliveries a second; `0` stands for no limit.
    pub rate_limit: Option<u32>,
}

impl EndpointOptions {
    /// Reads the settings, and checks what their shape alone does not express. `may_be_set` returns whether a header may
    /// be set.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule.
    pub fn read(options: &Value, may_be_set: impl Fn(&str) -> bool) -> Result<Self> {
        let options = Self::deserialize(options).map_err(|error| Error::invalid("", error.to_string()))?;
        let mut violations = Vec::new();
        let mut broken = |field: String, message: String| violations.push(Violation { field, message });
        if options.rate_limit.is_some_and(|rate| rate > MAX_RATE) {
            broken("/rateLimit".into(), format!("must be at most {MAX_RATE} deliveries a second"));
        }
        let headers = options.headers.iter().flatten();
        if headers.clone().count() > MAX_HEADERS {
            broken("/headers".into(), format!("must have at most {MAX_HEADERS} members"));
        }
        for (name, value) in headers {
            let field = format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
            if !may_be_set(name) {
                broken(field, "is not a header that may be set".into());
            } else if value.len() > MAX_HEADER_VALUE || !value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                broken(field, format!("must be at most {MAX_HEADER_VALUE} printable ASCII characters"));
            }
        }
        if violations.is_empty() { Ok(options) } else { Err(Error::Invalid(violations)) }
    }
}

/// Settings of a webhook destination, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSettings {
    /// Sealed [`EndpointSecrets`], in Base64.
    pub sealed: String,
    /// Names of the additional headers, whose values are sealed.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Body of the deliveries.
    #[serde(default)]
    pub format: BodyFormat,
    /// Maximum number of deliveries a second.
    #[serde(default)]
    pub rate_limit: Option<u32>,
}

/// Secrets of a webhook destination.
#[derive(Clone, Serialize, Deserialize)]
pub struct EndpointSecrets {
    /// Signing secret.
    pub secret: String,
    /// Replaced signing secret, and the time until which it signs as well.
    pub former: Option<(String, Time)>,
    /// Additional headers.
    pub headers: BTreeMap<String, String>,
}

/// Body of a delivery to a webhook destination.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventNotification<'a> {
    /// Id of the event.
    pub id: Uuid,
    /// Type of the event.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Time at which the event was accepted (RFC 3339).
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Source of the event.
    pub source: &'a str,
    /// Channel of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<Uuid>,
    /// Attributes of the event.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<&'a str, &'a str>,
    /// Data of the event, as it was sent; usually an object.
    #[serde(skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Value, required = false)]
    pub data: &'a Value,
}

/// Returns the body of a delivery.
pub fn body(event: &Event, format: BodyFormat, public_url: &Url) -> String {
    match format {
        BodyFormat::CloudEvents => cloud_event::write(event, public_url).to_string(),
        BodyFormat::Json => json!(EventNotification {
            id: event.id.0,
            kind: &event.fact.kind,
            timestamp: timestamp(event.created_at),
            source: event.source.as_str(),
            channel_id: event.fact.channel_id.map(|id| id.0),
            attributes: event.fact.attributes.iter().collect(),
            data: &event.fact.data,
        })
        .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pipeline::event::{EventSource, Fact};

    #[test]
    fn all_broken_rules_are_reported_at_once() {
        let options = json!({"rateLimit": 1001, "headers": {"x-good": "a", "host": "b", "x-bad": "a\nb"}});
        let Err(Error::Invalid(violations)) = EndpointOptions::read(&options, |name| name != "host") else {
            panic!("accepted");
        };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["/rateLimit", "/headers/host", "/headers/x-bad"]);
        assert!(EndpointOptions::read(&json!({"nosuch": 1}), |_| true).is_err());
        assert_eq!(EndpointOptions::read(&json!({}), |_| true).unwrap(), EndpointOptions::default());
    }

    #[test]
    fn a_body_has_what_an_event_says() {
        let mut fact = Fact::plain("order.created", None, json!({"total": 12}));
        fact.attributes = [("region", "eu")].into_iter().collect();
        let event = Event {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            source: EventSource::API,
            fact,
            made_from: None,
            path: Vec::new(),
            trace: None,
            created_at: Time::UNIX_EPOCH,
        };
        let url = Url::parse("https://tieline.example/").unwrap();
        let read = |format| serde_json::from_str::<Value>(&body(&event, format, &url)).unwrap();
        let expected = json!({
            "id": Uuid::nil(), "type": "order.created", "timestamp": "1970-01-01T00:00:00.000Z", "source": "api",
            "attributes": {"region": "eu"}, "data": {"total": 12},
        });
        assert_eq!(read(BodyFormat::Json), expected);
        let cloud = read(BodyFormat::CloudEvents);
        assert_eq!(
            (&cloud["specversion"], &cloud["type"], &cloud["data"]),
            (&json!("1.0"), &json!("order.created"), &json!({"total": 12}))
        );
    }
}
