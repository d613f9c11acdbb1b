//! Typed identifiers: a channel's id cannot be passed where a member's is wanted.

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
    /// A channel of an organisation.
    ChannelId,
    /// An organisation's connection to one Slack workspace.
    SlackLinkId,
    /// What GitHub says of an installation of our app: its record, not GitHub's own number.
    GithubInstallationId,
    /// An organisation's link to a GitHub installation.
    GithubLinkId,
    /// A Slack channel's wish to hear of GitHub events.
    SubscriptionId,
    /// Something that can be installed.
    IntegrationId,
    /// An organisation's use of an integration.
    InstallationId,
    /// A label and a value of an installation.
    SettingId,
    /// Where deliveries go.
    DestinationId,
    /// An accepted event.
    EventId,
    /// One event on its way to one destination.
    DeliveryId,
    /// One try of a delivery.
    AttemptId,
    /// A key of an integration in the registry (its row, not its text).
    ApiKeyId,
}
