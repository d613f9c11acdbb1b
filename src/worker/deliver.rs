//! Claims due destinations and serves each: its deliveries in order, one at a time, at its rate limit. Not here: how many may
//! be in flight, and of whom (`slots`).

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
use tokio::{
    sync::{Mutex as AsyncMutex, Notify},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    Settings,
    lane::Lane,
    record::{Record, Recorder},
    slots::{Slot, Slots},
};
use crate::{
    app::Services,
    domain::{
        Result,
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        pipeline::{
            delivery::{Delivery, DeliveryState, Next, Verdict},
            destination::{Destination, Health},
        },
    },
    store::{
        self,
        kernel::lease_clock::LeaseClock,
        pipeline::{
            deliveries::Due,
            destinations::{Claim, Claimed},
        },
        slack::links::StoredSlackLink,
    },
};

/// How many deliveries of one destination are loaded at once: after them, others have their turn.
pub(super) const LOAD: usize = 32;
/// How many destinations are claimed at once.
const CLAIM: usize = 64;
/// A clock that goes back by more was set back. Less is waited for.
const SET_BACK: Duration = Duration::from_secs(10);

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Destinations that were served.
    pub destinations: usize,
}

/// Sends deliveries.
pub struct Deliverer {
    pub(super) app: Services,
    pub(super) settings: Settings,
    /// Told apart from every other worker, in this process or another.
    owner: Uuid,
    pub(super) recorder: Recorder,
    pub(super) slots: Arc<Slots>,
    claims: AsyncMutex<Claims>,
    stopping: AtomicBool,
}

/// State from one claim to the next; claims of a worker follow one another.
struct Claims {
    /// The organisation at which the last one ended.
    after: OrganisationId,
    /// The time of the last one.
    at: Option<Time>,
}

/// A destination in hand, with what waits there.
struct Work {
    claimed: Claimed,
    link: Option<StoredSlackLink>,
    due: Vec<Due>,
    slot: Slot,
}

impl Deliverer {
    /// Makes a worker; it does nothing until [`Deliverer::step`] or [`Deliverer::run`].
    pub fn new(app: Services, settings: Settings) -> Arc<Self> {
        let owner = app.base.ambient().id();
        let recorder = Recorder::start(app.clone(), owner);
        let slots = Slots::new(settings.limits, app.base.metrics().clone());
        let claims = AsyncMutex::new(Claims { after: OrganisationId(Uuid::nil()), at: None });
        Arc::new(Self { app, settings, owner, recorder, slots, claims, stopping: AtomicBool::new(false) })
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
        let agenda = Arc::new(Agenda::default());
        let lanes_in_flight = TaskTracker::new();
        while !stop.is_cancelled() {
            let free = self.slots.free();
            agenda.pass(self.app.base.ambient().now());
            let claimed = if free > 0 { self.claim(CLAIM).await } else { Ok(Vec::new()) };
            let claimed = claimed.unwrap_or_else(|error| {
                tracing::error!(%error, "due destinations could not be claimed; trying again");
                Vec::new()
            });
            let more_may_be_due = !claimed.is_empty() && claimed.len() >= free.min(CLAIM);
            for work in claimed {
                let (worker, agenda) = (self.clone(), agenda.clone());
                lanes_in_flight.spawn(async move { agenda.note(worker.serve(work).await) });
            }
            if more_may_be_due {
                continue;
            }
            tokio::select! {
                () = self.app.base.bell().notified(), if free > 0 => {}
                () = agenda.changed.notified() => {}
                () = self.slots.freed.notified() => {}
                () = tokio::time::sleep(agenda.rest(self.app.base.ambient().now(), self.settings.poll)) => {}
                () = stop.cancelled() => {}
            }
        }
        self.stopping.store(true, Ordering::Relaxed);
        lanes_in_flight.close();
        if tokio::time::timeout(self.settings.shutdown_grace, lanes_in_flight.wait()).await.is_err() {
            tracing::warn!("deliveries were still in flight at the end; they are sent again after the next start");
        }
    }

    /// Takes due destinations, a slot for each.
    async fn take_due(&self, most: usize) -> Result<Vec<(Claimed, Slot)>> {
        let mut claims = self.claims.lock().await;
        let now = self.app.base.ambient().now();
        self.follow_clock(&claims, now).await?;
        claims.at = Some(now);
        let reserved = self.slots.reserve(most);
        let (owner, after, room) = (self.owner, claims.after, reserved.room.clone());
        let (store, lease_until) = (self.app.base.store(), now + self.settings.lease);
        let claim = Claim { owner, now, lease_until, lease_clock: store.lease_clock(), after, room };
        let claimed = store::pipeline::destinations::claim(store.writer(), &claim).await?;
        // In the order in which the claim walks: those after the former end, and then the others.
        let organisations = claimed.iter().map(|one| one.destination.organisation_id);
        claims.after = organisations.max_by_key(|one| (*one <= after, *one)).unwrap_or(after);
        let taken = |one: Claimed| {
            let slot = reserved.take(one.destination.organisation_id, one.slow);
            (one, slot)
        };
        Ok(claimed.into_iter().map(taken).collect())
    }

