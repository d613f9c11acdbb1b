//! Claims due destinations and serves each: its deliveries in order, one at a time, at its pace.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    Settings,
    lane::Lane,
    record::{Record, Recorder},
};
use crate::{
    app::App,
    domain::{
        Result,
        ambient::Time,
        delivery::{Delivery, DeliveryState, Next, Verdict},
        destination::{Destination, Health},
        ids::{DestinationId, OrganisationId},
    },
    store::{self, deliveries::Due, destinations::Claimed, slack_links::StoredSlackLink},
};

/// How many deliveries of one destination are loaded at once: after them, others have their turn.
pub(super) const LOAD: usize = 32;
/// How many destinations are claimed at once.
const CLAIM: usize = 64;

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Destinations that were served.
    pub destinations: usize,
}

/// Sends deliveries.
pub struct Deliverer {
    pub(super) app: App,
    pub(super) settings: Settings,
    /// Told apart from every other worker, in this process or another.
    owner: Uuid,
    pub(super) recorder: Recorder,
    stopping: AtomicBool,
}

/// A destination in hand, with what waits there.
struct Work {
    claimed: Claimed,
    link: Option<StoredSlackLink>,
    due: Vec<Due>,
}

impl Deliverer {
    /// Makes a worker; it does nothing until [`Deliverer::step`] or [`Deliverer::run`].
    pub fn new(app: App, settings: Settings) -> Arc<Self> {
        let owner = app.ambient().id();
        let recorder = Recorder::start(app.clone(), owner);
        Arc::new(Self { app, settings, owner, recorder, stopping: AtomicBool::new(false) })
    }

    /// Serves what is due now, once.
    ///
    /// # Errors
    /// When the database fails; what was claimed is due again when its lease ends.
    pub async fn step(&self) -> Result<Outcome> {
        let claimed = self.claim(CLAIM).await?;
        let destinations = claimed.len();
        join_all(claimed.into_iter().map(|work| self.serve(work))).await;
        Ok(Outcome { destinations })
    }

    /// Waits until whatever is known of deliveries is written down or refused, also by a step that was given up.
    pub async fn settle(&self) {
        self.recorder.settle().await;
    }

