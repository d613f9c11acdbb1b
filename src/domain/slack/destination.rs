//! Destinations in Slack: the channel of the link, channels with subscriptions, and people.

use super::{
    link::{SlackLink, SlackLinkStatus},
    reason,
};
use crate::domain::pipeline::{
    delivery::Reason,
    destination::{Destination, DestinationKind},
};

/// Kind of the destinations in Slack.
pub const SLACK: DestinationKind = DestinationKind::new("slack");

/// Name of the destination of an organisation's Slack link.
pub const NOTIFICATIONS: &str = "notifications";

/// Beginning of the names of people.
const PERSON: &str = "user:";

/// Returns the name of the destination that is a channel with subscriptions.
pub fn channel_name(channel_id: &str) -> String {
    format!("channel:{channel_id}")
}

/// Returns the name of the destination that is a person.
pub fn person_name(user_id: &str) -> String {
    format!("{PERSON}{user_id}")
}

/// Returns the reason for which nothing is sent to a destination while its link is paused. A person who asked for
/// something is answered in spite of a pause.
pub fn paused(link: &SlackLink, destination: &Destination) -> Option<Reason> {
    (link.status == SlackLinkStatus::Paused && !is_person(destination)).then_some(reason::PAUSED)
}

/// Returns true if a destination is a person, who has requested what is sent there.
pub fn is_person(destination: &Destination) -> bool {
    destination.name.starts_with(PERSON)
}
