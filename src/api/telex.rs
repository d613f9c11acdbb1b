//! The Telex dialect: an organisation's integrations and their settings, `/organisations/{id}/integrations…`, its
//! Slack, `/slack/organisations/{id}…`, and the addresses at which integrations post, `/v1/return/…`,
//! `/v1/webhooks/…` and `/api/v1/return/…`.
//!
//! One file a part of the product under `telex/`; `wire` has the schemas, `error` the errors, `key` the credentials of
//! addresses and of integrations.

pub mod channel_settings;
pub mod custom;
pub mod error;
pub mod inbound;
pub mod integrations;
mod key;
pub mod settings;
pub mod slack;
pub mod wire;

use poem_openapi::{
    ApiResponse, OpenApi, Tags,
    payload::Json,
    types::{ParseFromJSON, ToJSON},
};

use self::{
    error::TelexError,
    wire::{Envelope, List, Plain},
};
use super::shared::{
    dialect::{self, Dialect},
    refusal::{self, Refusal},
};

/// Telex's dialect.
pub const DIALECT: Dialect = Dialect {
    name: "telex",
    title: "Telex",
    description: "An organisation's integrations, each described by a JSON document at an address of its own; their \
                  settings for the whole organisation and for one channel; the organisation's Slack; and the addresses \
                  at which integrations post.",
    prefixes: &["/organisations", "/slack/organisations", "/v1/return", "/v1/webhooks", "/api/v1/return"],
    together: &[],
    names_organisation: false,
    closed: false,
    closed_query: false,
    described: || dialect::describe(operations()),
    error_example: dialect::error_example::<TelexError>,
    refuse: refusal::render::<TelexError>,
    endpoint: |served| dialect::mount::<TelexError, _>(operations(), served),
};

fn operations() -> impl OpenApi + 'static {
    (
        slack::Slack,
        integrations::Integrations,
        settings::Settings,
        channel_settings::ChannelSettings,
        custom::Custom,
        inbound::Inbound,
    )
}

type Refused = Refusal<TelexError>;
type Answer<T> = Result<Json<T>, Refused>;
type One<T> = Answer<Envelope<T>>;
type Several<T> = Answer<List<T>>;
type Done = Answer<Plain>;

#[derive(Tags)]
enum Tag {
    /// The integrations of an organisation, and its Slack.
    Integrations,
    /// Settings of integrations for a whole organisation.
    #[oai(rename = "IntegrationSettings")]
    Settings,
    /// Settings of integrations for one channel.
    #[oai(rename = "Channel Integration Settings")]
    ChannelSettings,
    /// Integrations that consist of the address of their JSON document.
    #[oai(rename = "Custom Integrations")]
    Custom,
    /// Addresses at which integrations post to a channel.
    #[oai(rename = "Channel Webhooks")]
    Inbound,
}

/// A created resource.
#[derive(ApiResponse)]
enum Created<T: ParseFromJSON + ToJSON> {
    /// The resource was created.
    #[oai(status = 201)]
    Created(Json<T>),
}

/// Makes an answer with one item.
fn one<T: ParseFromJSON + ToJSON>(message: &str, data: impl Into<T>) -> One<T> {
    Ok(Json(Envelope::new(200, message, data.into())))
}

/// Makes an answer with a list of items.
fn several<T: ParseFromJSON + ToJSON, D: Into<T>>(message: &str, data: Vec<D>) -> Several<T> {
    Ok(Json(List::new(message, data.into_iter().map(Into::into).collect())))
}

/// Makes an answer without data.
fn done(message: &str) -> Done {
    Ok(Json(Plain::new(200, message)))
}