    /// Serves until `stop`, many destinations at once, and then finishes what it has begun.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.settings.max_concurrent));
        let agenda = Arc::new(Agenda::default());
        let lanes_in_flight = TaskTracker::new();
        while !stop.is_cancelled() {
            let free = slots.available_permits().min(CLAIM);
            agenda.pass(self.app.ambient().now());
            let claimed = if free > 0 { self.claim(free).await } else { Ok(Vec::new()) };
            let claimed = claimed.unwrap_or_else(|error| {
                tracing::error!(%error, "due destinations could not be claimed; trying again");
                Vec::new()
            });
            let more_may_be_due = free > 0 && claimed.len() == free;
            for work in claimed {
                let Ok(slot) = slots.clone().try_acquire_owned() else { break };
                let (worker, agenda, slots) = (self.clone(), agenda.clone(), slots.clone());
                lanes_in_flight.spawn(async move {
                    let due_again = worker.serve(work).await;
                    let others_wait = slots.available_permits() == 0;
                    drop(slot);
                    agenda.note(due_again, others_wait);
                });
            }
            if more_may_be_due {
                continue;
            }
            tokio::select! {
                () = self.app.bell().notified(), if free > 0 => {}
                () = agenda.changed.notified() => {}
                () = tokio::time::sleep(agenda.rest(self.app.ambient().now(), self.settings.poll)) => {}
                () = stop.cancelled() => {}
            }
        }
        self.stopping.store(true, Ordering::Relaxed);
        lanes_in_flight.close();
        if tokio::time::timeout(self.settings.shutdown_grace, lanes_in_flight.wait()).await.is_err() {
            tracing::warn!("deliveries were still in flight at the end; they are sent again after the next start");
        }
    }

    /// Takes due destinations, with what waits at each.
    async fn claim(&self, limit: usize) -> Result<Vec<Work>> {
        let now = self.app.ambient().now();
        let store = self.app.store();
        let until = now + self.settings.lease;
        let claimed = store::destinations::claim(store.writer(), self.owner, now, until, limit as u64).await?;
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let (in_order, in_any): (Vec<&Destination>, Vec<&Destination>) =
            claimed.iter().map(|claimed| &claimed.destination).partition(|one| one.kind.keeps_order());
        let [in_order, in_any] =
            [in_order, in_any].map(|all| all.iter().map(|one| one.id).collect::<Vec<DestinationId>>());
        let mut organisations: Vec<OrganisationId> =
            claimed.iter().map(|claimed| claimed.destination.organisation_id).collect();
        organisations.sort_unstable();
        organisations.dedup();
        let (links, due, due_first) = tokio::try_join!(
            store::slack_links::list(store.reader(), &organisations),
            store::deliveries::due(store.reader(), &in_order, LOAD),
            store::deliveries::due_first(store.reader(), &in_any, LOAD),
        )?;
        let links: HashMap<OrganisationId, StoredSlackLink> =
            links.into_iter().map(|stored| (stored.link.organisation_id, stored)).collect();
        let mut waiting: HashMap<DestinationId, Vec<Due>> = HashMap::with_capacity(claimed.len());
        for due in due.into_iter().chain(due_first) {
            waiting.entry(due.delivery.destination_id).or_default().push(due);
        }
        let work = |claimed: Claimed| {
            let Destination { id, organisation_id, .. } = claimed.destination;
            let link = links.get(&organisation_id).cloned();
            Work { link, due: waiting.remove(&id).unwrap_or_default(), claimed }
        };
        Ok(claimed.into_iter().map(work).collect())
    }

    /// Sends what waits at a destination, in order, until it is through, must pause, or others should have their turn;
    /// then writes down what came of it and lets go. Tells when the destination is due again, if it is.
    async fn serve(&self, work: Work) -> Option<Time> {
        let Work { claimed, link, due } = work;
        if !claimed.destination.kind.keeps_order() {
            return self.serve_in_any_order(claimed, due).await;
        }
        let Claimed { destination, pace_until } = claimed;
        let last_call = self.last_call();
        let mut record = Record::new(&destination, due.len() == LOAD);
        record.release.pace_until = pace_until;
        let mut lane = Lane::to(&destination, &self.app, link);
        let pace = lane.pace(&self.settings);
        for Due { mut delivery, event } in due {
            let now = self.app.ambient().now();
            if self.is_over(last_call, now) {
                record.release.more = true;
                break;
            }
            if let Some(at) = delivery.next_attempt_at.filter(|at| *at > now) {
                record.pause_until(at);
                break;
            }
            match lane.check(&delivery, &event).await {
                Ok(None) => {}
                Ok(Some(hold)) => {
                    record.ended(finished(&mut delivery, hold.state, hold.reason.text().to_owned(), now));
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "a delivery could not be looked into; it is tried again");
                    record.pause_until(now + self.settings.poll);
                    break;
                }
            }
            match pace.admit(record.release.pace_until, now) {
                Ok(arrival) => record.release.pace_until = Some(arrival),
                Err(at) => {
                    record.pause_until(at);
                    break;
                }
            }
            let tried = lane.send(&delivery, &event).await;
            let now = self.app.ambient().now();
            let verdict = tried.verdict.clone();
            let next =
                self.settings.retry.next(&verdict, delivery.attempts + 1, delivery.created_at, now, self.jitter());
            record.tried(&self.app, &delivery, tried, &next, now);
            match next {
                Next::Delivered => record.delivered(delivery.id, delivery.created_at),
                Next::RetryAt { at, reason } => {
                    delivery.attempts += 1;
                    delivery.next_attempt_at = Some(at);
                    delivery.reason = Some(reason);
                    record.again(delivery, at);
                    break;
                }
                Next::Failed { reason } => {
                    delivery.attempts += 1;
                    record.ended(finished(&mut delivery, DeliveryState::Failed, reason, now));
                }
            }
            match verdict {
                Verdict::AddressRefused { reason } => {
                    record.closed(Health::Broken { reason, since: now });
                    break;
                }
                Verdict::Gone { reason } => {
                    record.closed(Health::Off { reason, since: now });
                    break;
                }
                Verdict::ConnectionDead { .. } => {
                    lane.connection_died(&verdict).await;
                    record.release.more = false;
                    break;
                }
                Verdict::Delivered => record.release.health = healed(&destination.health),
                Verdict::Throttled { .. }
                | Verdict::Unreachable { .. }
                | Verdict::Faltered { .. }
                | Verdict::MessageRefused { .. } => {}
            }
        }
        self.recorder.write(record).await
    }

    /// A single try ends well within half a lease, so no try begins after the first half.
    pub(super) fn last_call(&self) -> Time {
        self.app.ambient().now() + self.settings.lease / 2
    }

    /// Whether no try begins any more.
    pub(super) fn is_over(&self, last_call: Time, now: Time) -> bool {
        self.stopping.load(Ordering::Relaxed) || now >= last_call
    }

    /// Spreads retries of many over time.
    fn jitter(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.app.ambient().random())) / f64::from(u32::MAX)
    }
}

