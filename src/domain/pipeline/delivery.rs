//! Deliveries: one event on its way to one destination, the outcomes of attempts, and the retry schedule.

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
    /// Time at which it was delivered, or ended otherwise.
    pub completed_at: Option<Time>,
    /// Time at which its event was accepted.
    pub created_at: Time,
}

impl Delivery {
    /// Returns the progress of its retry schedule, which begins anew with each replay.
    pub fn schedule(&self) -> Schedule {
        Schedule {
            began_at: self.replayed_at.unwrap_or(self.created_at),
            attempts: self.attempts - self.attempts_before_replay,
        }
    }
}

/// Progress of a retry schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Time of its beginning.
    pub began_at: Time,
    /// Number of attempts since.
    pub attempts: i32,
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
    /// Reason of an exhausted retry schedule.
    pub const GIVEN_UP: Reason = Reason::new("every try failed; replay this delivery when the destination works again");

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
pub enum Verdict {
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

/// Retry schedule: exponential backoff, and the limits after which retries are exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Backoff after the first failure; doubles with each further one.
    pub first_pause: Duration,
    /// Maximum backoff.
    pub longest_pause: Duration,
    /// Age of a delivery from which on a failure exhausts its retries.
    pub give_up_after: Duration,
    /// Maximum number of attempts at an upstream that answers, and keeps answering with an error.
    pub max_faltering_tries: i32,
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
}

impl RetryPolicy {
    /// Returns the next step after one more attempt of a delivery, which came to `verdict` at `now`. `jitter` in 0..=1
    /// spreads the retries of many over time.
    pub fn next(&self, verdict: &Verdict, schedule: Schedule, now: Time, jitter: f64) -> Next {
        let attempt = schedule.attempts + 1;
        let too_old = now >= schedule.began_at + self.give_up_after;
        let given_up = |reason: &str| Next::Failed { reason: format!("{}: {reason}", Reason::GIVEN_UP.text()) };
        let again = |reason: &str, exhausted: bool| {
            if exhausted {
                given_up(reason)
            } else {
                Next::RetryAt { at: now + self.pause(attempt, jitter), reason: reason.to_owned() }
            }
        };
        match verdict {
            Verdict::Delivered => Next::Delivered,
            Verdict::Throttled { retry_after } => {
                let reason = format!("the far end asked for a pause of {} s", retry_after.as_secs());
                if too_old { given_up(&reason) } else { Next::RetryAt { at: now + *retry_after, reason } }
            }
            Verdict::Unreachable { reason } => again(reason, too_old),
            Verdict::Faltered { reason } => again(reason, too_old || attempt >= self.max_faltering_tries),
            Verdict::MessageRefused { reason }
            | Verdict::AddressRefused { reason }
            | Verdict::Gone { reason }
            | Verdict::ConnectionDead { reason, .. } => Next::Failed { reason: reason.clone() },
        }
    }

    /// Returns the exponential backoff, with up to half of it taken off by `jitter` in 0..=1, in whole milliseconds.
    fn pause(&self, attempt: i32, jitter: f64) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(30);
        let full = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        let pause = full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(600),
        give_up_after: Duration::from_secs(3600),
        max_faltering_tries: 3,
    };

    fn at(secs: i64) -> Time {
        Time::from_timestamp(secs, 0).unwrap()
    }

    /// The schedule of attempt number `attempt`, 1 for the first.
    fn after(attempt: i32) -> Schedule {
        Schedule { began_at: at(0), attempts: attempt - 1 }
    }

    fn down() -> Verdict {
        Verdict::Unreachable { reason: "connection refused".into() }
    }

    fn pause_after(attempt: i32, jitter: f64) -> i64 {
        match POLICY.next(&down(), after(attempt), at(0), jitter) {
            Next::RetryAt { at, .. } => at.timestamp_millis(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let pauses: Vec<_> = [1, 2, 3, 10, 11, 1000].map(|n| pause_after(n, 0.0)).into();
        assert_eq!(pauses, [1000, 2000, 4000, 512_000, 600_000, 600_000]);
    }

    #[test]
    fn jitter_takes_off_up_to_half() {
        assert_eq!(pause_after(1, 1.0), 500);
        assert_eq!(pause_after(1, 0.5), 750);
    }

    #[test]
    fn the_far_ends_wish_is_honoured_exactly() {
        let throttled = Verdict::Throttled { retry_after: Duration::from_secs(37) };
        let Next::RetryAt { at: again, .. } = POLICY.next(&throttled, after(9), at(10), 0.9) else { panic!() };
        assert_eq!(again, at(47));
    }

    #[test]
    fn age_ends_it() {
        assert!(matches!(POLICY.next(&down(), after(1), at(3600), 0.0), Next::Failed { .. }));
        assert!(matches!(POLICY.next(&down(), after(99), at(3599), 0.0), Next::RetryAt { .. }));
    }

    #[test]
    fn a_far_end_that_keeps_answering_errors_gets_few_tries() {
        let faltered = Verdict::Faltered { reason: "internal_error".into() };
        assert!(matches!(POLICY.next(&faltered, after(2), at(1), 0.0), Next::RetryAt { .. }));
        assert!(matches!(POLICY.next(&faltered, after(3), at(1), 0.0), Next::Failed { .. }));
    }

    #[test]
    fn refusals_are_final() {
        for refused in [
            Verdict::MessageRefused { reason: "no_text".into() },
            Verdict::AddressRefused { reason: "is_archived".into() },
            Verdict::Gone { reason: "410".into() },
            Verdict::ConnectionDead { code: "token_revoked".into(), reason: "connect again".into() },
        ] {
            assert!(matches!(POLICY.next(&refused, after(1), at(0), 0.0), Next::Failed { .. }), "{refused:?}");
        }
    }
}
