//! Deliveries, attempts, destinations.

use std::collections::BTreeMap;

use poem_openapi::{
    Object,
    types::{Example, MaybeUndefined},
};
use serde_json::json;
use uuid::Uuid;

use super::{HealthWord, Word, destinations::options};
use crate::{
    api::shared::time::Timestamp,
    app::pipeline::{
        deliveries::{NamedDelivery, ShownDestination},
        destinations::DestinationChange,
    },
    domain::{
        pipeline::{
            delivery::{Attempt, AttemptState, Delivery, DeliveryState},
            destination::Health,
        },
        webhooks::endpoint::BodyFormat,
    },
};

/// One event on its way to one destination.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Delivery", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DeliveryOut {
    /// Unique id.
    pub id: Uuid,
    /// Id of the delivered event.
    pub event_id: Uuid,
    /// Id of the destination.
    pub destination_id: Uuid,
    /// Type of the event.
    pub event_type: String,
    /// Kind of the destination, such as `slack`.
    pub destination_kind: String,
    /// Name of the destination.
    pub destination_name: String,
    /// State of the delivery.
    pub state: Word<DeliveryState>,
    /// Reason why it is not delivered, and the remedy.
    pub reason: Option<String>,
    /// Number of attempts so far.
    pub attempt_count: i32,
    /// Time of the next attempt, while pending.
    pub next_attempt_at: Option<Timestamp>,
    /// Time at which it was delivered, or its retries were exhausted.
    pub completed_at: Option<Timestamp>,
    /// Time at which its event was accepted.
    pub created_at: Timestamp,
}

impl From<NamedDelivery> for DeliveryOut {
    fn from(named: NamedDelivery) -> Self {
        let NamedDelivery { delivery, event_type, destination_kind, destination_name } = named;
        Self {
            id: delivery.id.0,
            event_id: delivery.event_id.0,
            destination_id: delivery.destination_id.0,
            event_type,
            destination_kind,
            destination_name,
            state: Word(delivery.state),
            reason: delivery.reason,
            attempt_count: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at.map(Into::into),
            completed_at: delivery.completed_at.map(Into::into),
            created_at: delivery.created_at.into(),
        }
    }
}

/// One attempt of a delivery.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Attempt", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct AttemptOut {
    /// Unique id.
    pub id: Uuid,
    /// Number of the attempt, from 1.
    pub number: i32,
    /// Address of the target, such as a Slack channel's id.
    pub address: String,
    /// Outcome of the attempt.
    pub outcome: Word<AttemptState>,
    /// HTTP status of the response, if there was one.
    pub status_code: Option<u16>,
    /// Reason for the failure, and the remedy.
    pub reason: Option<String>,
    /// Body of the request.
    pub request: String,
    /// Beginning of the response, without secrets.
    pub answer: Option<String>,
    /// Duration, in milliseconds.
    pub duration_ms: u64,
    /// Time at which the attempt began.
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

/// A delivery with its attempts.
#[derive(Clone, Debug, Object)]
#[oai(rename = "DeliveryDetail")]
pub struct DeliveryDetailOut {
    /// The delivery.
    #[oai(flatten)]
    pub delivery: DeliveryOut,
    /// The attempts, oldest first.
    pub attempts: Vec<AttemptOut>,
}

impl From<(NamedDelivery, Vec<Attempt>)> for DeliveryDetailOut {
    fn from((delivery, attempts): (NamedDelivery, Vec<Attempt>)) -> Self {
        Self { delivery: delivery.into(), attempts: attempts.into_iter().map(Into::into).collect() }
    }
}

/// A replayed delivery.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Replay")]
pub struct ReplayOut {
    /// The delivery's id.
    pub id: Uuid,
    /// State of the delivery after the replay.
    pub state: Word<DeliveryState>,
}

impl From<Delivery> for ReplayOut {
    fn from(delivery: Delivery) -> Self {
        Self { id: delivery.id.0, state: Word(delivery.state) }
    }
}

/// Destination whose failed deliveries are replayed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ReplayFailed", rename_all = "camelCase", example)]
pub struct ReplayFailedIn {
    /// Id of the destination.
    pub destination_id: Uuid,
    /// Only deliveries of events that were accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Only deliveries of events that were accepted before this time.
    pub until: Option<Timestamp>,
    /// True to count them without sending anything.
    pub dry_run: Option<bool>,
}

