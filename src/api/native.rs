//! Tieline's own dialect: everything that the other dialects do not have. JSON in camelCase, lists with a cursor, RFC
//! 9457 errors.
//!
//! One file a resource under `native/`; `wire` has the schemas, `error` the problem details.

pub mod audit;
pub mod callback;
pub mod channel_integrations;
pub mod channels;
mod cloud_events;
pub mod connections;
pub mod consent;
pub mod deliveries;
pub mod descriptors;
pub mod destinations;
pub mod error;
pub mod events;
pub mod github;
pub mod health;
pub mod installations;
pub mod invitations;
pub mod members;
pub mod organisations;
mod page;
pub mod routes;
pub mod signing;
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
        "/v1/audit-log",
        "/v1/channels",
        "/v1/integrations",
        "/v1/events",
        "/v1/deliveries",
        "/v1/destinations",
        "/v1/statistics",
        "/v1/routes",
        "/v1/slack",
        "/v1/github",
        "/v1/workflows",
        "/v1/descriptors",
        "/healthz",
        "/readyz",
        "/metrics",
    ],
    together: &[],
    names_organisation: true,
    closed: true,
    closed_query: true,
    described: || dialect::describe(operations()),
    error_example: dialect::error_example::<error::NativeError>,
    refuse: refusal::render::<error::NativeError>,
    endpoint: |served| dialect::mount::<error::NativeError, _>(operations(), served),
};

fn operations() -> impl OpenApi + 'static {
    (
        organisations::Organisations,
        (members::Members, invitations::Invitations),
        (tokens::Tokens, audit::AuditLog),
        connections::Connections,
        channels::Channels,
        channel_integrations::ChannelIntegrations,
        (signing::Signing, installations::Installations),
        events::Events,
        (destinations::Destinations, deliveries::Deliveries, statistics::Statistics, routes::Routes),
        github::Github,
        workflows::Workflows,
        descriptors::Descriptors,
        (callback::Callbacks, consent::Consents),
        health::Health,
    )
}

/// Paths of the health operations.
pub const HEALTH_PATHS: &[&str] = &["/healthz", "/readyz", "/metrics"];

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
    /// Changes of the organisation's configuration and access, with their actors.
    #[oai(rename = "Audit log")]
    AuditLog,
    /// An organisation's authorised access to its providers: its Slack workspace, its GitHub installations.
    Connections,
    /// Named places in an organisation where events flow.
    Channels,
    /// Integrations of an organisation, installed by a descriptor or from the registry.
    #[oai(rename = "Installed integrations")]
    Integrations,
    /// Signing secrets, with which integrations verify that a call comes from this service.
    Signing,
    /// Incoming events, each accepted once and durable before the response.
    Events,
    /// Deliveries of events to destinations, with every attempt, its outcome, and the reason for a skipped or failed
    /// delivery.
    Deliveries,
    /// Routes of events to destinations.
    Routes,
    /// Workflows that members run from Slack by a slash command.
    Workflows,
    /// The JSON documents that describe integrations.
    Descriptors,
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
