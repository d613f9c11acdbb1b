//! The Botpress dialect: a registry of versions of integrations, `/v1/admin/integrations…`, and of the interfaces that
//! they implement, `/v1/admin/interfaces…`, the hub with the published versions of all workspaces, `/v1/admin/hub…`, and
//! the operations on workspaces and the account that the product's command line needs; and the events that the code of
//! an installed version sends, `/v1/chat/events`.
//!
//! One file a part of the product under `botpress/`; `wire` has the schemas, `shapes` those that the domain describes,
//! `error` the errors, `auth` the callers, `rate_limit` its headers.

mod auth;
pub mod error;
pub mod events;
pub mod hub;
pub mod integrations;
pub mod interfaces;
pub mod keys;
mod rate_limit;
mod shapes;
pub mod wire;
pub mod workspaces;

use poem_openapi::{OpenApi, Tags, payload::Json};

use self::error::BotpressError;
use super::shared::{
    dialect::{self, Dialect},
    refusal::{self, Refusal},
};

/// Botpress's dialect.
pub const DIALECT: Dialect = Dialect {
    name: "botpress",
    title: "Botpress",
    description: "A versioned registry of definitions of integrations: a workspace validates, creates and changes its \
                  own, and finds the published ones of other workspaces on the hub.",
    prefixes: &["/v1/admin", "/v1/chat"],
    together: &[],
    names_organisation: false,
    closed: true,
    closed_query: false,
    described: || shapes::complete(&dialect::describe(operations())),
    error_example: dialect::error_example::<BotpressError>,
    refuse: refusal::render::<BotpressError>,
    endpoint: |served| rate_limit::with_headers(dialect::mount::<BotpressError, _>(operations(), served)),
};

fn operations() -> impl OpenApi + 'static {
    (integrations::Integrations, keys::Keys, events::Events, interfaces::Interfaces, hub::Hub, workspaces::Workspaces)
}

type Refused = Refusal<BotpressError>;
type Answer<T> = Result<Json<T>, Refused>;

#[derive(Tags)]
enum Tag {
    /// The versions of a workspace's own integrations.
    #[oai(rename = "Registry")]
    Registry,
    /// Keys, signing secrets and logs of a version.
    #[oai(rename = "Registry keys")]
    Keys,
    /// Events that the code of installed versions sends, with a key of its version.
    #[oai(rename = "Integration events")]
    Events,
    /// Interfaces that integrations implement.
    Interfaces,
    /// Published versions of all workspaces.
    Hub,
    /// The caller's workspaces.
    Workspaces,
}
