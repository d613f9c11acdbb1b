//! The Rocket.Chat dialect: webhook integrations, `/api/v1/integrations.…`, the addresses at which incoming webhooks are
//! called, `/hooks/…`, and the operations that clients of the product begin with: `login`, `me`, channels and messages.
//!
//! One file a part of the product under `rocketchat/`; `wire` has the schemas, `schema` the messages of the product's
//! validator, `listing` the parameters of lists, `error` the errors, `auth` the callers.

mod auth;
pub mod chat;
pub mod error;
pub mod history;
pub mod hooks;
pub mod integrations;
mod listing;
pub mod room_changes;
pub mod rooms;
mod schema;
pub mod users;
pub mod wire;

use poem_openapi::{OpenApi, Tags, payload::Json};

use self::error::RocketchatError;
use super::shared::{
    dialect::{self, Dialect},
    refusal::{self, Refusal},
};

/// Rocket.Chat's dialect.
pub const DIALECT: Dialect = Dialect {
    name: "rocketchat",
    title: "Rocket.Chat",
    description: "Webhook integrations: incoming webhooks post the messages of their requests to channels, outgoing \
                  webhooks are called for events of channels; both may have a script. Each call has a record in the history.",
    prefixes: &["/api/v1", "/hooks"],
    together: &[auth::SCHEMES],
    names_organisation: true,
    closed: false,
    closed_query: false,
    described: || dialect::describe(operations()),
    error_example: dialect::error_example::<RocketchatError>,
    refuse: refusal::render::<RocketchatError>,
    endpoint: |served| dialect::mount::<RocketchatError, _>(operations(), served),
};

fn operations() -> impl OpenApi + 'static {
    let rooms = (rooms::Rooms, room_changes::RoomChanges, chat::Chat);
    (integrations::Integrations, hooks::Hooks, history::History, users::Users, rooms)
}

type Refused = Refusal<RocketchatError>;
type Answer<T> = Result<Json<T>, Refused>;

#[derive(Tags)]
enum Tag {
    /// Webhook integrations: create, list, change, remove.
    #[oai(rename = "Webhook integrations")]
    Integrations,
    /// Addresses at which incoming webhooks are called. The token in the address is the credential.
    #[oai(rename = "Incoming webhooks")]
    Hooks,
    /// Outcomes of the calls of outgoing webhooks.
    #[oai(rename = "Webhook history")]
    History,
    /// The caller: logging in by a token, and the profile.
    Users,
    /// Channels, public and private, and the messages in them.
    Rooms,
}
