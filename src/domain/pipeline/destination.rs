//! Destinations: the targets of deliveries. A destination has an address, a rate limit and a health.
//!
//! Deliveries of one destination leave one at a time and in the order in which their events were accepted, but for kinds
//! that keep no order.

use std::{borrow::Cow, time::Duration};

use super::{delivery::Content, retry::RetrySchedule};
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
    /// Number of attempts that failed, in ways that may pass, since the last success.
    pub consecutive_failures: i32,
    /// Retry schedule of its own, if it has one.
    pub retry_schedule: Option<RetrySchedule>,
    /// Time of the last attempt.
    pub last_sent_at: Option<Time>,
    /// True if the upstream did not answer when it was asked for the address, so that nothing was confirmed at the
    /// creation.
    pub unconfirmed: bool,
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
            consecutive_failures: 0,
            retry_schedule: None,
            last_sent_at: None,
            unconfirmed: false,
            created_at: now,
        }
    }

    /// Returns true if neither the upstream nor a delivery has confirmed the address.
    pub fn is_unconfirmed(&self) -> bool {
        self.unconfirmed && self.success_count == 0
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

/// Health of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Healthy, as far as is known.
    Healthy,
    /// Attempts fail. They go on by the retry schedule, unless the circuit is open.
    Failing {
        /// Reason that the upstream gives, with the cure.
        reason: String,
        /// Time from which on it is failing.
        since: Time,
        /// Time of the next half-open probe, where the circuit is open: the upstream refuses this address. Until then
        /// new deliveries fail without an attempt.
        probe_at: Option<Time>,
    },
    /// Disabled: nothing is sent until it is enabled or connected again.
    Disabled {
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
            Health::Failing { .. } => "failing",
            Health::Disabled { .. } => "disabled",
        }
    }

    /// Returns the time from which on it is failing, if it is.
    pub fn failing_since(&self) -> Option<Time> {
        match self {
            Health::Failing { since, .. } => Some(*since),
            Health::Healthy | Health::Disabled { .. } => None,
        }
    }

    /// Returns the reason for which pending deliveries fail, if they do.
    pub fn closed(&self) -> Option<&str> {
        match self {
            Health::Healthy | Health::Failing { probe_at: None, .. } => None,
            Health::Failing { reason, probe_at: Some(_), .. } | Health::Disabled { reason, .. } => Some(reason),
        }
    }

    /// Returns the reason for which a new delivery is not worth an attempt at `now`, if any.
    pub fn refusal(&self, now: Time) -> Option<&str> {
        match self {
            Health::Healthy | Health::Failing { probe_at: None, .. } => None,
            // A time that is further away is from before the clock was set back.
            Health::Failing { reason, probe_at: Some(at), .. } => {
                (*at - PROBE_INTERVAL..*at).contains(&now).then_some(reason)
            }
            Health::Disabled { reason, .. } => Some(reason),
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
    fn an_open_circuit_is_probed_now_and_then() {
        let open = |probe_at| Health::Failing { reason: "not_in_channel".into(), since: at(0), probe_at };
        assert_eq!(open(Some(at(60_000))).refusal(at(59_999)), Some("not_in_channel"));
        assert_eq!(open(Some(at(60_000))).refusal(at(60_000)), None);
        assert_eq!(open(Some(at(3_600_000))).refusal(at(0)), None, "the clock was set back");
        assert_eq!(open(None).refusal(at(1)), None, "a run of failures refuses nothing");
        let disabled = Health::Disabled { reason: "disconnected".into(), since: at(0) };
        assert_eq!(disabled.refusal(at(10_000_000)), Some("disconnected"));
    }
}
