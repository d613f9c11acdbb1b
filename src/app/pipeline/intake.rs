//! Intake: events become durable here, together with their deliveries, in one transaction that concurrent callers share
//! (a transactional outbox with group commit).

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::{
    events::Accepted,
    group_commit::{Bounds, GroupCommit},
    outbox::{InlineCall, Outbox, Planned},
};
use crate::{
    app::kernel::Base,
    domain::{
        Error, Result,
        ambient::{Ambient, Time},
        ids::{EventId, OrganisationId, RouteId},
        pipeline::{
            delivery::DeliveryState,
            event::{Event, EventSource, Fact},
        },
        trace::Traceparent,
    },
    store::{
        self, Tx,
        pipeline::events::{IdempotencyKey, IdempotencyRecord},
    },
    telemetry::trace::{self, Span, SpanKind, Tracer, attribute},
};

/// Maximum number of events that share a transaction.
const BATCH: usize = 256;
/// Group commits that PostgreSQL works on at the same time; SQLite has one writer. An organisation's events are in one of
/// them at a time, which keeps their order, and the hundreds of destinations of another delay them no longer than that.
const COMMITS_AT_ONCE: usize = 4;
/// Time for which a repetition waits for the first request with its key.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(2);

/// Incoming event, authenticated and checked.
#[derive(Clone, Debug)]
pub struct NewEvent {
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
    /// Routes that led to it.
    pub path: Vec<RouteId>,
    /// Idempotency key, if its repetitions are recognised.
    pub idempotency: Option<Idempotency>,
    /// Deliveries that go with it independently of the rules.
    pub planned: Vec<Planned>,
}

impl NewEvent {
    /// Creates an incoming event with a fresh id, without recognition of repetitions.
    pub fn plain(organisation_id: OrganisationId, source: EventSource, fact: Fact) -> Self {
        Self {
            id: None,
            organisation_id,
            source,
            fact,
            made_from: None,
            path: Vec::new(),
            idempotency: None,
            planned: Vec::new(),
        }
    }
}

/// Idempotency key of an incoming event.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Key that a repetition has as well.
    pub key: IdempotencyKey,
    /// SHA-256 of its payload, which has to be the same in a repetition.
    pub fingerprint: [u8; 32],
    /// Time from which on the key is free.
    pub expires_at: Time,
}

/// Accepts events.
pub struct Intake {
    group_commit: GroupCommit<Submission, Accepted>,
    in_flight: InFlight,
    tracer: Tracer,
}

/// Event on its way into a transaction.
#[derive(Clone, Debug)]
struct Submission {
    new_event: NewEvent,
    inline: Vec<InlineCall>,
    trace: Option<Traceparent>,
}

impl Intake {
    /// Starts the intake.
    pub(super) fn start(base: &Base, outbox: &Outbox) -> Self {
        let at_once = if base.store.is_embedded() { 1 } else { COMMITS_AT_ONCE };
        let (owner, tracer) = (|one: &Submission| one.new_event.organisation_id, base.tracer.clone());
        let (base, outbox) = (base.clone(), outbox.clone());
        let group_commit = GroupCommit::start(Bounds { items: BATCH, at_once }, owner, move |submitted| {
            let (base, outbox) = (base.clone(), outbox.clone());
            base.metrics.commit(submitted.len());
            async move { commit(&base, &outbox, submitted).await }
        });
        Self { group_commit, in_flight: InFlight::default(), tracer }
    }

    /// Accepts an event; it is durable when this returns. Of two with the same key, the second waits for the first. Calls
    /// that were made inline are appended in the same transaction, also where the event is a repetition.
    ///
    /// # Errors
    /// [`Error::IdempotencyMismatch`], [`Error::IdempotencyInFlight`] when the first takes long, or when the database
    /// fails.
    pub async fn accept(&self, new_event: NewEvent, inline: Vec<InlineCall>) -> Result<Accepted> {
        let _turn = match &new_event.idempotency {
            Some(idempotency) => Some(self.in_flight.enter(&idempotency.key).await?),
            None => None,
        };
        let span = self.span(&new_event);
        self.group_commit.submit(Submission { new_event, inline, trace: span.context() }).await
    }

    /// Starts the span from the submission of an event to its commit, which its deliveries are children of.
    fn span(&self, new_event: &NewEvent) -> Span {
        let mut span = self.tracer.start("accept event", SpanKind::Producer, trace::current());
        span.record(|| {
            [
                attribute("tieline.organisation.id", new_event.organisation_id.to_string()),
                attribute("tieline.event.type", new_event.fact.kind.clone()),
                attribute("tieline.event.source", new_event.source.as_str().to_owned()),
            ]
        });
        span
    }

