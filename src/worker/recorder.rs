//! Records outcomes: attempts, states of deliveries, and the release of the destination, for many destinations in one
//! transaction.
//!
//! Not here: the decision on an outcome (`serving`).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use uuid::Uuid;

use crate::{
    app::{
        kernel::Base,
        pipeline::{
            Pipeline,
            group_commit::{Bounds, GroupCommit},
            reports::Report,
        },
    },
    domain::{
        Result,
        ambient::Time,
        ids::DestinationId,
        pipeline::{
            delivery::{Attempt, AttemptOutcome, AttemptState, Delivery, DeliveryState, Next, Outcome},
            destination::{Destination, Health},
            event::Event,
            health::HealthRules,
        },
        trace::Traceparent,
    },
    store::{
        self,
        pipeline::{
            deliveries::Loaded,
            destinations::{Release, Released},
        },
    },
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
    /// The destination, with the health and the run of failures that the attempts showed.
    pub(super) destination: Destination,
    /// Health that it was claimed with.
    former: &'static str,
    /// True if the delivery of an operational event changed the health.
    is_operational: bool,
    exhausted: Vec<Report>,
    attempts: Vec<Attempt>,
    /// Positions in the queue that were loaded, in their order.
    queue: Vec<i64>,
    /// Those that were delivered at the first attempt: the cursor tells it.
    delivered: Vec<Delivery>,
    /// Those whose state no cursor tells.
    changed: Vec<Delivery>,
    /// Those that the rate limit did not admit, with the time at which it does.
    limited: Vec<(Delivery, Time)>,
    /// Times at which the events of the delivered ones were accepted.
    accepted_at: Vec<Time>,
    /// Duration from which on an attempt is slow.
    slow_after: Duration,
}

impl Record {
    /// Creates an empty record of loaded deliveries.
    pub(super) fn new(destination: &Destination, loaded: &Loaded, slow_after: Duration) -> Self {
        let release = Release {
            id: destination.id,
            more: loaded.more,
            not_before: None,
            later: None,
            pace_until: None,
            successes: 0,
            failures: 0,
            consecutive_failures: None,
            last_sent_at: None,
            health: None,
            address: destination.address.clone(),
            slow: None,
            cursor: 0,
            reached: loaded.reached,
            keep: false,
        };
        Self {
            release,
            destination: destination.clone(),
            former: destination.health.as_str(),
            is_operational: false,
            exhausted: Vec::new(),
            attempts: Vec::new(),
            queue: loaded.due.iter().filter_map(|due| due.delivery.seq).collect(),
            delivered: Vec::new(),
            changed: Vec::new(),
            limited: Vec::new(),
            accepted_at: Vec::new(),
            slow_after,
        }
    }

    /// Creates the record of what follows under the same lease.
    pub(super) fn following(&self, loaded: &Loaded) -> Self {
        let mut following = Self::new(&self.destination, loaded, self.slow_after);
        following.release.later = self.release.later;
        following
    }

    /// Returns true if all that was loaded was delivered at once, and what follows in the queue may be next.
    pub(super) fn is_through(&self) -> bool {
        let Release { more, cursor, reached, slow, .. } = self.release;
        self.only_succeeded() && !more && cursor == reached && slow != Some(true)
    }

    /// Makes this a record of a destination that is not released.
    pub(super) fn kept(mut self) -> Self {
        self.release.keep = true;
        self
    }

    /// Adds an attempt.
    pub(super) fn tried(
        &mut self,
        base: &Base,
        (delivery, trace): (&Delivery, Option<Traceparent>),
        outcome: AttemptOutcome,
        next: &Next,
        now: Time,
    ) {
        let (state, reason) = match next {
            Next::Delivered => (AttemptState::Delivered, None),
            Next::RetryAt { reason, .. } => (AttemptState::Retried, Some(reason.clone())),
            Next::Failed { reason } | Next::Exhausted { reason } => (AttemptState::Failed, Some(reason.clone())),
        };
        base.metrics().attempt(state.as_str(), outcome.duration);
        tracing::debug!(
            organisation = %delivery.organisation_id, destination = %delivery.destination_id, delivery = %delivery.id,
            event = %delivery.event_id, attempt = delivery.attempts + 1, outcome = state.as_str(),
            status = outcome.status_code, duration_ms = u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX),
            reason, trace_id = trace.map(|trace| trace.trace_id()), "delivery attempted"
        );
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
    pub(super) fn delivered(&mut self, delivery: Delivery, now: Time) {
        self.accepted_at.push(delivery.created_at);
        if delivery.seq.is_some() {
            self.delivered.push(delivery);
        } else {
            self.changed.push(delivered(delivery, now));
        }
    }

