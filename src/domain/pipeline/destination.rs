//! Destinations: the targets of deliveries. A destination has an address, a rate limit and a health.
//!
//! Deliveries of one destination leave one at a time and in the order in which their events were accepted, but for kinds
//! that keep no order.

use std::{borrow::Cow, time::Duration};

use super::delivery::Content;
use crate::domain::{
    ambient::Time,
    ids::{DestinationId, OrganisationId},
};

/// Destination of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its identifier.
    pub id: DestinationId,
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Its kind.
    pub kind: DestinationKind,
    /// Its name, unique within the organisation and kind.
    pub name: String,
    /// Its address, as its kind writes it; empty until one is chosen.
    pub address: String,
    /// Settings that its kind wrote and reads, if it has any.
    pub settings: Option<Content>,
    /// Its health.
    pub health: Health,
    /// Number of successful deliveries.
    pub success_count: i64,
    /// Number of failed attempts.
    pub failure_count: i64,
    /// Time of the last attempt.
    pub last_sent_at: Option<Time>,
    /// Time of its creation.
    pub created_at: Time,
}

impl Destination {
    /// Creates a destination to which nothing was sent yet.
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
            settings: None,
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

/// Health of a destination, the state of its circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Circuit closed: healthy, as far as is known.
    Healthy,
    /// Circuit open: the upstream refuses this address. One delivery at a time is attempted, once in [`PROBE_INTERVAL`]
    /// (a half-open probe); the others fail.
    Broken {
        /// Reason that the upstream gives, with the cure.
        reason: String,
        /// Time at which it last gave it.
        since: Time,
    },
    /// Disabled: nothing is sent, because it is not connected any more.
    Off {
        /// Reason, with the cure.
        reason: String,
        /// Time from which on it is disabled.
        since: Time,
    },
}

/// Interval of the half-open probes of an open circuit, so that it closes by itself when the upstream works again.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(60);

impl Health {
    /// Returns the name on the wire and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            Health::Healthy => "healthy",
            Health::Broken { .. } => "broken",
            Health::Off { .. } => "off",
        }
    }

    /// Returns the reason for which a new delivery is not worth an attempt at `now`, if any.
    pub fn refusal(&self, now: Time) -> Option<&str> {
        match self {
            Health::Healthy => None,
            // A time in the future is from before the clock was set back.
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