    /// Brings stored times forward where the clock was set back since the last claim or, at the first one, since something
    /// was last sent.
    async fn follow_clock(&self, claims: &Claims, now: Time) -> Result<()> {
        let store = self.app.base.store();
        let seen = match claims.at {
            Some(at) => Some(at),
            None => store::pipeline::destinations::latest_try(store.reader()).await?,
        };
        let Some(seen) = seen.filter(|seen| now + SET_BACK < *seen) else { return Ok(()) };
        tracing::warn!(%now, was = %seen, "the clock was set back; deliveries that would wait for it are due now");
        let until = seen + self.settings.retry.longest_pause;
        let lease_until = (store.lease_clock() == LeaseClock::Caller).then(|| now + self.settings.lease);
        let tx = store.begin().await?;
        store::pipeline::destinations::set_back(&tx, self.owner, (now, until), lease_until).await?;
        tx.commit().await
    }

    /// Takes due destinations, with what waits at each.
    async fn claim(&self, most: usize) -> Result<Vec<Work>> {
        let store = self.app.base.store();
        let claimed = self.take_due(most).await?;
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let (in_order, in_any): (Vec<&Destination>, Vec<&Destination>) =
            claimed.iter().map(|(claimed, _)| &claimed.destination).partition(|one| one.kind.keeps_order());
        let [in_order, in_any] =
            [in_order, in_any].map(|all| all.iter().map(|one| one.id).collect::<Vec<DestinationId>>());
        let mut organisations: Vec<OrganisationId> =
            claimed.iter().map(|(claimed, _)| claimed.destination.organisation_id).collect();
        organisations.sort_unstable();
        organisations.dedup();
        let (links, due, due_first) = tokio::try_join!(
            store::slack::links::list(store.reader(), &organisations),
            store::pipeline::deliveries::due(store.reader(), &in_order, LOAD),
            store::pipeline::deliveries::due_first(store.reader(), &in_any, LOAD),
        )?;
        let links: HashMap<OrganisationId, StoredSlackLink> =
            links.into_iter().map(|stored| (stored.link.organisation_id, stored)).collect();
        let mut waiting: HashMap<DestinationId, Vec<Due>> = HashMap::with_capacity(claimed.len());
        for due in due.into_iter().chain(due_first) {
            waiting.entry(due.delivery.destination_id).or_default().push(due);
        }
        let work = |(claimed, slot): (Claimed, Slot)| {
            let Destination { id, organisation_id, .. } = claimed.destination;
            let link = links.get(&organisation_id).cloned();
            Work { link, due: waiting.remove(&id).unwrap_or_default(), claimed, slot }
        };
        Ok(claimed.into_iter().map(work).collect())
    }

    /// Sends what waits at a destination, in order, until it is through, must pause, or others should have their turn;
    /// then writes down what came of it and lets go. Tells when the destination is due again, if it is.
    async fn serve(&self, work: Work) -> Option<Time> {
        let Work { claimed, link, due, slot } = work;
        if !claimed.destination.kind.keeps_order() {
            return self.serve_in_any_order(claimed, due, slot).await;
        }
        // Held until what came of it is written down.
        let _slot = slot;
        let Claimed { destination, pace_until, .. } = claimed;
        let last_call = self.last_call();
        let mut record = Record::new(&destination, due.len() == LOAD, self.settings.slow_after);
        record.release.pace_until = pace_until;
        let mut lane = Lane::to(&destination, &self.app, link);
        let pace = lane.pace(&self.settings);
        for Due { mut delivery, event } in due {
            let now = self.app.base.ambient().now();
            if self.is_over(last_call) {
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
            let now = self.app.base.ambient().now();
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
    pub(super) fn last_call(&self) -> Instant {
        Instant::now() + self.settings.lease / 2
    }

    /// Whether no try begins any more.
    pub(super) fn is_over(&self, last_call: Instant) -> bool {
        self.stopping.load(Ordering::Relaxed) || Instant::now() >= last_call
    }

    /// Spreads retries of many over time.
    fn jitter(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.app.base.ambient().random())) / f64::from(u32::MAX)
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
    /// Notes when a destination is due again.
    fn note(&self, due_again: Option<Time>) {
        if let Some(due) = due_again {
            self.lock().push(Reverse(due));
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
        agenda.note(Some(at(150)));
        agenda.note(Some(at(50)));
        agenda.note(Some(at(9000)));
        assert_eq!(agenda.rest(at(0), poll), Duration::from_millis(50));
        agenda.pass(at(60));
        assert_eq!(agenda.rest(at(60), poll), Duration::from_millis(90));
        agenda.pass(at(150));
        assert_eq!(agenda.rest(at(150), poll), poll, "the rest is far away");
    }
}