    /// Moves the cursor up to the first delivery of the queue that had no turn. One that the rate limit did not admit, and
    /// another one after it, waits by itself.
    pub(super) fn move_cursor(&mut self) {
        let mut through: HashSet<i64> =
            self.delivered.iter().chain(&self.changed).filter_map(|delivery| delivery.seq).collect();
        let last = through.iter().copied().max().unwrap_or_default();
        for (delivery, at) in std::mem::take(&mut self.limited) {
            if delivery.seq.is_some_and(|seq| seq < last) {
                through.extend(delivery.seq);
                self.again_alone(delivery, at);
            }
        }
        let waits = self.queue.iter().find(|seq| !through.contains(seq));
        self.release.cursor = waits.map_or(self.release.reached, |seq| seq - 1);
    }

    /// Adds a delivery that ended otherwise.
    pub(super) fn ended(&mut self, delivery: Delivery) {
        self.changed.push(delivery);
    }

    /// Adds a delivery that waits alone until a time; the others do not wait for it.
    pub(super) fn again_alone(&mut self, delivery: Delivery, at: Time) {
        self.changed.push(Delivery { next_attempt_at: Some(at), ..delivery });
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

    /// Adds a delivery that the rate limit admits at a time; until then the destination rests.
    pub(super) fn limited(&mut self, delivery: Delivery, at: Time) {
        self.limited.push((delivery, at));
        if self.release.not_before.is_none() {
            self.pause_until(at);
        }
    }

    /// Pauses the destination until a time.
    pub(super) fn pause_until(&mut self, at: Time) {
        self.release.more = true;
        self.release.not_before = Some(at);
    }

    /// Adds a delivery that failed permanently to the reports.
    pub(super) fn exhausted(&mut self, delivery: &Delivery, event: &Event) {
        self.exhausted.push(Report::exhausted(&self.destination, delivery, event));
    }

    /// Applies an outcome to the health of the destination. Returns false where nothing more is sent to it now: its
    /// pending deliveries fail with the reason of a health that refuses them.
    pub(super) fn learn(&mut self, rules: &HealthRules, outcome: &Outcome, is_operational: bool, now: Time) -> bool {
        let Destination { health, consecutive_failures, .. } = &mut self.destination;
        let learnt = rules.learn(health, consecutive_failures, outcome, now);
        match outcome {
            Outcome::ConnectionDead { .. } => {
                self.release.more = false;
                return false;
            }
            Outcome::MessageRefused { .. } => {}
            _ => self.release.consecutive_failures = Some(*consecutive_failures),
        }
        let Some(learnt) = learnt else { return true };
        if learnt.as_str() != health.as_str() {
            self.is_operational = is_operational;
        }
        let goes_on = learnt.closed().is_none();
        // A success after a refusal: those that were not loaded wait for the next claim.
        self.release.more = goes_on && (self.release.more || health.closed().is_some());
        *health = learnt.clone();
        self.release.health = Some(learnt);
        goes_on
    }

    /// Returns true if every delivery succeeded, and nothing else is to be written: no health, and no report.
    fn only_succeeded(&self) -> bool {
        self.changed.is_empty()
            && self.exhausted.is_empty()
            && self.release.health.is_none()
            && self.destination.health.as_str() == self.former
    }

    /// Returns the reports, after a release that left this state.
    fn reports(&self, released: Option<&Released>) -> Vec<Report> {
        let mut reports = self.exhausted.clone();
        let health = self.destination.health.as_str();
        if health != self.former && released.is_some_and(|released| released.health == health) {
            reports.push(Report::health(self.destination.clone(), self.is_operational));
        }
        reports
    }
}

/// Writes records, many at once.
pub(super) struct Recorder {
    group_commit: GroupCommit<Arc<Record>, Option<Released>>,
}

impl Recorder {
    pub(super) fn start(base: Base, pipeline: Arc<Pipeline>, owner: Uuid) -> Self {
        let bounds = Bounds { items: BATCH, at_once: 1 };
        let group_commit = GroupCommit::start(
            bounds,
            |_| (),
            move |records: Vec<Arc<Record>>| {
                let (base, pipeline) = (base.clone(), pipeline.clone());
                async move {
                    let released = write(&base, &pipeline, owner, &records).await?;
                    Ok(records.iter().map(|record| Ok(released.get(&record.release.id).cloned())).collect())
                }
            },
        );
        Self { group_commit }
    }