impl Example for ReplayFailedIn {
    fn example() -> Self {
        let destination_id = Uuid::from_u128(0x0199_c1de_0000_7000_8000_0000_0000_0003);
        Self { destination_id, since: None, until: None, dry_run: Some(true) }
    }
}

/// Number of replayed or counted deliveries.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ReplayedFailed")]
pub struct ReplayAllOut {
    /// Number of deliveries.
    pub count: u64,
}

/// A place that deliveries are sent to.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Destination", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DestinationOut {
    /// Unique id.
    pub id: Uuid,
    /// Kind of the destination, such as `slack`.
    pub kind: String,
    /// Unique within the organisation and kind.
    pub name: String,
    /// Address at the provider, such as a Slack channel's id; empty until it is known.
    pub address: String,
    /// Health of the destination.
    pub health: Word<HealthWord>,
    /// Reason why it is not healthy, and the remedy.
    pub reason: Option<String>,
    /// Time since which it is not healthy.
    pub since: Option<Timestamp>,
    /// Reason why nothing is sent for now, and the remedy: the connection is paused. Absent where it is not.
    pub paused_reason: Option<String>,
    /// True if Slack did not answer when the channel was chosen, and nothing was delivered to it since.
    pub unconfirmed: Option<bool>,
    /// Number of successful deliveries.
    pub success_count: i64,
    /// Number of failed attempts.
    pub failure_count: i64,
    /// Number of failed attempts since the last success; a message that is refused for itself does not count.
    pub consecutive_failure_count: i32,
    /// Retry schedule of its own: the pauses after failed attempts, in seconds. Absent where it has the service's.
    pub retry_schedule: Option<Vec<u64>>,
    /// Time of the last attempt.
    pub last_sent_at: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl From<ShownDestination> for DestinationOut {
    fn from(ShownDestination { destination, paused }: ShownDestination) -> Self {
        let health = Word(HealthWord::from(&destination.health));
        let unconfirmed = destination.is_unconfirmed().then_some(true);
        let (reason, since) = match destination.health {
            Health::Healthy => (None, None),
            Health::Failing { reason, since, .. } | Health::Disabled { reason, since } => (Some(reason), Some(since)),
        };
        Self {
            id: destination.id.0,
            kind: destination.kind.as_str().to_owned(),
            name: destination.name,
            address: destination.address,
            health,
            reason,
            since: since.map(Into::into),
            unconfirmed,
            paused_reason: paused.map(|reason| reason.text().to_owned()),
            success_count: destination.success_count,
            failure_count: destination.failure_count,
            consecutive_failure_count: destination.consecutive_failures,
            retry_schedule: destination.retry_schedule.map(|schedule| schedule.seconds()),
            last_sent_at: destination.last_sent_at.map(Into::into),
            created_at: destination.created_at.into(),
        }
    }
}

/// Changes to a destination; absent fields stay unchanged.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "UpdateDestination", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct DestinationPatch {
    /// Retry schedule: the pauses after failed attempts, in seconds, each of 1 to 604800. Up to half of each is taken
    /// off at random. Null: the service's.
    #[oai(nullable, validator(min_items = 1, max_items = 20))]
    pub retry_schedule: MaybeUndefined<Vec<u64>>,
    /// True to enable the destination, false to disable it.
    pub enabled: Option<bool>,
    /// For the kind `webhook`: another URL. Pending deliveries go there.
    pub url: Option<String>,
    /// For the kind `webhook`: the additional headers, in place of the former ones.
    #[oai(validator(max_properties = 20))]
    pub headers: Option<BTreeMap<String, String>>,
    /// For the kind `webhook`: the form of the body.
    pub format: Option<Word<BodyFormat>>,
    /// For the kind `webhook`: the maximum number of calls a second; 0 for no limit.
    #[oai(validator(maximum(value = "1000")))]
    pub rate_limit: Option<u32>,
}

impl From<DestinationPatch> for DestinationChange {
    fn from(patch: DestinationPatch) -> Self {
        let retry_schedule = match patch.retry_schedule {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(seconds) => Some(Some(seconds)),
        };
        let options = options([
            ("headers", patch.headers.map(|headers| json!(headers))),
            ("format", patch.format.map(|Word(format)| json!(format))),
            ("rateLimit", patch.rate_limit.map(|rate| json!(rate))),
        ]);
        Self { retry_schedule, enabled: patch.enabled, address: patch.url, options }
    }
}

impl Example for DestinationPatch {
    fn example() -> Self {
        Self { retry_schedule: MaybeUndefined::Value(vec![5, 60, 600, 3600]), ..Self::default() }
    }
}
