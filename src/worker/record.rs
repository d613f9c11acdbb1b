//! Writes down what came of the tries: attempts, states, and the release of the destination, for many destinations in
//! one transaction.

use std::{collections::HashMap, sync::Arc, time::Duration};

use uuid::Uuid;

use super::lane::Tried;
use crate::{
    app::{Services, pipeline::group_commit::Batcher},
    domain::{
        Result,
        ambient::Time,
        ids::{DeliveryId, DestinationId},
        pipeline::{
            delivery::{Attempt, AttemptOutcome, Delivery, DeliveryState, Next},
            destination::{Destination, Health},
        },
    },
    store::{self, pipeline::destinations::Release},
};

/// How many destinations share a transaction at most.
const BATCH: usize = 128;
/// How often a record is tried to be written. After that the lease ends and the deliveries are sent again.
const TRIES: u32 = 25;
/// The longest pause between two of them: altogether they last most of the usual lease.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What came of serving one destination.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) release: Release,
    attempts: Vec<Attempt>,
    delivered: Vec<(DeliveryId, Time)>,
    changed: Vec<Delivery>,
    /// Duration from which on a try is slow.
    slow_after: Duration,
}

impl Record {
    /// Nothing came of it yet; `more` says that more waits there than was loaded.
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

    /// Notes one try.
    pub(super) fn tried(&mut self, app: &Services, delivery: &Delivery, tried: Tried, next: &Next, now: Time) {
        let (outcome, reason) = match next {
            Next::Delivered => (AttemptOutcome::Delivered, None),
            Next::RetryAt { reason, .. } => (AttemptOutcome::Retried, Some(reason.clone())),
            Next::Failed { reason } => (AttemptOutcome::Failed, Some(reason.clone())),
        };
        app.base.metrics().attempt(outcome.as_str(), tried.duration);
        match outcome {
            AttemptOutcome::Delivered => self.release.successes += 1,
            AttemptOutcome::Retried | AttemptOutcome::Failed => self.release.failures += 1,
        }
        self.release.last_sent_at = Some(now);
        self.release.slow = Some(self.release.slow == Some(true) || tried.duration >= self.slow_after);
        self.attempts.push(Attempt {
            id: app.base.ambient().id(),
            organisation_id: delivery.organisation_id,
            delivery_id: delivery.id,
            number: delivery.attempts + 1,
            address: tried.address,
            outcome,
            status_code: tried.status_code,
            reason,
            request: tried.request,
            answer: tried.answer,
            detail: tried.detail,
            history_of: tried.history_of,
            duration: tried.duration,
            created_at: tried.began,
        });
    }

    /// A delivery arrived.
    pub(super) fn delivered(&mut self, id: DeliveryId, accepted_at: Time) {
        self.delivered.push((id, accepted_at));
    }

    /// A delivery ended without arriving.
    pub(super) fn ended(&mut self, delivery: Delivery) {
        self.changed.push(delivery);
    }

    /// A delivery is tried again; the others do not wait for it.
    pub(super) fn again_alone(&mut self, delivery: Delivery, at: Time) {
        self.changed.push(delivery);
        self.look_again(at);
    }

    /// A delivery waits for that time; the others do not wait for it.
    pub(super) fn look_again(&mut self, at: Time) {
        self.release.later = Some(self.release.later.map_or(at, |later| later.min(at)));
    }

    /// A delivery is tried again; the destination rests until then, which keeps its order.
    pub(super) fn again(&mut self, delivery: Delivery, at: Time) {
        self.changed.push(delivery);
        self.pause_until(at);
    }

    /// Something waits, but not before that time.
    pub(super) fn pause_until(&mut self, at: Time) {
        self.release.more = true;
        self.release.not_before = Some(at);
    }

    /// The address is refused, or gone: what still waits there fails with the reason.
    pub(super) fn closed(&mut self, health: Health) {
        self.release.more = false;
        self.release.health = Some(health);
    }
}

/// Writes records, many at once.
pub(super) struct Recorder {
    batcher: Batcher<Arc<Record>, Option<Time>>,
}

impl Recorder {
    pub(super) fn start(app: Services, owner: Uuid) -> Self {
        let batcher = Batcher::start(BATCH, move |records: Vec<Arc<Record>>| {
            let app = app.clone();
            async move {
                let due_again = write(&app, owner, &records).await?;
                Ok(records.iter().map(|record| Ok(due_again.get(&record.release.id).copied())).collect())
            }
        });
        Self { batcher }
    }

    /// Waits until everything that was handed in is written down or refused.
    pub(super) async fn settle(&self) {
        self.batcher.settle().await;
    }

    /// Writes a record down, trying again while the database does not answer. Tells when the destination is due again,
    /// if it is.
    pub(super) async fn write(&self, record: Record) -> Option<Time> {
        let record = Arc::new(record);
        for attempt in 1..=TRIES {
            match self.batcher.submit(Arc::clone(&record)).await {
                Ok(due_again) => return due_again,
                Err(error) => tracing::error!(%error, attempt, "what came of a delivery could not be written down"),
            }
            tokio::time::sleep((Duration::from_millis(100) * attempt).min(LONGEST_PAUSE)).await;
        }
        None
    }
}

/// Tells which destinations are due again, and when.
async fn write(app: &Services, owner: Uuid, records: &[Arc<Record>]) -> Result<HashMap<DestinationId, Time>> {
    let now = app.base.ambient().now();
    let attempts: Vec<&Attempt> = records.iter().flat_map(|record| &record.attempts).collect();
    let changed: Vec<&Delivery> = records.iter().flat_map(|record| &record.changed).collect();
    let releases: Vec<&Release> = records.iter().map(|record| &record.release).collect();
    let (ids, accepted_at): (Vec<DeliveryId>, Vec<Time>) =
        records.iter().flat_map(|record| record.delivered.iter().copied()).unzip();
    let tx = app.base.store().begin().await?;
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
        app.base.metrics().delivery(DeliveryState::Delivered.as_str());
        app.base.metrics().latency((now - accepted_at).to_std().unwrap_or_default());
    }
    for delivery in changed.iter().filter(|delivery| delivery.state != DeliveryState::Pending) {
        app.base.metrics().delivery(delivery.state.as_str());
    }
    Ok(due_again)
}
