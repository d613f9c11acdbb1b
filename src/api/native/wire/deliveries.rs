//! Deliveries, attempts, destinations.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::{HealthWord, Word};
use crate::{
    api::shared::time::Timestamp,
    domain::pipeline::{
        delivery::{Attempt, AttemptState, Delivery, DeliveryState},
        destination::{Destination, Health},
    },
};

/// One event on its way to one destination.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Delivery", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DeliveryOut {
    /// Its id.
    pub id: Uuid,
    /// What is delivered.
    pub event_id: Uuid,
    /// Where to.
    pub destination_id: Uuid,
    /// How far it is.
    pub state: Word<DeliveryState>,
    /// Why it is not delivered, and what to do.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempt_count: i32,
    /// When it is tried next, while pending.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was delivered or given up.
    pub completed_at: Option<Timestamp>,
    /// When its event was accepted.
    pub created_at: Timestamp,
}

impl From<Delivery> for DeliveryOut {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id.0,
            event_id: delivery.event_id.0,
            destination_id: delivery.destination_id.0,
            state: Word(delivery.state),
            reason: delivery.reason,
            attempt_count: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at.map(Into::into),
            completed_at: delivery.completed_at.map(Into::into),
            created_at: delivery.created_at.into(),
        }
    }
}

/// One try.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Attempt", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct AttemptOut {
    /// Its id.
    pub id: Uuid,
    /// 1 for the first.
    pub number: i32,
    /// Where it went, such as a Slack channel's id.
    pub address: String,
    /// How it ended.
    pub outcome: Word<AttemptState>,
    /// The HTTP status of the answer, if there was one.
    pub status_code: Option<u16>,
    /// Why it failed, and what to do.
    pub reason: Option<String>,
    /// What was sent.
    pub request: String,
    /// The beginning of what came back, without secrets.
    pub answer: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// When it began.
    pub created_at: Timestamp,
}

impl From<Attempt> for AttemptOut {
    fn from(attempt: Attempt) -> Self {
        Self {
            id: attempt.id.0,
            number: attempt.number,
            address: attempt.address,
            outcome: Word(attempt.outcome),
            status_code: attempt.status_code,
            reason: attempt.reason,
            request: attempt.request,
            answer: attempt.answer,
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            created_at: attempt.created_at.into(),
        }
    }
}

/// A delivery with everything that was tried.
#[derive(Clone, Debug, Object)]
#[oai(rename = "DeliveryDetail")]
pub struct DeliveryDetailOut {
    /// The delivery.
    #[oai(flatten)]
    pub delivery: DeliveryOut,
    /// The tries, oldest first.
    pub attempts: Vec<AttemptOut>,
}

impl From<(Delivery, Vec<Attempt>)> for DeliveryDetailOut {
    fn from((delivery, attempts): (Delivery, Vec<Attempt>)) -> Self {
        Self { delivery: delivery.into(), attempts: attempts.into_iter().map(Into::into).collect() }
    }
}

/// A delivery that is sent again.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Replay")]
pub struct ReplayOut {
    /// The delivery's id.
    pub id: Uuid,
    /// How far it is now.
    pub state: Word<DeliveryState>,
}

impl From<Delivery> for ReplayOut {
    fn from(delivery: Delivery) -> Self {
        Self { id: delivery.id.0, state: Word(delivery.state) }
    }
}

/// Whose failed deliveries are to be sent again.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ReplayFailed", rename_all = "camelCase", example)]
pub struct ReplayFailedIn {
    /// The destination.
    pub destination_id: Uuid,
}

impl Example for ReplayFailedIn {
    fn example() -> Self {
        Self { destination_id: Uuid::from_u128(0x0199_c1de_0000_7000_8000_0000_0000_0003) }
    }
}

/// How many deliveries are sent again.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ReplayedFailed")]
pub struct ReplayAllOut {
    /// So many.
    pub count: u64,
}

/// Where deliveries go.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Destination", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DestinationOut {
    /// Its id.
    pub id: Uuid,
    /// How it is reached, such as `slack`.
    pub kind: String,
    /// Unique within the organisation and kind.
    pub name: String,
    /// Where exactly, such as a Slack channel's id; empty until it is known.
    pub address: String,
    /// Whether what is sent there arrives.
    pub health: Word<HealthWord>,
    /// Why it is not healthy, and what to do.
    pub reason: Option<String>,
    /// Since when it is not healthy.
    pub since: Option<Timestamp>,
    /// What was delivered.
    pub success_count: i64,
    /// Tries that failed.
    pub failure_count: i64,
    /// The last try.
    pub last_sent_at: Option<Timestamp>,
    /// When it came to be.
    pub created_at: Timestamp,
}

impl From<Destination> for DestinationOut {
    fn from(destination: Destination) -> Self {
        let health = Word(HealthWord::from(&destination.health));
        let (reason, since) = match destination.health {
            Health::Healthy => (None, None),
            Health::Broken { reason, since } | Health::Off { reason, since } => (Some(reason), Some(since)),
        };
        Self {
            id: destination.id.0,
            kind: destination.kind.as_str().to_owned(),
            name: destination.name,
            address: destination.address,
            health,
            reason,
            since: since.map(Into::into),
            success_count: destination.success_count,
            failure_count: destination.failure_count,
            last_sent_at: destination.last_sent_at.map(Into::into),
            created_at: destination.created_at.into(),
        }
    }
}
