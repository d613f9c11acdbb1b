//! Serves one claimed destination: its deliveries in order where it keeps one, several at once otherwise, within its rate
//! limit.
//!
//! Not here: what an outcome leads to (`outcomes`), the claim (`dispatcher`), the records (`recorder`), the sending
//! (`app::pipeline::sender`).

mod outcomes;

use std::{
    future::Future,
    sync::{Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{sync::OnceCell, time::Instant};

use super::{dispatcher::Dispatcher, inboxes::Open, recorder::Record, slots::Slot};
use crate::{
    app::{
        kernel::metrics::Metrics,
        pipeline::sender::{Check, Session, Skip},
    },
    domain::{
        Error, Result,
        ambient::Time,
        pipeline::{
            delivery::{AttemptOutcome, Delivery},
            destination::DestinationKind,
            event::Event,
            retry::RetrySchedule,
        },
        rate_limit::RateLimit,
    },
    store::{
        self,
        pipeline::{
            deliveries::{Due, Loaded},
            destinations::{Claimed, Position},
        },
    },
    telemetry::trace::{self, SpanKind, attribute},
};

/// Number of deliveries in flight to one destination that keeps no order.
const AT_ONCE: usize = 8;
/// Time in which a destination goes on under its lease before others should have their turn.
const GOES_ON: Duration = Duration::from_millis(500);
/// Number of deliveries that are loaded then: their destination is quick.
const LOAD_ON: usize = 128;

/// A claimed destination, with its due deliveries.
pub(super) struct Work {
    pub(super) claimed: Claimed,
    pub(super) session: Box<dyn Session>,
    pub(super) keeps_order: bool,
    pub(super) rate_limit: RateLimit,
    pub(super) loaded: Loaded,
    pub(super) slot: Slot,
}

/// Counts a destination as leased for as long as it is served.
struct Leased<'a>(&'a Metrics);

impl<'a> Leased<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        metrics.leased(1);
        Self(metrics)
    }
}

impl Drop for Leased<'_> {
    fn drop(&mut self) {
        self.0.leased(-1);
    }
}

/// Result of one delivery's turn.
enum Turn {
    /// Its time has not come: of its retry, or after a check that failed.
    Waits(Time),
    /// Not admitted by the rate limit until a time.
    Limited(Time),
    /// Ended without an attempt.
    Skipped(Skip),
    /// Attempted.
    Attempted(Box<AttemptOutcome>),
}

impl Turn {
    /// Duration of the attempt, if one was made.
    fn duration(&self) -> Duration {
        match self {
            Turn::Attempted(outcome) => outcome.duration,
            Turn::Waits(_) | Turn::Limited(_) | Turn::Skipped(_) => Duration::ZERO,
        }
    }
}

/// State of a destination while it is served.
struct Serving<'a> {
    dispatcher: &'a Dispatcher,
    session: &'a dyn Session,
    kind: DestinationKind,
    keeps_order: bool,
    /// Maximum number of deliveries in flight.
    at_once: usize,
    /// Time after which no attempt begins: a single one ends well within half a lease.
    last_call: Instant,
    rate_limit: RateLimit,
    /// Retry schedule of the organisation, if it has one; loaded for the first failure.
    organisation_schedule: OnceCell<Option<RetrySchedule>>,
    /// Theoretical arrival time of the rate limit.
    arrival_time: Mutex<Option<Time>>,
}

impl Dispatcher {
    /// Dispatches the deliveries of a destination until they are through, one has to wait, or others should have their
    /// turn; then records the outcomes and releases the lease. Returns the time at which the destination is due again.
    pub(super) async fn serve(&self, work: Work) -> Option<Time> {
        let Work { claimed, session, keeps_order, rate_limit, loaded, slot } = work;
        let _leased = Leased::new(self.base.metrics());
        let Claimed { destination, pace_until, slow, mut last_seq, .. } = claimed;
        let begun = Instant::now();
        let serving = Serving {
            dispatcher: self,
            session: &*session,
            kind: destination.kind.clone(),
            keeps_order,
            at_once: if keeps_order || slow { 1 } else { AT_ONCE },
            last_call: begun + self.settings.lease / 2,
            rate_limit,
            organisation_schedule: OnceCell::new(),
            arrival_time: Mutex::new(pace_until),
        };
        let inbox = self.inboxes.open(destination.id, loaded.reached);
        let record = Record::new(&destination, &loaded, self.settings.slow_after);
        let (mut record, mut slot) = serving.batch(record, loaded.due, Some(slot)).await;
        while let Some(next) = serving.following(&record, &inbox, (begun, last_seq)).await {
            let following = record.following(&next);
            // The next one waits for this record, so that nothing is passed by a cursor and not recorded.
            let (written, (following, held)) =
                tokio::join!(self.recorder.write(record.kept()), serving.batch(following, next.due, slot));
            last_seq = last_seq.max(written?.last_seq);
            (record, slot) = (following, held);
        }
        drop(inbox);
        let released = self.recorder.write(record).await;
        drop(slot);
        released.and_then(|released| released.due_at)
    }

    /// Spreads the retries of many over time.
    fn jitter(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.base.ambient().random())) / f64::from(u32::MAX)
    }
}

