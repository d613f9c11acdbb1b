//! Tieline's own dialect: everything that the other dialects do not have. JSON in camelCase, lists with a cursor, RFC
//! 9457 errors.
//!
//! One file a resource under `native/`; `wire` has the schemas, `error` the problem details.

pub mod apps;
pub mod audit;
pub mod callback;
pub mod channel_apps;
pub mod channels;
mod cloud_events;
pub mod connections;
pub mod consent;
pub mod deliveries;
pub mod destinations;
pub mod error;
pub mod events;
pub mod github;
pub mod health;
pub mod incoming_webhooks;
pub mod invitations;
pub mod members;
pub mod operator;
pub mod organisations;
pub mod outgoing_webhooks;
pub mod registry;
mod registry_keys;
pub mod routes;
pub mod sessions;
pub mod statistics;
pub mod tokens;
pub mod wire;
pub mod workflows;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem_openapi::{
    ApiResponse, OpenApi, Tags,
    payload::Json,
    types::{ParseFromJSON, ToJSON},
};

use super::shared::{
    dialect::{self, Dialect},
    guard::Served,
    refusal::{self, Refusal},
};

/// Tieline's own dialect.
pub const DIALECT: Dialect = Dialect {
    name: "native",
    title: "Native",
    description: "Tieline's own API: organisations, members and tokens, channels, incoming events and their \
                  deliveries. JSON in camelCase; an absent optional value is left out, never `null`.",
    prefixes: &[
        "/v1/organisations",
        "/v1/invitations",
        "/v1/consent",
        "/v1/connections",
        "/v1/tokens",
        "/v1/sessions",
        "/v1/session",
        "/v1/sign-in-options",
        "/v1/portal-sessions",
        "/v1/audit-log",
        "/v1/channels",
        "/v1/apps",
        "/v1/incoming-webhooks",
        "/v1/outgoing-webhooks",
        "/v1/registry",
        "/v1/events",
        "/v1/deliveries",
        "/v1/destinations",
        "/v1/statistics",
        "/v1/retention",
        "/v1/routes",
        "/v1/slack",
        "/v1/github",
        "/v1/workflows",
        "/v1/operator",
        "/healthz",
        "/readyz",
        "/metrics",
    ],
    together: &[],
    names_organisation: true,
    closed: true,
    closed_query: true,
    described: || wire::complete(&dialect::describe(operations())),
    error_example: dialect::error_example::<error::NativeError>,
    refuse: refusal::render::<error::NativeError>,
    endpoint: |served| dialect::mount::<error::NativeError, _>(operations(), served),
};

fn operations() -> impl OpenApi + 'static {
    (
        organisations::Organisations,
        (members::Members, invitations::Invitations),
        (tokens::Tokens, sessions::Sessions, audit::AuditLog),
        connections::Connections,
        channels::Channels,
        (apps::Apps, channel_apps::ChannelApps, registry::Registry, registry_keys::RegistryKeys),
        (incoming_webhooks::IncomingWebhooks, outgoing_webhooks::OutgoingWebhooks),
        events::Events,
        (destinations::Destinations, deliveries::Deliveries, statistics::Statistics, routes::Routes),
        github::Github,
        workflows::Workflows,
        operator::Operators,
        (callback::Callbacks, consent::Consents),
        health::Health,
    )
}

/// The health operations alone.
pub fn health_endpoint(served: Arc<Served>) -> BoxEndpoint<'static> {
    dialect::mount::<error::NativeError, _>(health::Health, served)
}

type Refused = Refusal<error::NativeError>;
type Answer<T> = Result<Json<T>, Refused>;

#[derive(Tags)]
enum Tag {
    /// Organisations, the tenants of this service.
    Organisations,
    /// Members of an organisation, with their roles and permissions.
    Members,
    /// Memberships offered to a subject, which accepts or declines them with a JWT of its own.
    Invitations,
    /// Personal access tokens of the caller. The text of a token is shown once.
    Tokens,
    /// Sessions of browsers that are signed in to the portal, and one-use links that open them.
    Sessions,
    /// Changes of the organisation's configuration and access, with their actors.
    #[oai(rename = "Audit log")]
    AuditLog,
    /// An organisation's authorised access to its providers: its Slack workspace, its GitHub installations.
    Connections,
    /// Named places in an organisation where events flow.
    Channels,
    /// Apps of an organisation, installed by a descriptor or from the registry: settings, signing secrets, and the check
    /// of a descriptor.
    Apps,
    /// Incoming webhooks, addresses at which senders post to channels, and outgoing webhooks, which are called for events
    /// of channels.
    Webhooks,
    /// Versions of integrations in the registry: the organisation's own, and the public ones.
    #[oai(rename = "Registry versions")]
    Registry,
    /// Incoming events, each accepted once and durable before the response.
    Events,
    /// Deliveries of events to destinations, with every attempt, its outcome, and the reason for a skipped or failed
    /// delivery.
    Deliveries,
    /// Routes of events to destinations.
    Routes,
    /// Workflows that members run from Slack by a slash command.
    Workflows,
    /// Facts about all organisations, and the registry's versions that wait, for the people who run the service. An
    /// operator's token opens these operations alone, and no other token opens them.
    Operators,
    /// GitHub's webhook.
    #[oai(rename = "GitHub")]
    Github,
    /// Redirect targets of Slack's and GitHub's OAuth pages.
    Callbacks,
    /// Liveness, readiness and metrics.
    Health,
}

/// A created resource.
#[derive(ApiResponse)]
enum Created<T: ParseFromJSON + ToJSON> {
    /// The resource was created.
    #[oai(status = 201)]
    Created(Json<T>),
}

/// A response without a body.
#[derive(ApiResponse)]
enum Done {
    /// The request succeeded.
    #[oai(status = 204)]
    Done,
}
