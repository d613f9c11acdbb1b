//! Claims due destinations under a lease and dispatches their deliveries, many destinations at once.
//!
//! Not here: the deliveries of one destination (`serving`), the number in flight (`slots`).

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{join_all, try_join_all};
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    Settings,
    inboxes::Inboxes,
    recorder::Recorder,
    serving::Work,
    slots::{Slot, Slots},
    takeover::Running,
    timers::TimerQueue,
};
use crate::{
    app::{
        kernel::Base,
        pipeline::{
            Pipeline,
            sender::{Senders, Session},
        },
    },
    domain::{
        Error, Result,
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        pipeline::destination::Destination,
    },
    store::{
        self,
        kernel::lease_clock::LeaseClock,
        pipeline::{
            deliveries::Loaded,
            destinations::{Claim, Claimed, Lease},
        },
    },
};

/// Number of deliveries that are loaded of a destination in the slow class: it is served one at a time, and each takes long.
const LOAD_SLOW: usize = 2;
/// Number of destinations that are claimed at once.
const CLAIM: usize = 64;
/// Largest step back of a clock that is waited for. A larger one is a clock that was set back.
const SET_BACK: Duration = Duration::from_secs(10);

/// Result of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Destinations that were served.
    pub destinations: usize,
}

/// Dispatches deliveries.
pub struct Dispatcher {
    pub(super) base: Base,
    pub(super) senders: Senders,
    pipeline: Arc<Pipeline>,
    pub(super) settings: Settings,
    /// Identifier of this worker among all others, in this process or another.
    pub(super) owner: Uuid,
    pub(super) recorder: Recorder,
    pub(super) slots: Arc<Slots>,
    pub(super) inboxes: Inboxes,
    claims: AsyncMutex<Claims>,
    pub(super) stopping: AtomicBool,
}

/// State from one claim to the next; claims of a worker follow one another.
struct Claims {
    /// Organisation at which the last one ended.
    after: OrganisationId,
    /// Time of the last one.
    at: Option<Time>,
}

impl Dispatcher {
    /// Creates a worker; it does nothing until [`Dispatcher::step`] or [`Dispatcher::run`].
    pub fn new(base: Base, senders: Senders, pipeline: Arc<Pipeline>, settings: Settings) -> Arc<Self> {
        let owner = base.ambient().id();
        let recorder = Recorder::start(base.clone(), pipeline.clone(), owner);
        let slots = Slots::new(settings.limits, base.metrics().clone());
        let claims = AsyncMutex::new(Claims { after: OrganisationId(Uuid::nil()), at: None });
        let stopping = AtomicBool::new(false);
        let inboxes = Inboxes::default();
        Arc::new(Self { base, senders, pipeline, settings, owner, recorder, slots, inboxes, claims, stopping })
    }

    /// Dispatches the deliveries that are due now, once.
    ///
    /// # Errors
    /// When the database fails; claimed destinations are due again when their lease ends.
    pub async fn step(&self) -> Result<Outcome> {
        let (claimed, _) = self.take_due(CLAIM).await?;
        let destinations = claimed.len();
        join_all(self.load(claimed).await?.into_iter().map(|work| self.serve(work))).await;
        Ok(Outcome { destinations })
    }

    /// Waits until every record of deliveries is written or refused, also those of a step that was abandoned.
    pub async fn settle(&self) {
        self.recorder.settle().await;
    }