    /// Waits until every submitted record is written or refused.
    pub(super) async fn settle(&self) {
        self.group_commit.settle().await;
    }

    /// Writes a record, retrying while the database does not answer. Returns the state of the destination, or `None` where
    /// the record was not written or another worker has the lease by now.
    pub(super) async fn write(&self, record: Record) -> Option<Released> {
        let record = Arc::new(record);
        for attempt in 1..=TRIES {
            match self.group_commit.submit(Arc::clone(&record)).await {
                Ok(released) => return released,
                Err(error) => tracing::error!(%error, attempt, "a record could not be written"),
            }
            tokio::time::sleep((Duration::from_millis(100) * attempt).min(LONGEST_PAUSE)).await;
        }
        None
    }
}

/// Returns a delivery as delivered by one more attempt.
fn delivered(delivery: Delivery, now: Time) -> Delivery {
    Delivery {
        state: DeliveryState::Delivered,
        reason: None,
        attempts: delivery.attempts + 1,
        next_attempt_at: None,
        completed_at: Some(now),
        ..delivery
    }
}

/// Counts the deliveries that ended with written records.
fn count(base: &Base, now: Time, records: &[Arc<Record>]) {
    for record in records {
        let ended =
            record.changed.iter().map(|delivery| delivery.state).filter(|state| *state != DeliveryState::Pending);
        for state in ended.chain(record.delivered.iter().map(|_| DeliveryState::Delivered)) {
            base.metrics().delivery(state.as_str());
        }
        for accepted_at in &record.accepted_at {
            base.metrics().latency((now - *accepted_at).to_std().unwrap_or_default());
        }
    }
}

/// Writes records, and returns the state of the released destinations.
async fn write(
    base: &Base,
    pipeline: &Pipeline,
    owner: Uuid,
    records: &[Arc<Record>],
) -> Result<HashMap<DestinationId, Released>> {
    let now = base.ambient().now();
    let attempts: Vec<&Attempt> = records.iter().flat_map(|record| &record.attempts).collect();
    let releases: Vec<&Release> = records.iter().map(|record| &record.release).collect();
    if records.iter().all(|record| record.only_succeeded()) {
        let written = store::pipeline::records::write_at_once(base.store(), owner, now, &attempts, &releases).await?;
        if let Some(released) = written {
            count(base, now, records);
            return Ok(released);
        }
    }
    let tx = base.store().begin().await?;
    // Before what is written of their deliveries, as everyone else does. Where another worker has the lease by now, the
    // deliveries are that one's.
    let destinations: Vec<DestinationId> = releases.iter().map(|release| release.id).collect();
    let owners = store::pipeline::destinations::lock(&tx, &destinations).await?;
    let is_held = |record: &&Arc<Record>| owners.get(&record.release.id) == Some(&Some(owner));
    let changed: Vec<&Delivery> = records.iter().filter(is_held).flat_map(|record| &record.changed).collect();
    store::pipeline::deliveries::insert_attempts(&tx, &attempts).await?;
    store::pipeline::deliveries::save(&tx, &changed).await?;
    for release in records.iter().filter(is_held).map(|record| &record.release) {
        if let Some(reason) = release.health.as_ref().and_then(Health::closed) {
            store::pipeline::deliveries::end_pending(&tx, release.id, DeliveryState::Failed, reason, now).await?;
        }
    }
    let released = store::pipeline::destinations::release(&tx, owner, now, &releases).await?;
    let reports: Vec<Report> =
        records.iter().flat_map(|record| record.reports(released.get(&record.release.id))).collect();
    pipeline.commit_reports(tx, &reports).await?;
    count(base, now, records);
    Ok(released)
}