impl Serving<'_> {
    /// Gives deliveries their turns, as far as they go, and notes the outcomes. Returns the record and the slot.
    async fn batch(&self, mut record: Record, due: Vec<Due>, slot: Option<Slot>) -> (Record, Option<Slot>) {
        let Dispatcher { slots, settings, stopping, .. } = self.dispatcher;
        let (organisation_id, mut at_once) = (record.destination.organisation_id, self.at_once);
        let (mut due, mut idle, mut in_flight) = (due.into_iter(), slot, FuturesUnordered::new());
        let mut goes_on = true;
        loop {
            while goes_on && in_flight.len() < at_once && due.len() > 0 {
                if stopping.load(Ordering::Relaxed) || Instant::now() >= self.last_call {
                    (goes_on, record.release.more) = (false, true);
                    break;
                }
                let Some(slot) = idle.take().or_else(|| slots.extra(organisation_id)) else { break };
                let Some(next) = due.next() else { break };
                let turn = self.turn(next);
                in_flight.push(async move { (turn.await, slot) });
            }
            let Some((turn, slot)) = in_flight.next().await else { break };
            if turn.1.duration() >= settings.slow_after {
                at_once = 1;
            }
            goes_on &= self.note(&mut record, turn).await;
            // One is held until the record is written, or taken by the next delivery.
            idle.get_or_insert(slot);
        }
        record.release.pace_until = *self.arrival_time.lock().unwrap_or_else(PoisonError::into_inner);
        record.move_cursor();
        (record, idle)
    }

    /// Returns what follows in the queue, where the destination goes on under its lease: all was delivered, in a short time,
    /// and nobody waits for its slot.
    async fn following(&self, record: &Record, inbox: &Open<'_>, (begun, last_seq): (Instant, i64)) -> Option<Loaded> {
        let Dispatcher { slots, settings, stopping, base, .. } = self.dispatcher;
        let (id, reached) = (record.release.id, record.release.reached);
        let has_time = begun.elapsed() < GOES_ON.min(settings.lease / 4) && !stopping.load(Ordering::Relaxed);
        if !has_time || !record.is_through() || !slots.has_room(record.destination.organisation_id) {
            return None;
        }
        let due = inbox.take(reached);
        if let Some(reached) = due.last().and_then(|due| due.delivery.seq) {
            base.metrics().handed_over(due.len());
            return Some(Loaded { due, reached, more: false });
        }
        if reached >= last_seq {
            return None;
        }
        let position = Position { id, cursor: reached, last_seq };
        let loaded =
            store::pipeline::deliveries::queued(base.store().reader(), position, LOAD_ON, base.ambient().now());
        loaded
            .await
            .inspect_err(|error| tracing::warn!(%error, "a queue could not be loaded; it is claimed again"))
            .ok()
    }

    /// Gives a delivery its turn.
    async fn turn(&self, due: Due) -> (Due, Turn) {
        let Due { delivery, event } = &due;
        let tracer = self.dispatcher.base.tracer();
        let mut span = tracer.start("dispatch delivery", SpanKind::Consumer, event.trace);
        span.record(|| {
            [
                attribute("tieline.organisation.id", delivery.organisation_id.to_string()),
                attribute("tieline.event.id", event.id.to_string()),
                attribute("tieline.delivery.id", delivery.id.to_string()),
                attribute("tieline.destination.id", delivery.destination_id.to_string()),
            ]
        });
        let turn = trace::within(span.context(), self.attempt(delivery, event)).await;
        (due, turn)
    }

    async fn attempt(&self, delivery: &Delivery, event: &Event) -> Turn {
        let now = self.dispatcher.base.ambient().now();
        if let Some(at) = delivery.next_attempt_at.filter(|at| *at > now) {
            return Turn::Waits(at);
        }
        let failed = |error: Error| {
            tracing::error!(%error, delivery = %delivery.id, "a delivery could not be attempted; trying again");
            Turn::Waits(now + self.dispatcher.settings.poll)
        };
        let sending = match self.session.check(delivery, event).await {
            Ok(Check::Send(sending)) => sending,
            Ok(Check::Skip(skip)) => return Turn::Skipped(skip),
            Err(error) => return failed(error),
        };
        match self.admit(now) {
            Ok(()) => {
                self.send(delivery, sending).await.map_or_else(failed, |outcome| Turn::Attempted(Box::new(outcome)))
            }
            Err(at) => Turn::Limited(at),
        }
    }

    /// Makes an attempt, within a span of its own.
    async fn send(
        &self,
        delivery: &Delivery,
        sending: impl Future<Output = Result<AttemptOutcome>>,
    ) -> Result<AttemptOutcome> {
        let mut span = self.dispatcher.base.tracer().start("attempt", SpanKind::Client, trace::current());
        let sent = trace::within(span.context(), sending).await;
        span.record(|| {
            [
                attribute("tieline.attempt", i64::from(delivery.attempts) + 1),
                attribute("tieline.destination.kind", self.kind.as_str().to_owned()),
            ]
        });
        if let Some(status) = sent.as_ref().ok().and_then(|outcome| outcome.status_code) {
            span.record(|| [attribute("http.response.status_code", i64::from(status))]);
        }
        if let Some(reason) = sent.as_ref().ok().and_then(|outcome| outcome.outcome.failure()) {
            span.fail(reason);
        }
        sent
    }

    /// Asks the rate limit for one attempt.
    fn admit(&self, now: Time) -> Result<(), Time> {
        let mut arrival_time = self.arrival_time.lock().unwrap_or_else(PoisonError::into_inner);
        *arrival_time = Some(self.rate_limit.admit(*arrival_time, now)?);
        Ok(())
    }
}
