//! Serves one claimed destination: its deliveries in order where it keeps one, several at once otherwise, within its rate
//! limit.
//!
//! Not here: the claim (`dispatcher`), the records (`recorder`), the sending (`app::pipeline::sender`).

use std::{
    future::Future,
    sync::{Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{sync::OnceCell, time::Instant};

use super::{dispatcher::Dispatcher, recorder::Record, slots::Slot};
use crate::{
    app::{
        kernel::metrics::Metrics,
        pipeline::sender::{Check, Session, Skip},
    },
    domain::{
        Error, Result,
        ambient::Time,
        ids::OrganisationId,
        pipeline::{
            delivery::{AttemptOutcome, Delivery, DeliveryState, Next, Outcome},
            destination::DestinationKind,
            event::Event,
            operational,
            retry::{self, RetrySchedule},
        },
        rate_limit::RateLimit,
    },
    store::{
        self,
        pipeline::{
            deliveries::{Due, Loaded},
            destinations::Claimed,
        },
    },
    telemetry::trace::{self, SpanKind, attribute},
};

/// Number of deliveries in flight to one destination that keeps no order.
const AT_ONCE: usize = 8;

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
        let Claimed { destination, pace_until, slow, last_seq, .. } = claimed;
        let serving = Serving {
            dispatcher: self,
            session: &*session,
            kind: destination.kind.clone(),
            keeps_order,
            rate_limit,
            organisation_schedule: OnceCell::new(),
            arrival_time: Mutex::new(pace_until),
        };
        let mut record = Record::new(&destination, &loaded, last_seq, self.settings.slow_after);
        let last_call = Instant::now() + self.settings.lease / 2;
        let mut at_once = if keeps_order || slow { 1 } else { AT_ONCE };
        let (mut due, mut idle, mut in_flight) = (loaded.due.into_iter(), vec![slot], FuturesUnordered::new());
        let (mut goes_on, mut out_of_time) = (true, false);
        loop {
            while goes_on && in_flight.len() < at_once && due.len() > 0 {
                // A single attempt ends well within half a lease, so none begins after the first half.
                if self.stopping.load(Ordering::Relaxed) || Instant::now() >= last_call {
                    (goes_on, out_of_time) = (false, true);
                    break;
                }
                let slot = idle.pop().or_else(|| self.slots.extra(destination.organisation_id));
                let Some(slot) = slot else { break };
                let Some(next) = due.next() else { break };
                let turn = serving.turn(next);
                in_flight.push(async move { (turn.await, slot) });
            }
            let Some((turn, slot)) = in_flight.next().await else { break };
            if turn.1.duration() >= self.settings.slow_after {
                at_once = 1;
            }
            goes_on &= serving.note(&mut record, turn).await;
            // Held until the record is written, or taken by the next delivery.
            if idle.is_empty() {
                idle.push(slot);
            }
        }
        record.release.more |= out_of_time;
        record.release.pace_until = *serving.arrival_time.lock().unwrap_or_else(PoisonError::into_inner);
        record.move_cursor();
        let due_again = self.recorder.write(record).await;
        drop(idle);
        due_again
    }

    /// Spreads the retries of many over time.
    fn jitter(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.base.ambient().random())) / f64::from(u32::MAX)
    }
}

