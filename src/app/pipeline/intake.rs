//! The door: events become durable here, together with their deliveries, in one transaction that concurrent callers
//! share (a transactional outbox with group commit).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::Notify;

use super::Pipeline;
use super::{events::Accepted, group_commit::Batcher, matching::Router};
use crate::{
    app::kernel::metrics::Metrics,
    domain::{
        Error, Result,
        ambient::{Ambient, Time},
        ids::{ChannelId, DestinationId, EventId, OrganisationId},
        pipeline::{
            delivery::{Attempt, Content, Delivery, DeliveryState},
            destination::{Destination, DestinationKind},
            event::{Event, EventSource, Fact, MESSAGE_POSTED},
        },
        webhooks::{Direction, OutgoingEvent, Webhook},
    },
    store::{
        self, Store, Tx,
        pipeline::events::{Receipt, ReceiptKey},
    },
};

/// How many events share a transaction at most.
const BATCH: usize = 256;
/// Group commits that PostgreSQL works on at the same time. An organisation's events all go through the same one, which
/// keeps their order; one whose events go to hundreds of destinations holds up those that share it with its own, and not
/// all. SQLite has one writer.
const COMMITS_AT_ONCE: usize = 4;
/// How long a repetition waits for the first request with its key.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(2);

/// An event at the door, authenticated and checked.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The id of its event, where it must be known before; a fresh one otherwise.
    pub id: Option<EventId>,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// By which door.
    pub source: EventSource,
    /// What it says.
    pub fact: Fact,
    /// The event that it is made from, where it is.
    pub made_from: Option<EventId>,
    /// How a repetition is recognised.
    pub receipted: Option<Receipted>,
    /// Where it goes whatever is set up: to the person who asked for something, for instance.
    pub direct: Vec<Direct>,
}

impl Arrival {
    /// A message that somebody posts in a channel.
    pub fn posted(
        organisation_id: OrganisationId,
        source: EventSource,
        (channel_id, data): (ChannelId, Value),
    ) -> Self {
        let fact = Fact::plain(MESSAGE_POSTED, Some(channel_id), data);
        Self { id: None, organisation_id, source, fact, made_from: None, receipted: None, direct: Vec::new() }
    }
}

/// One way that an arrival goes whatever is set up.
#[derive(Clone, Debug)]
pub struct Direct {
    /// How it is reached.
    pub kind: DestinationKind,
    /// The destination's name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// What is sent there; made from the event where there is none.
    pub content: Option<Content>,
}

/// A call that was made before an arrival, on the way to it, or could not be: a delivery that is over.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Where it went, made where it is not there yet.
    pub destination: Destination,
    /// The delivery.
    pub delivery: Delivery,
    /// The only attempt, where there was one.
    pub attempt: Option<Attempt>,
}

/// How a repetition of an arrival is recognised.
#[derive(Clone, Debug)]
pub struct Receipted {
    /// The key that it would come under again.
    pub key: ReceiptKey,
    /// SHA-256 of its payload, which must be the same then.
    pub fingerprint: [u8; 32],
    /// From then on the key is free.
    pub expires_at: Time,
}

/// Accepts events.
pub struct Intake {
    /// By organisation.
    commits: Vec<Batcher<(Arrival, Vec<Passed>), Accepted>>,
    in_flight: InFlight,
}

impl Intake {
    /// Starts accepting. `bell` is rung when deliveries have been committed.
    pub fn start(store: Store, ambient: Ambient, bell: Arc<Notify>, metrics: Metrics) -> Self {
        let at_once = if store.is_embedded() { 1 } else { COMMITS_AT_ONCE };
        let start = || {
            let (store, ambient, bell, metrics) = (store.clone(), ambient.clone(), bell.clone(), metrics.clone());
            Batcher::start(BATCH, move |arrivals: Vec<(Arrival, Vec<Passed>)>| {
                let (store, ambient, bell, metrics) = (store.clone(), ambient.clone(), bell.clone(), metrics.clone());
                async move {
                    let answers = commit(&store, &ambient, &metrics, arrivals).await?;
                    bell.notify_one();
                    Ok(answers)
                }
            })
        };
        Self { commits: std::iter::repeat_with(start).take(at_once).collect(), in_flight: InFlight::default() }
    }

