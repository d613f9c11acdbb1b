//! Destinations that members make.

use std::collections::BTreeMap;

use poem_openapi::{Object, types::Example};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::shared::word::{Vocabulary, Word},
    app::pipeline::destinations::CreateDestination,
    domain::{Error, Result, ids::EventId, secret::Secret, webhooks::endpoint::BodyFormat},
};

impl Vocabulary for BodyFormat {
    const NAME: &'static str = "BodyFormat";
    const DESCRIPTION: &'static str =
        "Form of a call's body: json (`EventNotification`) or cloudevents (CloudEvents 1.0, structured mode).";

    fn words() -> Vec<(&'static str, Self)> {
        [BodyFormat::Json, BodyFormat::CloudEvents].map(|format| (format.word(), format)).into()
    }

    fn word(self) -> &'static str {
        match self {
            BodyFormat::Json => "json",
            BodyFormat::CloudEvents => "cloudevents",
        }
    }
}

/// A destination to be created.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "CreateDestination", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct DestinationIn {
    /// Kind of the destination: `webhook`, `slack`, `email`, `channel` or `integration`.
    pub kind: String,
    /// Name, unique within the organisation and kind. A webhook that is given none is named after its host; the other
    /// kinds have names of their own.
    #[oai(validator(min_length = 1, max_length = 150))]
    pub name: Option<String>,
    /// For the kind `webhook`: the URL that is called.
    pub url: Option<String>,
    /// For the other kinds: the id of a Slack channel, an e-mail address in a domain that the operator permits, or the id
    /// of a channel or an integration.
    pub address: Option<String>,
    /// For the kind `webhook`: the secret of the signatures (Standard Webhooks), `whsec_` and the base64 of 24 to 64 bytes;
    /// by default a fresh one, which is shown by its own operation.
    pub secret: Option<String>,
    /// For the kind `webhook`: additional headers of each call, such as `Authorization`. Their values are never returned.
    #[oai(validator(max_properties = 20))]
    pub headers: Option<BTreeMap<String, String>>,
    /// For the kind `webhook`: the form of the body, `json` by default.
    pub format: Option<Word<BodyFormat>>,
    /// For the kind `webhook`: the maximum number of calls a second; unlimited by default.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
    pub rate_limit: Option<u32>,
}

impl DestinationIn {
    /// Converts the body; violations are below `pointer`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it has no address, or two.
    pub fn into_destination(self, pointer: &str) -> Result<CreateDestination> {
        let address = match (self.url, self.address) {
            (Some(url), None) if self.kind == "webhook" => url,
            (None, Some(address)) if self.kind != "webhook" => address,
            _ => {
                let rule = "must be given alone: url for the kind webhook, address for every other kind";
                let name = if self.kind == "webhook" { "url" } else { "address" };
                return Err(Error::invalid(format!("{pointer}/{name}"), rule));
            }
        };
        let options = options([
            ("secret", self.secret.map(Value::String)),
            ("headers", self.headers.map(|headers| json!(headers))),
            ("format", self.format.map(|Word(format)| json!(format))),
            ("rateLimit", self.rate_limit.map(|rate| json!(rate))),
        ]);
        Ok(CreateDestination { kind: self.kind, name: self.name, address, options })
    }
}

/// Returns an object of the given settings.
pub(super) fn options<const N: usize>(settings: [(&str, Option<Value>); N]) -> Value {
    let given = settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}

/// Retry schedule of an organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RetrySchedule", rename_all = "camelCase", example)]
pub struct RetryScheduleBody {
    /// The pauses after failed attempts, in seconds, each of 1 to 604800. Up to half of each is taken off at random. Null: the
    /// service's.
    #[oai(nullable, validator(min_items = 1, max_items = 20))]
    pub retry_schedule: Option<Vec<u64>>,
}

impl Example for RetryScheduleBody {
    fn example() -> Self {
        Self { retry_schedule: Some(vec![5, 300, 1800, 7200]) }
    }
}

impl Example for DestinationIn {
    fn example() -> Self {
        Self {
            kind: "webhook".into(),
            name: Some("Billing".into()),
            url: Some("https://billing.example/hooks/tieline".into()),
            rate_limit: Some(50),
            ..Self::default()
        }
    }
}

/// The secret of a webhook destination.
#[derive(Clone, Debug, Object)]
#[oai(rename = "DestinationSecret")]
pub struct DestinationSecretOut {
    /// `whsec_` and base64, as Standard Webhooks specifies.
    pub secret: String,
}

impl From<Secret> for DestinationSecretOut {
    fn from(secret: Secret) -> Self {
        Self { secret: secret.expose().to_owned() }
    }
}

/// An accepted test.
#[derive(Clone, Debug, Object)]
#[oai(rename = "DestinationTest", rename_all = "camelCase")]
pub struct DestinationTestOut {
    /// Id of the event that is sent.
    pub event_id: Uuid,
}

impl From<EventId> for DestinationTestOut {
    fn from(id: EventId) -> Self {
        Self { event_id: id.0 }
    }
}
