//! Records outcomes: attempts, states of deliveries, and the release of the destination, for many destinations in one
//! transaction.
//!
//! Not here: the decision on an outcome (`serving`).

use std::{collections::HashMap, sync::Arc, time::Duration};

use uuid::Uuid;

use crate::{
    app::{
        kernel::Base,
        pipeline::group_commit::{Bounds, GroupCommit},
    },
    domain::{
        Result,
        ambient::Time,
        ids::{DeliveryId, DestinationId},
        pipeline::{
            delivery::{Attempt, AttemptOutcome, AttemptState, Delivery, DeliveryState, Next},
            destination::{Destination, Health},
        },
    },
    store::{self, pipeline::destinations::Release},
};

/// Maximum number of destinations that share a transaction.
const BATCH: usize = 128;
/// Number of tries to write a record. After that the lease ends and the deliveries are sent again.
const TRIES: u32 = 25;
/// Maximum backoff between two of them: altogether they last most of the usual lease.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Outcomes of one destination, and the state written back when its lease is released.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) release: Release,
    attempts: Vec<Attempt>,
    delivered: Vec<(DeliveryId, Time)>,
    changed: Vec<Delivery>,
    /// Duration from which on an attempt is slow.
    slow_after: Duration,
}

impl Record {
    /// Creates an empty record; `more` is set where more deliveries wait than were loaded.
    pub(super) fn new(destination: &Destination, more: bool, slow_after: Duration) -> Self {
        let release = Release {
            id: destination.id,
            more,
            not_before: None,
            later: None,
            pace_until: None,
            successes: 0,
            failures: 0,
            last_sent_at: None,
            health: None,
            address: destination.address.clone(),
            slow: None,
        };
        Self { release, attempts: Vec::new(), delivered: Vec::new(), changed: Vec::new(), slow_after }
    }

    /// Adds an attempt.
    pub(super) fn tried(&mut self, base: &Base, delivery: &Delivery, outcome: AttemptOutcome, next: &Next, now: Time) {
        let (state, reason) = match next {
            Next::Delivered => (AttemptState::Delivered, None),
            Next::RetryAt { reason, .. } => (AttemptState::Retried, Some(reason.clone())),
            Next::Failed { reason } => (AttemptState::Failed, Some(reason.clone())),
        };
        base.metrics().attempt(state.as_str(), outcome.duration);
        match state {
            AttemptState::Delivered => self.release.successes += 1,
            AttemptState::Retried | AttemptState::Failed => self.release.failures += 1,
        }
        self.release.last_sent_at = Some(now);
        self.release.slow = Some(self.release.slow == Some(true) || outcome.duration >= self.slow_after);
        self.attempts.push(Attempt {
            id: base.ambient().id(),
            organisation_id: delivery.organisation_id,
            delivery_id: delivery.id,
            number: delivery.attempts + 1,
            address: outcome.address,
            outcome: state,
            status_code: outcome.status_code,
            reason,
            request: outcome.request,
            answer: outcome.answer,
            detail: outcome.detail,
            history_of: outcome.history_of,
            duration: outcome.duration,
            created_at: outcome.began,
        });
    }

    /// Adds a delivery that succeeded.
    pub(super) fn delivered(&mut self, id: DeliveryId, accepted_at: Time) {
        self.delivered.push((id, accepted_at));
    }

    /// Adds a delivery that ended otherwise.
    pub(super) fn ended(&mut self, delivery: Delivery) {
        self.changed.push(delivery);
    }

    /// Adds a delivery that is retried alone; the others do not wait for it.
    pub(super) fn again_alone(&mut self, delivery: Delivery, at: Time) {
        self.changed.push(delivery);
        self.look_again(at);
    }

    /// Makes the destination due at a time, without a pause until then.
    pub(super) fn look_again(&mut self, at: Time) {
        self.release.later = Some(self.release.later.map_or(at, |later| later.min(at)));
    }

    /// Adds a delivery that is retried; the destination rests until then, which keeps its order.
    pub(super) fn again(&mut self, delivery: Delivery, at: Time) {
        self.changed.push(delivery);
        self.pause_until(at);
    }

    /// Pauses the destination until a time.
    pub(super) fn pause_until(&mut self, at: Time) {
        self.release.more = true;
        self.release.not_before = Some(at);
    }

    /// Stops the destination with a new health: its pending deliveries fail with the reason.
    pub(super) fn closed(&mut self, health: Health) {
        self.release.more = false;
        self.release.health = Some(health);
    }
}

/// Writes records, many at once.
pub(super) struct Recorder {
    group_commit: GroupCommit<Arc<Record>, Option<Time>>,
}

impl Recorder {
    pub(super) fn start(base: Base, owner: Uuid) -> Self {
        let bounds = Bounds { items: BATCH, at_once: 1 };
        let group_commit = GroupCommit::start(
            bounds,
            |_| (),
            move |records: Vec<Arc<Record>>| {
                let base = base.clone();
                async move {
                    let due_again = write(&base, owner, &records).await?;
                    Ok(records.iter().map(|record| Ok(due_again.get(&record.release.id).copied())).collect())
                }
            },
        );
        Self { group_commit }
    }

    /// Waits until every submitted record is written or refused.
    pub(super) async fn settle(&self) {
        self.group_commit.settle().await;
    }

    /// Writes a record, retrying while the database does not answer. Returns the time at which the destination is due
    /// again, if it is.
    pub(super) async fn write(&self, record: Record) -> Option<Time> {
        let record = Arc::new(record);
        for attempt in 1..=TRIES {
            match self.group_commit.submit(Arc::clone(&record)).await {
                Ok(due_again) => return due_again,
                Err(error) => tracing::error!(%error, attempt, "a record could not be written"),
            }
            tokio::time::sleep((Duration::from_millis(100) * attempt).min(LONGEST_PAUSE)).await;
        }
        None
    }
}

/// Writes records; returns the times at which destinations are due again.
async fn write(base: &Base, owner: Uuid, records: &[Arc<Record>]) -> Result<HashMap<DestinationId, Time>> {
    let now = base.ambient().now();
    let attempts: Vec<&Attempt> = records.iter().flat_map(|record| &record.attempts).collect();
    let changed: Vec<&Delivery> = records.iter().flat_map(|record| &record.changed).collect();
    let releases: Vec<&Release> = records.iter().map(|record| &record.release).collect();
    let (ids, accepted_at): (Vec<DeliveryId>, Vec<Time>) =
        records.iter().flat_map(|record| record.delivered.iter().copied()).unzip();
    let tx = base.store().begin().await?;
    store::pipeline::deliveries::insert_attempts(&tx, &attempts).await?;
    store::pipeline::deliveries::mark_delivered(&tx, &ids, now).await?;
    store::pipeline::deliveries::update_many(&tx, &changed).await?;
    for release in &releases {
        match &release.health {
            Some(Health::Broken { reason, .. } | Health::Off { reason, .. }) => {
                store::pipeline::deliveries::end_pending(&tx, release.id, DeliveryState::Failed, reason, now).await?;
            }
            Some(Health::Healthy) | None => {}
        }
    }
    let due_again = store::pipeline::destinations::release(&tx, owner, now, &releases).await?;
    tx.commit().await?;
    for accepted_at in accepted_at {
        base.metrics().delivery(DeliveryState::Delivered.as_str());
        base.metrics().latency((now - accepted_at).to_std().unwrap_or_default());
    }
    for delivery in changed.iter().filter(|delivery| delivery.state != DeliveryState::Pending) {
        base.metrics().delivery(delivery.state.as_str());
    }
    Ok(due_again)
}
