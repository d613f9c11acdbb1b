//! Intake: events become durable here, together with their deliveries, in one transaction that concurrent callers share
//! (a transactional outbox with group commit).

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    events::Accepted,
    group_commit::Batcher,
    outbox::{InlineCall, Outbox, Planned},
};
use crate::{
    app::kernel::Base,
    domain::{
        Error, Result,
        ambient::{Ambient, Time},
        ids::{EventId, OrganisationId},
        pipeline::{
            delivery::DeliveryState,
            event::{Event, EventSource, Fact},
        },
    },
    store::{
        self, Tx,
        pipeline::events::{Receipt, ReceiptKey},
    },
};

/// Maximum number of events that share a transaction.
const BATCH: usize = 256;
/// Group commits that PostgreSQL works on at the same time. An organisation's events all go through the same one, which
/// keeps their order; an organisation with hundreds of destinations delays only those that share its group commit.
/// SQLite has one writer.
const COMMITS_AT_ONCE: usize = 4;
/// Time for which a repetition waits for the first request with its key.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(2);

/// Incoming event, authenticated and checked.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Identifier of its event, where it must be known before; a fresh one otherwise.
    pub id: Option<EventId>,
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Its source.
    pub source: EventSource,
    /// Its content.
    pub fact: Fact,
    /// Event that it is made from, if any.
    pub made_from: Option<EventId>,
    /// Idempotency key, if its repetitions are recognised.
    pub receipted: Option<Receipted>,
    /// Deliveries that go with it independently of the rules.
    pub planned: Vec<Planned>,
}

impl Arrival {
    /// Creates an incoming event with a fresh id, without recognition of repetitions.
    pub fn plain(organisation_id: OrganisationId, source: EventSource, fact: Fact) -> Self {
        Self { id: None, organisation_id, source, fact, made_from: None, receipted: None, planned: Vec::new() }
    }
}

/// Idempotency key of an incoming event.
#[derive(Clone, Debug)]
pub struct Receipted {
    /// Key that a repetition has as well.
    pub key: ReceiptKey,
    /// SHA-256 of its payload, which has to be the same in a repetition.
    pub fingerprint: [u8; 32],
    /// Time from which on the key is free.
    pub expires_at: Time,
}

/// Accepts events.
pub struct Intake {
    /// Group commits; an organisation's id selects one.
    commits: Vec<Batcher<(Arrival, Vec<InlineCall>), Accepted>>,
    in_flight: InFlight,
}

impl Intake {
    /// Starts the intake.
    pub(super) fn start(base: &Base, outbox: &Outbox) -> Self {
        let at_once = if base.store.is_embedded() { 1 } else { COMMITS_AT_ONCE };
        let start = || {
            let (base, outbox) = (base.clone(), outbox.clone());
            Batcher::start(BATCH, move |arrivals: Vec<(Arrival, Vec<InlineCall>)>| {
                let (base, outbox) = (base.clone(), outbox.clone());
                async move { commit(&base, &outbox, arrivals).await }
            })
        };
        Self { commits: std::iter::repeat_with(start).take(at_once).collect(), in_flight: InFlight::default() }
    }

    /// Accepts an event; it is durable when this returns. Of two with the same key, the second waits for the first. Calls
    /// that were made inline are appended in the same transaction, also where the event is a repetition.
    ///
    /// # Errors
    /// [`Error::IdempotencyMismatch`], [`Error::IdempotencyInFlight`] when the first takes long, or when the database
    /// fails.
    pub async fn accept(&self, arrival: Arrival, inline: Vec<InlineCall>) -> Result<Accepted> {
        let _turn = match &arrival.receipted {
            Some(receipted) => Some(self.in_flight.enter(&receipted.key).await?),
            None => None,
        };
        // The last bits of an id are random. There is at least one group commit.
        let index = arrival.organisation_id.0.as_u128() % self.commits.len() as u128;
        let commit = usize::try_from(index).ok().and_then(|index| self.commits.get(index));
        let commit = commit.ok_or_else(|| Error::Internal("there is no group commit".into()))?;
        commit.submit((arrival, inline)).await
    }
}

/// Idempotency keys in flight in this process. Between processes the database's unique key decides.
#[derive(Default)]
struct InFlight {
    keys: Mutex<HashSet<ReceiptKey>>,
    left: Notify,
}

/// Guard that serialises requests with the same idempotency key within this process.
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

/// Commits incoming events with their deliveries, and returns the result of each.
async fn commit(
    base: &Base,
    outbox: &Outbox,
    arrivals: Vec<(Arrival, Vec<InlineCall>)>,
) -> Result<Vec<Result<Accepted>>> {
    let (ambient, now) = (&base.ambient, base.now());
    let (arrivals, inline): (Vec<Arrival>, Vec<Vec<InlineCall>>) = arrivals.into_iter().unzip();
    let inline = inline.concat();
    let mut states: Vec<DeliveryState> = inline.iter().map(|inline| inline.delivery.state).collect();
    let tx = base.store.begin().await?;
    let mut known = leave_receipts(&tx, ambient, &arrivals, now).await?;
    let mut answers = Vec::with_capacity(arrivals.len());
    let mut events = Vec::with_capacity(arrivals.len());
    let mut planned = Vec::new();
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
        let Arrival { organisation_id, source, fact, made_from, planned: with_it, .. } = arrival;
        planned.extend(with_it.into_iter().map(|one| (events.len(), one)));
        events.push(Event { id, organisation_id, source, fact, made_from, created_at: now });
    }
    outbox.append_inline_calls(&tx, inline).await?;
    states.extend(outbox.append(&tx, &events, planned).await?);
    outbox.commit(tx, &states).await?;
    Ok(answers)
}

/// Idempotency record under a key.
enum Standing {
    /// New record, inserted just now for this event.
    Mine(EventId),
    /// Existing record.
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
