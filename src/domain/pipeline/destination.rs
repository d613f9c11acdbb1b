//! Destinations: where deliveries go. A destination has an address, a pace and a health.
//!
//! Deliveries of one destination leave one at a time and in the order in which their events were accepted, but for kinds
//! that keep no order.

use std::{borrow::Cow, time::Duration};

use crate::domain::{
    ambient::Time,
    ids::{DestinationId, OrganisationId},
};

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
    /// Its address, as its kind writes it; empty until one is chosen.
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
}

/// Kind of a destination. The room that sends to destinations of a kind names it, and registers its sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DestinationKind(Cow<'static, str>);

impl DestinationKind {
    /// Creates a kind by its name on the wire and in the database.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Reads a kind from the database.
    pub fn stored(name: String) -> Self {
        Self(Cow::Owned(name))
    }

    /// Returns the name on the wire and in the database.
    pub fn as_str(&self) -> &str {
        &self.0
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