    /// Dispatches due destinations concurrently until cancelled, then drains in-flight deliveries. Meanwhile it takes over
    /// what this process accepts.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let (timers, in_flight) = (Arc::new(TimerQueue::default()), TaskTracker::new());
        let running = Arc::new(Running { dispatcher: self.clone(), timers: timers.clone(), in_flight });
        self.pipeline.handover().begin(&running);
        while !stop.is_cancelled() {
            let (free, now) = (self.slots.free(), self.base.ambient().now());
            self.base.metrics().heartbeat(now);
            timers.pass(now);
            let claimed = if free > 0 { self.take_due(CLAIM).await } else { Ok((Vec::new(), false)) };
            let (claimed, bounded) = claimed.unwrap_or_else(|error| {
                tracing::error!(%error, "due destinations could not be claimed; trying again");
                (Vec::new(), false)
            });
            let more_may_be_due = bounded && !claimed.is_empty();
            if !claimed.is_empty() {
                // Beside the next claim: that of another organisation does not wait for what this one has to load.
                let loading = Running::clone(&running);
                running.in_flight.spawn(async move { loading.serve_all(loading.dispatcher.load(claimed).await) });
            }
            if more_may_be_due {
                continue;
            }
            tokio::select! {
                () = self.base.wake().notified(), if free > 0 => {}
                () = timers.changed.notified() => {}
                () = self.slots.freed.notified() => {}
                () = tokio::time::sleep(timers.rest(self.base.ambient().now(), self.settings.poll)) => {}
                () = stop.cancelled() => {}
            }
        }
        self.stopping.store(true, Ordering::Relaxed);
        running.in_flight.close();
        if tokio::time::timeout(self.settings.shutdown_grace, running.in_flight.wait()).await.is_err() {
            tracing::warn!("deliveries were still in flight at the end; they are sent again after the next start");
        }
    }

    /// Returns the lease that begins now.
    pub(super) fn lease(&self, now: Time) -> Lease {
        Lease { owner: self.owner, now, until: now + self.settings.lease, clock: self.base.store().lease_clock() }
    }

    /// Claims due destinations, with a slot for each. Returns besides whether a bound was reached, so that more may be due.
    async fn take_due(&self, most: usize) -> Result<(Vec<(Claimed, Slot)>, bool)> {
        let mut claims = self.claims.lock().await;
        let now = self.base.ambient().now();
        self.follow_clock(&claims, now).await?;
        claims.at = Some(now);
        let reserved = self.slots.reserve(most);
        let (after, room) = (claims.after, reserved.room.clone());
        let claim = Claim { lease: self.lease(now), after, room };
        let claimed = store::pipeline::destinations::claim(self.base.store().writer(), &claim).await?;
        // In the order of the claim: those after the former end, and then the others.
        let organisations = claimed.iter().map(|one| one.destination.organisation_id);
        claims.after = organisations.max_by_key(|one| (*one <= after, *one)).unwrap_or(after);
        let bounded = reserved.note(&claimed);
        let taken = |one: Claimed| {
            let slot = reserved.take(one.destination.organisation_id, one.slow);
            (one, slot)
        };
        Ok((claimed.into_iter().map(taken).collect(), bounded))
    }

    /// Brings stored times forward if the clock was set back since the last claim or, at the first one, since the last
    /// attempt.
    async fn follow_clock(&self, claims: &Claims, now: Time) -> Result<()> {
        let store = self.base.store();
        let seen = match claims.at {
            Some(at) => Some(at),
            None => store::pipeline::destinations::latest_try(store.reader()).await?,
        };
        let Some(seen) = seen.filter(|seen| now + SET_BACK < *seen) else { return Ok(()) };
        tracing::warn!(%now, was = %seen, "the clock was set back; deliveries that would wait for it are due now");
        let until = seen + self.settings.retry.longest();
        let lease_until = (store.lease_clock() == LeaseClock::Caller).then(|| now + self.settings.lease);
        let tx = store.begin().await?;
        store::pipeline::destinations::set_back(&tx, self.owner, (now, until), lease_until).await?;
        tx.commit().await
    }

    /// Loads the deliveries of claimed destinations, and opens their sessions.
    async fn load(&self, claimed: Vec<(Claimed, Slot)>) -> Result<Vec<Work>> {
        let (mut in_order, mut in_any, mut slow_in_any) = (Vec::new(), Vec::new(), Vec::new());
        for (one, _) in &claimed {
            match (self.senders.of(&one.destination.kind)?.keeps_order(), one.slow) {
                (true, _) => in_order.push(one.position()),
                (false, false) => in_any.push(one.position()),
                (false, true) => slow_in_any.push(one.position()),
            }
        }
        let (reader, now, load) = (self.base.store().reader(), self.base.ambient().now(), self.settings.load);
        let destinations: Vec<&Destination> = claimed.iter().map(|(one, _)| &one.destination).collect();
        let (sessions, due, due_first, due_slow) = tokio::try_join!(
            self.sessions(destinations),
            store::pipeline::deliveries::due(reader, &in_order, load, now),
            store::pipeline::deliveries::due_first(reader, &in_any, load, now),
            store::pipeline::deliveries::due_first(reader, &slow_in_any, LOAD_SLOW, now),
        )?;
        let mut loaded: HashMap<DestinationId, Loaded> = due.into_iter().chain(due_first).chain(due_slow).collect();
        let with_due = |(claimed, slot): (Claimed, Slot)| {
            let loaded = loaded.remove(&claimed.destination.id).unwrap_or_default();
            (claimed, slot, loaded)
        };
        self.work(claimed.into_iter().map(with_due).collect(), sessions)
    }

    /// Opens the sessions of leased destinations whose deliveries are at hand.
    pub(super) async fn open(&self, leased: Vec<(Claimed, Slot, Loaded)>) -> Result<Vec<Work>> {
        let sessions = self.sessions(leased.iter().map(|(one, ..)| &one.destination).collect()).await?;
        self.work(leased, sessions)
    }

    /// Opens a session for each destination: those of one sender in one go.
    async fn sessions(&self, destinations: Vec<&Destination>) -> Result<HashMap<DestinationId, Box<dyn Session>>> {
        let mut by_kind: HashMap<&str, Vec<&Destination>> = HashMap::new();
        for destination in destinations {
            by_kind.entry(destination.kind.as_str()).or_default().push(destination);
        }
        let opening = by_kind.into_values().map(async |destinations| {
            let opened = self.senders.of(&destinations[0].kind)?.open(&destinations).await?;
            Ok::<_, Error>(destinations.iter().map(|one| one.id).zip(opened).collect::<Vec<_>>())
        });
        Ok(try_join_all(opening).await?.into_iter().flatten().collect())
    }

    fn work(
        &self,
        leased: Vec<(Claimed, Slot, Loaded)>,
        mut sessions: HashMap<DestinationId, Box<dyn Session>>,
    ) -> Result<Vec<Work>> {
        let mut work = Vec::with_capacity(leased.len());
        for (claimed, slot, loaded) in leased {
            let sender = self.senders.of(&claimed.destination.kind)?;
            let Some(session) = sessions.remove(&claimed.destination.id) else { continue };
            let rate_limit = session.rate_limit().unwrap_or_else(|| sender.rate_limit());
            let keeps_order = sender.keeps_order();
            work.push(Work { claimed, session, keeps_order, rate_limit, loaded, slot });
        }
        Ok(work)
    }
}