/// When this process has something to do next, so that it need not ask the database. What other processes accept, or
/// leave behind, is found by the poll.
#[derive(Default)]
struct Agenda {
    due: Mutex<BinaryHeap<Reverse<Time>>>,
    changed: Notify,
}

impl Agenda {
    /// Notes when a destination is due again. `others_wait` says that it held the last slot.
    fn note(&self, due_again: Option<Time>, others_wait: bool) {
        if let Some(due) = due_again {
            self.lock().push(Reverse(due));
        }
        if due_again.is_some() || others_wait {
            self.changed.notify_one();
        }
    }

    /// Strikes out what is due at `now`: a claim takes all of it.
    fn pass(&self, now: Time) {
        let mut due = self.lock();
        while due.peek().is_some_and(|Reverse(time)| *time <= now) {
            due.pop();
        }
    }

    /// How long to rest at `now`: until the next destination is due, and no longer than `poll`.
    fn rest(&self, now: Time, poll: Duration) -> Duration {
        let next = self.lock().peek().map(|Reverse(time)| (*time - now).to_std().unwrap_or_default());
        next.unwrap_or(poll).min(poll)
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Time>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a delivery that arrived says of a destination that was not healthy.
fn healed(former: &Health) -> Option<Health> {
    (*former != Health::Healthy).then_some(Health::Healthy)
}

pub(super) fn finished(delivery: &mut Delivery, state: DeliveryState, reason: String, now: Time) -> Delivery {
    delivery.state = state;
    delivery.reason = Some(reason);
    delivery.next_attempt_at = None;
    delivery.completed_at = Some(now);
    delivery.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agenda_tells_how_long_to_rest() {
        let at = |millis| Time::from_timestamp_millis(millis).unwrap();
        let (agenda, poll) = (Agenda::default(), Duration::from_millis(200));
        assert_eq!(agenda.rest(at(0), poll), poll);
        agenda.note(Some(at(150)), false);
        agenda.note(Some(at(50)), false);
        agenda.note(Some(at(9000)), false);
        assert_eq!(agenda.rest(at(0), poll), Duration::from_millis(50));
        agenda.pass(at(60));
        assert_eq!(agenda.rest(at(60), poll), Duration::from_millis(90));
        agenda.pass(at(150));
        assert_eq!(agenda.rest(at(150), poll), poll, "the rest is far away");
    }
}
