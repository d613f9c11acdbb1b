//! Destinations: where deliveries go. A destination has an address, a pace and a health.
//!
//! Deliveries of one destination leave one at a time and in the order in which their events were accepted, but for kinds
//! that keep no order.

use std::{str::FromStr, time::Duration};

use crate::domain::{
    Error, Result,
    ambient::Time,
    ids::{ChannelId, DestinationId, IntegrationId, OrganisationId},
};

/// The name of the destination that an organisation's Slack link sends its notifications to.
pub const SLACK_NOTIFICATIONS: &str = "notifications";

/// The name of the destination that is a channel of the organisation's Slack workspace, for its subscriptions.
pub fn slack_channel(channel_id: &str) -> String {
    format!("channel:{channel_id}")
}

/// What the name of a destination that is a person in Slack begins with.
const SLACK_USER: &str = "user:";

/// The name of the destination that is a person in Slack.
pub fn slack_user(user_id: &str) -> String {
    format!("{SLACK_USER}{user_id}")
}

/// The name of the destination that is an integration.
pub fn integration_name(id: IntegrationId) -> String {
    id.to_string()
}

/// What the names of the destinations begin with that are the URLs of an outgoing webhook.
pub fn webhook_names(id: IntegrationId) -> String {
    format!("{id}:")
}

/// The name of the destination that is a URL of an outgoing webhook. `fingerprint` tells its URLs apart.
pub fn webhook_name(id: IntegrationId, fingerprint: &str) -> String {
    format!("{}{fingerprint}", webhook_names(id))
}

/// The name of the destination that is a channel of ours, whose modifiers a message goes through.
pub fn channel_name(id: ChannelId) -> String {
    id.to_string()
}

/// The name of the destination at which runs of workflows are checked and accepted.
pub const WORKFLOW_RUNS: &str = "runs";

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its identifier.
    pub id: DestinationId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// How it is reached.
    pub kind: DestinationKind,
    /// Unique within the organisation and kind.
    pub name: String,
    /// The Slack channel's id; empty until one is chosen.
    pub address: String,
    /// Whether what is sent there arrives.
    pub health: Health,
    /// What was delivered.
    pub success_count: i64,
    /// Tries that failed.
    pub failure_count: i64,
    /// The last try.
    pub last_sent_at: Option<Time>,
    /// When it came to be.
    pub created_at: Time,
}

impl Destination {
    /// One that nothing was sent to yet.
    pub fn fresh(
        id: DestinationId,
        organisation_id: OrganisationId,
        (kind, name, address): (DestinationKind, String, String),
        now: Time,
    ) -> Self {
        Self {
            id,
            organisation_id,
            kind,
            name,
            address,
            health: Health::Healthy,
            success_count: 0,
            failure_count: 0,
            last_sent_at: None,
            created_at: now,
        }
    }

    /// Whether it is a person: what they are told, they asked for.
    pub fn is_person(&self) -> bool {
        self.kind == DestinationKind::Slack && self.name.starts_with(SLACK_USER)
    }
}

/// How a destination is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationKind {
    /// A channel of a Slack workspace, or a person in it.
    Slack,
    /// Ourselves: a run of a workflow that somebody asked for in Slack is checked and accepted.
    WorkflowRun,
    /// Ourselves: a message goes through the modifiers of its channel.
    Channel,
    /// Ourselves: a request to an incoming webhook that found scripts busy is worked on.
    IncomingWebhook,
    /// An integration that is called.
    Integration,
    /// A URL of an outgoing webhook.
    OutgoingWebhook,
}

impl DestinationKind {
    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            DestinationKind::Slack => "slack",
            DestinationKind::WorkflowRun => "workflow-run",
            DestinationKind::Channel => "channel",
            DestinationKind::IncomingWebhook => "incoming-webhook",
            DestinationKind::Integration => "integration",
            DestinationKind::OutgoingWebhook => "outgoing-webhook",
        }
    }

    /// Whether its deliveries leave in their order. Where they do not, one that waits for its time is passed by, and
    /// several leave at once.
    pub fn keeps_order(self) -> bool {
        match self {
            DestinationKind::Slack
            | DestinationKind::WorkflowRun
            | DestinationKind::Channel
            | DestinationKind::IncomingWebhook
            | DestinationKind::Integration => true,
            // The runs of a webhook have nothing to do with each other, and each has pauses of its own.
            DestinationKind::OutgoingWebhook => false,
        }
    }
}

impl FromStr for DestinationKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "slack" => Ok(DestinationKind::Slack),
            "workflow-run" => Ok(DestinationKind::WorkflowRun),
            "channel" => Ok(DestinationKind::Channel),
            "incoming-webhook" => Ok(DestinationKind::IncomingWebhook),
            "integration" => Ok(DestinationKind::Integration),
            "outgoing-webhook" => Ok(DestinationKind::OutgoingWebhook),
            _ => {
                let kinds = "slack, workflow-run, channel, incoming-webhook, integration or outgoing-webhook";
                Err(Error::invalid("/kind", format!("must be {kinds}")))
            }
        }
    }
}

/// Whether what is sent to a destination arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// As far as we know.
    Healthy,
    /// The far end refuses this address. One delivery at a time is tried, once in [`PROBE_INTERVAL`]; the others fail.
    Broken {
        /// What the far end says, and what to do.
        reason: String,
        /// The last time it said so.
        since: Time,
    },
    /// Nothing is sent: it is not connected any more.
    Off {
        /// Why, and what to do.
        reason: String,
        /// From then on.
        since: Time,
    },
}

/// How often a broken destination is tried, so that it heals by itself when somebody mends the far end.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(60);

impl Health {
    /// The name on the wire and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            Health::Healthy => "healthy",
            Health::Broken { .. } => "broken",
            Health::Off { .. } => "off",
        }
    }

    /// Why a new delivery is not worth trying at `now`, if so.
    pub fn refusal(&self, now: Time) -> Option<&str> {
        match self {
            Health::Healthy => None,
            // One from a time to come is of a clock that was set back since.
            Health::Broken { reason, since } => (*since..*since + PROBE_INTERVAL).contains(&now).then_some(reason),
            Health::Off { reason, .. } => Some(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn a_broken_destination_is_probed_now_and_then() {
        let broken = Health::Broken { reason: "not_in_channel".into(), since: at(0) };
        assert_eq!(broken.refusal(at(59_999)), Some("not_in_channel"));
        assert_eq!(broken.refusal(at(60_000)), None);
        let later = Health::Broken { reason: "not_in_channel".into(), since: at(3_600_000) };
        assert_eq!(later.refusal(at(0)), None, "the clock was set back");
        let off = Health::Off { reason: "disconnected".into(), since: at(0) };
        assert_eq!(off.refusal(at(10_000_000)), Some("disconnected"));
    }
}