    /// Accepts an event; it is durable when this returns. Of two with the same key, the second waits for the first.
    ///
    /// # Errors
    /// [`Error::IdempotencyMismatch`], [`Error::IdempotencyInFlight`] when the first takes long, or when the database
    /// fails.
    pub async fn accept(&self, arrival: Arrival) -> Result<Accepted> {
        self.accept_after(arrival, Vec::new()).await
    }

    /// As [`Intake::accept`], and puts calls that were made before on record in the same transaction, also where the
    /// arrival is a repetition.
    ///
    /// # Errors
    /// As [`Intake::accept`].
    pub async fn accept_after(&self, arrival: Arrival, passed: Vec<Passed>) -> Result<Accepted> {
        let _turn = match &arrival.receipted {
            Some(receipted) => Some(self.in_flight.enter(&receipted.key).await?),
            None => None,
        };
        // The last bits of an id are random. There is at least one.
        let index = arrival.organisation_id.0.as_u128() % self.commits.len() as u128;
        let commit = usize::try_from(index).ok().and_then(|index| self.commits.get(index));
        let commit = commit.ok_or_else(|| Error::Internal("there is no group commit".into()))?;
        commit.submit((arrival, passed)).await
    }
}

/// The keys that are being worked on in this process. Between processes the database's unique key decides.
#[derive(Default)]
struct InFlight {
    keys: Mutex<HashSet<ReceiptKey>>,
    left: Notify,
}

/// While it lives, nobody else works on the key.
struct Turn<'a> {
    in_flight: &'a InFlight,
    key: ReceiptKey,
}

impl InFlight {
    async fn enter(&self, key: &ReceiptKey) -> Result<Turn<'_>> {
        let waited = tokio::time::timeout(IN_FLIGHT_WAIT, async {
            loop {
                let left = self.left.notified();
                if self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
                    return;
                }
                left.await;
            }
        });
        match waited.await {
            Ok(()) => Ok(Turn { in_flight: self, key: key.clone() }),
            Err(_) => Err(Error::IdempotencyInFlight { key: key.key.clone() }),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.in_flight.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.in_flight.left.notify_waiters();
    }
}

/// Commits arrivals with their deliveries and tells each what became of it.
async fn commit(
    store: &Store,
    ambient: &Ambient,
    metrics: &Metrics,
    arrivals: Vec<(Arrival, Vec<Passed>)>,
) -> Result<Vec<Result<Accepted>>> {
    let now = ambient.now();
    let (arrivals, passed): (Vec<Arrival>, Vec<Vec<Passed>>) = arrivals.into_iter().unzip();
    let passed = passed.concat();
    let ended: Vec<DeliveryState> = passed.iter().map(|passed| passed.delivery.state).collect();
    let tx = store.begin().await?;
    let mut known = leave_receipts(&tx, ambient, &arrivals, now).await?;
    let mut answers = Vec::with_capacity(arrivals.len());
    let mut events = Vec::with_capacity(arrivals.len());
    let mut directs = Vec::new();
    for arrival in arrivals {
        let id = match arrival.receipted {
            None => arrival.id.unwrap_or_else(|| ambient.id()),
            Some(receipted) => match known.remove(&receipted.key) {
                Some(Standing::Mine(id)) => id,
                Some(Standing::Before(receipt)) if receipt.fingerprint == receipted.fingerprint => {
                    answers.push(Ok(Accepted { id: receipt.event_id, repeated: true }));
                    known.insert(receipted.key, Standing::Before(receipt));
                    continue;
                }
                Some(Standing::Before(_)) | None => {
                    answers.push(Err(Error::IdempotencyMismatch { key: receipted.key.key }));
                    continue;
                }
            },
        };
        answers.push(Ok(Accepted { id, repeated: false }));
        let Arrival { organisation_id, source, fact, made_from, direct, .. } = arrival;
        directs.extend(direct.into_iter().map(|direct| (events.len(), direct)));
        events.push(Event { id, organisation_id, source, fact, made_from, created_at: now });
    }
    record(&tx, passed).await?;
    let states = write((&tx, ambient, now), &events, directs).await?;
    tx.commit().await?;
    for state in states.into_iter().chain(ended) {
        if state != DeliveryState::Pending {
            metrics.delivery(state.as_str());
        }
    }
    Ok(answers)
}

