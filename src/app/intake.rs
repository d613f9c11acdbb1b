//! The door: events become durable here, together with their deliveries, in one transaction that concurrent callers
//! share (a transactional outbox with group commit).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{batch::Batcher, events::Accepted, metrics::Metrics};
use crate::{
    domain::{
        Error, Result,
        ambient::{Ambient, Time},
        delivery::{Delivery, DeliveryState},
        destination::Destination,
        event::{Event, EventSource, Fact},
        ids::{DestinationId, OrganisationId},
        slack_link::{Routing, SlackLink},
    },
    store::{
        self, Store, Tx,
        events::{Receipt, ReceiptKey},
    },
};

/// How many events share a transaction at most.
const BATCH: usize = 256;
/// How long a repetition waits for the first request with its key.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(2);

/// An event at the door, authenticated and checked.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// By which door.
    pub source: EventSource,
    /// What it says.
    pub fact: Fact,
    /// How a repetition is recognised.
    pub receipted: Option<Receipted>,
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
    batcher: Batcher<Arrival, Accepted>,
    in_flight: InFlight,
}

impl Intake {
    /// Starts accepting. `bell` is rung when deliveries have been committed.
    pub fn start(store: Store, ambient: Ambient, bell: Arc<Notify>, metrics: Metrics) -> Self {
        let batcher = Batcher::start(BATCH, move |arrivals: Vec<Arrival>| {
            let (store, ambient, bell, metrics) = (store.clone(), ambient.clone(), bell.clone(), metrics.clone());
            async move {
                let answers = commit(&store, &ambient, &metrics, arrivals).await?;
                bell.notify_one();
                Ok(answers)
            }
        });
        Self { batcher, in_flight: InFlight::default() }
    }

    /// Accepts an event; it is durable when this returns. Of two with the same key, the second waits for the first.
    ///
    /// # Errors
    /// [`Error::IdempotencyMismatch`], [`Error::IdempotencyInFlight`] when the first takes long, or when the database
    /// fails.
    pub async fn accept(&self, arrival: Arrival) -> Result<Accepted> {
        let _turn = match &arrival.receipted {
            Some(receipted) => Some(self.in_flight.enter(&receipted.key).await?),
            None => None,
        };
        self.batcher.submit(arrival).await
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
    arrivals: Vec<Arrival>,
) -> Result<Vec<Result<Accepted>>> {
    let now = ambient.now();
    let tx = store.begin().await?;
    let mut known = leave_receipts(&tx, ambient, &arrivals, now).await?;
    let mut answers = Vec::with_capacity(arrivals.len());
    let mut events = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let id = match arrival.receipted {
            None => ambient.id(),
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
        let Arrival { organisation_id, source, fact, .. } = arrival;
        events.push(Event { id, organisation_id, source, fact, created_at: now });
    }
    let deliveries = route(&tx, ambient, &events, now).await?;
    store::events::insert_many(&tx, &events).await?;
    store::deliveries::insert_many(&tx, &deliveries).await?;
    let mut waiting: Vec<DestinationId> = deliveries
        .iter()
        .filter(|delivery| delivery.state == DeliveryState::Pending)
        .map(|delivery| delivery.destination_id)
        .collect();
    store::destinations::wake(&tx, &mut waiting, now).await?;
    tx.commit().await?;
    for delivery in &deliveries {
        if delivery.state != DeliveryState::Pending {
            metrics.delivery(delivery.state.as_str());
        }
    }
    Ok(answers)
}

/// What stands under a key.
enum Standing {
    /// Ours, left just now for this event.
    Mine(crate::domain::ids::EventId),
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
        .filter_map(|arrival| arrival.receipted.as_ref())
        .map(|receipted| {
            let Receipted { key, fingerprint, expires_at } = receipted.clone();
            (key, Receipt { event_id: ambient.id(), fingerprint, expires_at })
        })
        .collect();
    let mut standing: HashMap<ReceiptKey, Standing> =
        receipts.iter().map(|(key, receipt)| (key.clone(), Standing::Mine(receipt.event_id))).collect();
    for (key, receipt) in store::events::leave_receipts(tx, receipts, now).await? {
        standing.insert(key, Standing::Before(receipt));
    }
    Ok(standing)
}

/// Decides for each event where it goes, and makes the deliveries: also those that are not sent, with the reason.
async fn route(tx: &Tx, ambient: &Ambient, events: &[Event], now: Time) -> Result<Vec<Delivery>> {
    let concerned = events.iter().filter(|event| SlackLink::is_concerned(&event.fact));
    let mut organisations: Vec<OrganisationId> = concerned.map(|event| event.organisation_id).collect();
    organisations.sort_unstable();
    organisations.dedup();
    if organisations.is_empty() {
        return Ok(Vec::new());
    }
    let links: HashMap<OrganisationId, (SlackLink, Destination)> =
        store::slack_links::of_organisations(tx, &organisations)
            .await?
            .into_iter()
            .map(|(link, destination)| (link.organisation_id, (link, destination)))
            .collect();
    let mut deliveries = Vec::with_capacity(events.len());
    for event in events {
        let Some((link, destination)) = links.get(&event.organisation_id) else { continue };
        let (state, reason) = match link.route(&event.fact) {
            Routing::Ignore => continue,
            Routing::Skip(reason) => (DeliveryState::Skipped, Some(reason.text().to_owned())),
            Routing::Fail(reason) => (DeliveryState::Failed, Some(reason.text().to_owned())),
            Routing::Send => match destination.health.refusal(now) {
                None => (DeliveryState::Pending, None),
                Some(reason) => (DeliveryState::Failed, Some(reason.to_owned())),
            },
        };
        let pending = state == DeliveryState::Pending;
        deliveries.push(Delivery {
            id: ambient.id(),
            organisation_id: event.organisation_id,
            event_id: event.id,
            destination_id: destination.id,
            state,
            reason,
            content: None,
            attempts: 0,
            next_attempt_at: pending.then_some(now),
            completed_at: (!pending).then_some(now),
            created_at: now,
        });
    }
    Ok(deliveries)
}
