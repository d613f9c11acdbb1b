//! The Botpress dialect: a registry of versions of integrations, `/v1/admin/integrations…`, the hub, where the published
//! ones of all workspaces are, `/v1/admin/hub…`, and what its command line asks of a workspace.
//!
//! One file a part of the product under `botpress/`; `wire` has the shapes, `shapes` those that the domain describes,
//! `error` the errors, `auth` the callers, `pace` the headers that tell what is left of a caller's calls.

mod auth;
pub mod error;
pub mod hub;
pub mod integrations;
pub mod keys;
mod pace;
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
    description: "A versioned registry of definitions of integrations: a workspace validates, creates and changes its own, \
                  and finds on the hub what others have published.",
    prefixes: &["/v1/admin"],
    together: &[],
    names_organisation: false,
    closed: true,
    described: || shapes::complete(&dialect::describe(operations())),
    error_example: dialect::error_example::<BotpressError>,
    refuse: refusal::render::<BotpressError>,
    endpoint: |served| pace::told(dialect::mount::<BotpressError, _>(operations(), served)),
};

fn operations() -> impl OpenApi + 'static {
    (integrations::Integrations, keys::Keys, hub::Hub, workspaces::Workspaces)
}

type Refused = Refusal<BotpressError>;
type Answer<T> = Result<Json<T>, Refused>;

#[derive(Tags)]
enum Tag {
    /// The versions of a workspace's own integrations.
    #[oai(rename = "Registry")]
    Registry,
    /// What belongs to a version beside its definition.
    #[oai(rename = "Registry keys")]
    Keys,
    /// What is published, of all workspaces.
    Hub,
    /// The caller's workspaces.
    Workspaces,
}