/// Writes events with their deliveries, the last thing in a transaction: what waits is woken. Tells how far each delivery
/// is.
async fn write(
    (tx, ambient, now): (&Tx, &Ambient, Time),
    events: &[Event],
    directs: Vec<(usize, Direct)>,
) -> Result<Vec<DeliveryState>> {
    let deliveries = Router { tx, ambient, now }.route(events, directs).await?;
    store::pipeline::events::insert_many(tx, events).await?;
    store::pipeline::deliveries::insert_many(tx, &deliveries).await?;
    let mut waiting: Vec<DestinationId> = deliveries
        .iter()
        .filter(|delivery| delivery.state == DeliveryState::Pending)
        .map(|delivery| delivery.destination_id)
        .collect();
    store::pipeline::destinations::wake(tx, &mut waiting, now).await?;
    Ok(deliveries.iter().map(|delivery| delivery.state).collect())
}

impl Pipeline {
    /// Commits a change together with the event that tells of it, where an outgoing webhook listens to such events, and
    /// has the workers look at where that goes.
    pub(in crate::app) async fn commit_telling(
        &self,
        tx: Tx,
        organisation_id: OrganisationId,
        fact: Fact,
    ) -> Result<()> {
        let wanted = OutgoingEvent::of_kind(&fact.kind);
        let webhooks = store::webhooks::outgoing(&tx, &[organisation_id]).await?;
        let listens = |webhook: &Webhook| match &webhook.direction {
            Direction::Outgoing(outgoing) => Some(outgoing.event) == wanted,
            Direction::Incoming(_) => false,
        };
        if !webhooks.iter().any(listens) {
            return tx.commit().await;
        }
        let (ambient, now) = (&self.base.ambient, self.base.now());
        let (id, source) = (ambient.id(), EventSource::Api);
        let event = Event { id, organisation_id, source, fact, made_from: None, created_at: now };
        let states = write((&tx, ambient, now), &[event], Vec::new()).await?;
        tx.commit().await?;
        for state in states.into_iter().filter(|state| *state != DeliveryState::Pending) {
            self.base.metrics.delivery(state.as_str());
        }
        self.base.bell.notify_one();
        Ok(())
    }
}

/// Puts calls that were made in passing on record.
pub(in crate::app) async fn record(tx: &Tx, passed: Vec<Passed>) -> Result<()> {
    if passed.is_empty() {
        return Ok(());
    }
    let mut wanted = Vec::with_capacity(passed.len());
    let (mut deliveries, mut attempts) = (Vec::with_capacity(passed.len()), Vec::with_capacity(passed.len()));
    for Passed { destination, delivery, attempt } in passed {
        wanted.push(destination);
        deliveries.push(delivery);
        attempts.extend(attempt);
    }
    let there = store::pipeline::destinations::ensure_all(tx, &wanted).await?;
    for (delivery, destination) in deliveries.iter_mut().zip(there) {
        delivery.destination_id = destination.id;
    }
    store::pipeline::deliveries::insert_many(tx, &deliveries).await?;
    store::pipeline::deliveries::insert_attempts(tx, &attempts.iter().collect::<Vec<_>>()).await
}

/// What stands under a key.
enum Standing {
    /// Ours, left just now for this event.
    Mine(EventId),
    /// One that was there before.
    Before(Receipt),
}

async fn leave_receipts(
    tx: &Tx,
    ambient: &Ambient,
    arrivals: &[Arrival],
    now: Time,
) -> Result<HashMap<ReceiptKey, Standing>> {
    let receipts: Vec<(ReceiptKey, Receipt)> = arrivals
        .iter()
        .filter_map(|arrival| Some((arrival.id, arrival.receipted.clone()?)))
        .map(|(id, Receipted { key, fingerprint, expires_at })| {
            (key, Receipt { event_id: id.unwrap_or_else(|| ambient.id()), fingerprint, expires_at })
        })
        .collect();
    let mut standing: HashMap<ReceiptKey, Standing> =
        receipts.iter().map(|(key, receipt)| (key.clone(), Standing::Mine(receipt.event_id))).collect();
    for (key, receipt) in store::pipeline::events::leave_receipts(tx, receipts, now).await? {
        standing.insert(key, Standing::Before(receipt));
    }
    Ok(standing)
}
