//! Use cases. Each authorises its caller, opens a transaction where it changes something, applies the rules of `domain`,
//! and saves. A use case has the name of the operation that calls it.
//!
//! Each room offers a service, whose fields are its dependencies; [`Services`] lists them for the composition root. Not
//! here: HTTP, dialects, rows, the sending of deliveries (`worker`).

pub mod apps;
pub mod channels;
pub mod email;
pub mod github;
pub mod kernel;
pub mod pipeline;
pub mod registry;
pub mod routes;
pub mod slack;
pub mod tenancy;
pub mod webhooks;
pub mod workflows;

use std::sync::Arc;

pub use tenancy::access::Caller;

/// The services of a process, as the composition root has wired them. No service holds this list.
#[derive(Clone)]
pub struct Services {
    /// Dependencies that every service has.
    pub base: kernel::Base,
    /// Senders of deliveries, by kind of destination.
    pub senders: pipeline::sender::Senders,
    /// Organisations, members, tokens.
    pub tenancy: Arc<tenancy::Tenancy>,
    /// Signing in by an identity provider.
    pub sign_in: Arc<tenancy::sign_in::SignIn>,
    /// Connections to providers.
    pub connections: Arc<tenancy::connections::Connections>,
    /// Events and deliveries.
    pub pipeline: Arc<pipeline::Pipeline>,
    /// Replays of deliveries.
    pub replays: Arc<pipeline::replays::Replays>,
    /// Destinations that members make.
    pub destinations: Arc<pipeline::destinations::Destinations>,
    /// Webhook destinations.
    pub endpoints: Arc<webhooks::endpoints::Endpoints>,
    /// Routes.
    pub routes: Arc<routes::Routes>,
    /// Channels.
    pub channels: Arc<channels::Channels>,
    /// Slack.
    pub slack: Arc<slack::SlackConnections>,
    /// Slack's commands and interactions.
    pub slack_commands: Arc<slack::commands::SlackCommands>,
    /// GitHub.
    pub github: Arc<github::GithubConnections>,
    /// Workflows.
    pub workflows: Arc<workflows::Workflows>,
    /// Apps.
    pub apps: Arc<apps::Apps>,
    /// Webhooks.
    pub webhooks: Arc<webhooks::Webhooks>,
    /// Versions of the registry.
    pub registry: Arc<registry::Registry>,
}

macro_rules! each_service {
    ($($field:ident: $service:ty),* $(,)?) => {
        $(impl AsRef<$service> for Services {
            fn as_ref(&self) -> &$service {
                &self.$field
            }
        })*
    };
}

each_service! {
    base: kernel::Base,
    tenancy: tenancy::Tenancy,
    sign_in: tenancy::sign_in::SignIn,
    connections: tenancy::connections::Connections,
    pipeline: pipeline::Pipeline,
    replays: pipeline::replays::Replays,
    destinations: pipeline::destinations::Destinations,
    endpoints: webhooks::endpoints::Endpoints,
    routes: routes::Routes,
    channels: channels::Channels,
    slack: slack::SlackConnections,
    slack_commands: slack::commands::SlackCommands,
    github: github::GithubConnections,
    workflows: workflows::Workflows,
    apps: apps::Apps,
    webhooks: webhooks::Webhooks,
    registry: registry::Registry,
}