    /// Accepts events of one organisation in their order; they are durable when this returns. No two have the same key.
    /// Where one is refused, those before it may be accepted.
    ///
    /// # Errors
    /// As [`Intake::accept`], for the first event that is refused.
    pub(super) async fn accept_all(&self, new_events: Vec<NewEvent>) -> Result<Vec<Accepted>> {
        let keys = new_events.iter().filter_map(|new_event| Some(&new_event.idempotency.as_ref()?.key));
        let mut keys: Vec<IdempotencyKey> = keys.cloned().collect();
        // All callers enter in this order, so that no two wait for each other.
        keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let mut turns = Vec::with_capacity(keys.len());
        for key in &keys {
            turns.push(self.in_flight.enter(key).await?);
        }
        let (mut answers, mut spans) = (Vec::with_capacity(new_events.len()), Vec::with_capacity(new_events.len()));
        for new_event in new_events {
            let span = self.span(&new_event);
            let submission = Submission { new_event, inline: Vec::new(), trace: span.context() };
            spans.push(span);
            answers.push(self.group_commit.hand_in(submission).await?);
        }
        join_all(answers).await.into_iter().collect()
    }
}

/// Idempotency keys in flight in this process. Between processes the database's unique key decides.
#[derive(Default)]
struct InFlight {
    keys: Mutex<HashSet<IdempotencyKey>>,
    left: Notify,
}

/// Guard that serialises requests with the same idempotency key within this process.
struct Turn<'a> {
    in_flight: &'a InFlight,
    key: IdempotencyKey,
}

impl InFlight {
    async fn enter(&self, key: &IdempotencyKey) -> Result<Turn<'_>> {
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
async fn commit(base: &Base, outbox: &Outbox, submitted: Vec<Submission>) -> Result<Vec<Result<Accepted>>> {
    let (ambient, now) = (&base.ambient, base.now());
    let mut span = base.tracer.start_linked("group commit", submitted.iter().filter_map(|one| one.trace));
    span.record(|| [attribute("tieline.batch.events", i64::try_from(submitted.len()).unwrap_or(i64::MAX))]);
    let (mut new_events, mut inline) = (Vec::with_capacity(submitted.len()), Vec::new());
    let mut traces = Vec::with_capacity(submitted.len());
    for Submission { new_event, inline: calls, trace } in submitted {
        new_events.push(new_event);
        inline.extend(calls);
        traces.push(trace);
    }
    let ended: Vec<DeliveryState> = inline.iter().map(|inline| inline.delivery.state).collect();
    let tx = base.store.begin_late().await?;
    let mut known = insert_records(&tx, ambient, &new_events, now).await?;
    let mut answers = Vec::with_capacity(new_events.len());
    let mut events = Vec::with_capacity(new_events.len());
    let mut planned = Vec::new();
    for (new_event, trace) in new_events.into_iter().zip(traces) {
        let id = match new_event.idempotency {
            None => new_event.id.unwrap_or_else(|| ambient.id()),
            Some(idempotency) => match known.remove(&idempotency.key) {
                Some(Standing::Mine(id)) => id,
                Some(Standing::Before(record)) if record.fingerprint == idempotency.fingerprint => {
                    answers.push(Ok(Accepted { id: record.event_id, repeated: true }));
                    known.insert(idempotency.key, Standing::Before(record));
                    continue;
                }
                Some(Standing::Before(_)) | None => {
                    answers.push(Err(Error::IdempotencyMismatch { key: idempotency.key.key }));
                    continue;
                }
            },
        };
        answers.push(Ok(Accepted { id, repeated: false }));
        let NewEvent { organisation_id, source, fact, made_from, path, planned: with_it, .. } = new_event;
        planned.extend(with_it.into_iter().map(|one| (events.len(), one)));
        events.push(Event { id, organisation_id, source, fact, made_from, path, trace, created_at: now });
    }
    outbox.append_inline_calls(&tx, inline).await?;
    let appended = outbox.append(&tx, &events, planned).await?.with_ended(ended);
    outbox.commit(tx, appended).await?;
    Ok(answers)
}

/// Idempotency record under a key.
enum Standing {
    /// New record, inserted just now for this event.
    Mine(EventId),
    /// Existing record.
    Before(IdempotencyRecord),
}

async fn insert_records(
    tx: &Tx,
    ambient: &Ambient,
    new_events: &[NewEvent],
    now: Time,
) -> Result<HashMap<IdempotencyKey, Standing>> {
    let records: Vec<(IdempotencyKey, IdempotencyRecord)> = new_events
        .iter()
        .filter_map(|new_event| Some((new_event.id, new_event.idempotency.clone()?)))
        .map(|(id, Idempotency { key, fingerprint, expires_at })| {
            (key, IdempotencyRecord { event_id: id.unwrap_or_else(|| ambient.id()), fingerprint, expires_at })
        })
        .collect();
    let mut standing: HashMap<IdempotencyKey, Standing> =
        records.iter().map(|(key, record)| (key.clone(), Standing::Mine(record.event_id))).collect();
    for (key, record) in store::pipeline::events::insert_records(tx, records, now).await? {
        standing.insert(key, Standing::Before(record));
    }
    Ok(standing)
}
