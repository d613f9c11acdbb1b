//! Typed identifiers: the compiler refuses a channel's id in place of a member's.
//!
//! Not here: the generation of identifiers (`ambient`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                $name(id)
            }
        }
    )+};
}

id! {
    /// An organisation: the tenant.
    OrganisationId,
    /// A user, who may be a member of several organisations.
    UserId,
    /// A user's membership of one organisation.
    MemberId,
    /// A personal access token (its row, not its text).
    TokenId,
    /// A token of an operator (its row, not its text).
    OperatorTokenId,
    /// A session of a browser.
    SessionId,
    /// A channel of an organisation.
    ChannelId,
    /// A route.
    RouteId,
    /// An organisation's connection to an account at any provider: the id of its link.
    ConnectionId,
    /// An organisation's connection to one Slack workspace.
    SlackLinkId,
    /// The record of an installation of our GitHub App: its own id, not GitHub's number.
    GithubInstallationId,
    /// An organisation's link to a GitHub installation.
    GithubLinkId,
    /// An app, a webhook or a registry version.
    IntegrationId,
    /// An organisation's installation of an integration.
    InstallationId,
    /// A label and a value of an installation.
    SettingId,
    /// A destination of deliveries.
    DestinationId,
    /// An accepted event.
    EventId,
    /// One event on its way to one destination.
    DeliveryId,
    /// One attempt at a delivery.
    AttemptId,
    /// An API key of a registry version (its row, not its text).
    ApiKeyId,
}
