//! Deliveries: one event on its way to one destination, and the outcomes of attempts.
//!
//! Not here: the time of a retry (`retry`).

use std::{borrow::Cow, str::FromStr, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::domain::{
    Error, Result,
    ambient::Time,
    ids::{DeliveryId, DestinationId, EventId, OrganisationId, RouteId},
};

pub use super::attempt::{Attempt, AttemptOutcome, AttemptState};

/// Delivery of one event to one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its identifier.
    pub id: DeliveryId,
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Event that is delivered.
    pub event_id: EventId,
    /// Its destination.
    pub destination_id: DestinationId,
    /// Route by which it was decided, if it was one.
    pub route_id: Option<RouteId>,
    /// Its state.
    pub state: DeliveryState,
    /// Reason for which it is not delivered, in words.
    pub reason: Option<String>,
    /// Content, where it was decided at intake; otherwise the sender makes it from the event.
    pub content: Option<Content>,
    /// Number of attempts.
    pub attempts: i32,
    /// Number of attempts before the last replay.
    pub attempts_before_replay: i32,
    /// Time of the last replay, if any.
    pub replayed_at: Option<Time>,
    /// Time of the next attempt, while pending.
    pub next_attempt_at: Option<Time>,
    /// Time from which on, while it keeps failing, it holds up no other, where their order is kept.
    pub aside_at: Option<Time>,
    /// Time at which it was delivered, or ended otherwise.
    pub completed_at: Option<Time>,
    /// Time at which its event was accepted.
    pub created_at: Time,
    /// Position in the queue of its destination, while it waits there for its first attempt.
    pub seq: Option<i64>,
}

impl Delivery {
    /// Returns the number of attempts of its retry schedule, which begins anew with each replay.
    pub fn attempts_of_schedule(&self) -> i32 {
        self.attempts - self.attempts_before_replay
    }
}

/// Content of a delivery: JSON that its kind of destination wrote and reads. The pipeline does not interpret it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Writes a content.
    pub fn of(value: &impl Serialize) -> Self {
        Self(json!(value).to_string())
    }

    /// Takes a content from the database.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the text for the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a content.
    ///
    /// # Errors
    /// [`Error::Internal`] where it is of another kind.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0).map_err(|error| Error::Internal(format!("a delivery's content: {error}")))
    }
}

/// State of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Waiting for an attempt: the first, or a retry.
    Pending,
    /// Delivered to the destination.
    Delivered,
    /// Failed permanently: there is no retry, unless a member replays it.
    Failed,
    /// Skipped on purpose: by a pause or a filter.
    Skipped,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [DeliveryState; 4] =
        [DeliveryState::Pending, DeliveryState::Delivered, DeliveryState::Failed, DeliveryState::Skipped];

    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
            DeliveryState::Skipped => "skipped",
        }
    }
}

impl FromStr for DeliveryState {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        DeliveryState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Error::invalid("state", "must be pending, delivered, failed or skipped"))
    }
}

/// Reason for which a delivery is not sent, with the cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(&'static str);

impl Reason {
    /// Creates a reason.
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// Returns its text.
    pub const fn text(self) -> &'static str {
        self.0
    }
}

/// Outcome classification of an attempt, as the sender of its destination reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Delivered to the destination.
    Delivered,
    /// Rate limited: the upstream asks for a pause.
    Throttled {
        /// Duration of the pause.
        retry_after: Duration,
    },
    /// The upstream did not answer properly: it is down, slow or confused. Nothing is wrong with the message.
    Unreachable {
        /// Reason, in words.
        reason: Cow<'static, str>,
    },
    /// The upstream answered with an error that may be transient.
    Faltered {
        /// Reason, in words.
        reason: String,
    },
    /// The upstream will never accept this message.
    MessageRefused {
        /// Reason, in words.
        reason: String,
    },
    /// The upstream refuses this address: the circuit of the destination opens.
    AddressRefused {
        /// Reason, in words, with the cure.
        reason: String,
    },
    /// The upstream wants nothing more, ever: the destination is disabled until a member enables it.
    Gone {
        /// Reason, in words, with the cure.
        reason: String,
    },
    /// The credential is no longer valid: nothing can be sent through this connection any more.
    ConnectionDead {
        /// Error code of the upstream.
        code: String,
        /// Reason, in words, with the cure.
        reason: String,
    },
}

impl Outcome {
    /// Returns the reason of a failure, in words.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Outcome::Delivered => None,
            Outcome::Throttled { .. } => Some("rate limited"),
            Outcome::Unreachable { reason } => Some(reason),
            Outcome::Faltered { reason }
            | Outcome::MessageRefused { reason }
            | Outcome::AddressRefused { reason }
            | Outcome::Gone { reason }
            | Outcome::ConnectionDead { reason, .. } => Some(reason),
        }
    }

    /// Returns whether nothing but this message failed: otherwise the health of the destination, or of the connection,
    /// tells of the failure.
    pub fn concerns_the_message(&self) -> bool {
        match self {
            Outcome::AddressRefused { .. } | Outcome::Gone { .. } | Outcome::ConnectionDead { .. } => false,
            Outcome::Delivered
            | Outcome::Throttled { .. }
            | Outcome::Unreachable { .. }
            | Outcome::Faltered { .. }
            | Outcome::MessageRefused { .. } => true,
        }
    }
}

/// Next step of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The delivery is done.
    Delivered,
    /// The delivery is retried at that time; the destination rests until then, which keeps its order.
    RetryAt {
        /// Time of the retry.
        at: Time,
        /// Reason of the failure, in words.
        reason: String,
    },
    /// The delivery fails permanently.
    Failed {
        /// Reason of the failure, in words.
        reason: String,
    },
    /// The delivery fails permanently, because its retry schedule is exhausted.
    Exhausted {
        /// Reason of the last failure, in words.
        reason: String,
    },
}