impl Serving<'_> {
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

    /// Notes the result of a turn. Returns whether the next delivery may have its own.
    async fn note(&self, record: &mut Record, (due, turn): (Due, Turn)) -> bool {
        let Due { mut delivery, event } = due;
        let now = self.dispatcher.base.ambient().now();
        let attempt = match turn {
            Turn::Waits(at) if self.holds_up(&delivery, now) => {
                record.pause_until(at);
                return false;
            }
            Turn::Waits(at) if delivery.next_attempt_at == Some(at) => {
                record.look_again(at);
                return true;
            }
            Turn::Waits(at) => {
                record.again_alone(delivery, at);
                return true;
            }
            Turn::Limited(at) => {
                record.limited(delivery, at);
                return false;
            }
            Turn::Skipped(Skip { state, reason }) => {
                record.ended(finished(&mut delivery, state, reason.into_owned(), now));
                return true;
            }
            Turn::Attempted(attempt) => *attempt,
        };
        let outcome = attempt.outcome.clone();
        let next = match &attempt.next {
            Some(next) => next.clone(),
            None => self.next(record, &delivery, &outcome, now).await,
        };
        let is_operational = operational::is_operational(&event.source);
        record.tried(&self.dispatcher.base, (&delivery, event.trace), attempt, &next, now);
        let goes_on = self.advance(record, Due { delivery, event }, (&outcome, next), now);
        self.session.on_outcome(&outcome).await;
        record.learn(&self.dispatcher.settings.health, &outcome, is_operational, now) && goes_on
    }

    async fn next(&self, record: &Record, delivery: &Delivery, outcome: &Outcome, now: Time) -> Next {
        let schedule = match (outcome, &record.destination.retry_schedule) {
            (_, Some(own)) => Some(own),
            (Outcome::Delivered, None) => None,
            (_, None) => self.organisation_schedule(delivery.organisation_id).await,
        };
        let schedule = schedule.unwrap_or(&self.dispatcher.settings.retry);
        schedule.next(outcome, delivery.attempts_of_schedule(), now, self.dispatcher.jitter())
    }

    /// Returns the retry schedule of the organisation. While it cannot be read, the service's applies.
    async fn organisation_schedule(&self, id: OrganisationId) -> Option<&RetrySchedule> {
        let reader = self.dispatcher.base.store().reader();
        let load = || store::pipeline::retry_schedules::find(reader, id);
        match self.organisation_schedule.get_or_try_init(load).await {
            Ok(found) => found.as_ref(),
            Err(error) => {
                tracing::warn!(%error, organisation = %id, "an organisation's retry schedule could not be read");
                None
            }
        }
    }

    /// Returns whether those behind a delivery wait for it.
    fn holds_up(&self, delivery: &Delivery, now: Time) -> bool {
        self.keeps_order && delivery.aside_at.is_none_or(|at| at > now)
    }

    /// Moves a delivery to its next state. Returns false where the destination rests until its retry.
    fn advance(&self, record: &mut Record, due: Due, (outcome, next): (&Outcome, Next), now: Time) -> bool {
        let Due { mut delivery, event } = due;
        let (reason, exhausted) = match next {
            Next::Delivered => {
                record.delivered(delivery, now);
                return true;
            }
            Next::RetryAt { at, reason } => {
                delivery.attempts += 1;
                delivery.next_attempt_at = Some(at);
                delivery.reason = Some(reason);
                return self.retry(record, delivery, outcome, (at, now));
            }
            Next::Failed { reason } => (reason, outcome.concerns_the_message()),
            Next::Exhausted { reason } => (retry::exhausted(delivery.attempts_of_schedule() + 1, &reason), true),
        };
        delivery.attempts += 1;
        let failed = finished(&mut delivery, DeliveryState::Failed, reason, now);
        if exhausted {
            record.exhausted(&failed, &event);
        }
        record.ended(failed);
        true
    }

    /// Notes a retry at a time. A delivery that holds up others does so for a while; while the destination is
    /// unreachable or asks for a pause, they would fare no better.
    fn retry(&self, record: &mut Record, mut delivery: Delivery, outcome: &Outcome, (at, now): (Time, Time)) -> bool {
        if self.keeps_order {
            delivery.aside_at = match outcome {
                Outcome::Faltered { .. } => delivery.aside_at.or(Some(now + retry::STEP_ASIDE_AFTER)),
                _ => delivery.aside_at.filter(|at| *at <= now),
            };
        }
        if !self.holds_up(&delivery, now) {
            record.again_alone(delivery, at);
            return true;
        }
        let until = delivery.aside_at.map_or(at, |aside_at| aside_at.min(at));
        record.again(delivery, until);
        false
    }
}

fn finished(delivery: &mut Delivery, state: DeliveryState, reason: String, now: Time) -> Delivery {
    delivery.state = state;
    delivery.reason = Some(reason);
    delivery.next_attempt_at = None;
    delivery.completed_at = Some(now);
    delivery.clone()
}
