//! Serves one claimed destination: its deliveries in order where it keeps one, several at once otherwise, within its rate
//! limit.
//!
//! Not here: the claim (`dispatcher`), the records (`recorder`), the sending (`app::pipeline::sender`).

use std::{
    sync::{Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{dispatcher::Dispatcher, recorder::Record, slots::Slot};
use crate::{
    app::pipeline::sender::{Check, Session, Skip},
    domain::{
        Error,
        ambient::Time,
        pipeline::{
            delivery::{AttemptOutcome, Delivery, DeliveryState, Next, Verdict},
            destination::Health,
            event::Event,
        },
        rate_limit::RateLimit,
    },
    store::pipeline::{deliveries::Due, destinations::Claimed},
};

/// Number of deliveries in flight to one destination that keeps no order.
const AT_ONCE: usize = 8;

/// A claimed destination, with its due deliveries.
pub(super) struct Work {
    pub(super) claimed: Claimed,
    pub(super) session: Box<dyn Session>,
    pub(super) keeps_order: bool,
    pub(super) rate_limit: RateLimit,
    pub(super) due: Vec<Due>,
    /// True where more deliveries may wait than were loaded.
    pub(super) more: bool,
    pub(super) slot: Slot,
}

/// Result of one delivery's turn.
enum Turn {
    /// Its time has not come: of its retry, of the rate limit, or after a check that failed.
    Waits(Time),
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
            Turn::Waits(_) | Turn::Skipped(_) => Duration::ZERO,
        }
    }
}

/// State of a destination while it is served.
struct Serving<'a> {
    dispatcher: &'a Dispatcher,
    session: &'a dyn Session,
    keeps_order: bool,
    rate_limit: RateLimit,
    /// Theoretical arrival time of the rate limit.
    arrival_time: Mutex<Option<Time>>,
}

impl Dispatcher {
    /// Dispatches the deliveries of a destination until they are through, one has to wait, or others should have their
    /// turn; then records the outcomes and releases the lease. Returns the time at which the destination is due again.
    pub(super) async fn serve(&self, work: Work) -> Option<Time> {
        let Work { claimed, session, keeps_order, rate_limit, due, more, slot } = work;
        let Claimed { destination, pace_until, slow } = claimed;
        let serving = Serving {
            dispatcher: self,
            session: &*session,
            keeps_order,
            rate_limit,
            arrival_time: Mutex::new(pace_until),
        };
        let mut record = Record::new(&destination, more, self.settings.slow_after);
        let last_call = Instant::now() + self.settings.lease / 2;
        let mut at_once = if keeps_order || slow { 1 } else { AT_ONCE };
        let (mut due, mut idle, mut in_flight) = (due.into_iter(), vec![slot], FuturesUnordered::new());
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
            goes_on &= serving.note(&mut record, turn, &destination.health).await;
            // Held until the record is written, or taken by the next delivery.
            if idle.is_empty() {
                idle.push(slot);
            }
        }
        record.release.more |= out_of_time;
        record.release.pace_until = *serving.arrival_time.lock().unwrap_or_else(PoisonError::into_inner);
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
    async fn turn(&self, Due { delivery, event }: Due) -> (Delivery, Turn) {
        let turn = self.attempt(&delivery, &event).await;
        (delivery, turn)
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
            Ok(()) => sending.await.map_or_else(failed, |outcome| Turn::Attempted(Box::new(outcome))),
            Err(at) => Turn::Waits(at),
        }
    }

    /// Asks the rate limit for one attempt.
    fn admit(&self, now: Time) -> Result<(), Time> {
        let mut arrival_time = self.arrival_time.lock().unwrap_or_else(PoisonError::into_inner);
        *arrival_time = Some(self.rate_limit.admit(*arrival_time, now)?);
        Ok(())
    }

    /// Notes the result of a turn. Returns whether the next delivery may have its own.
    async fn note(&self, record: &mut Record, (mut delivery, turn): (Delivery, Turn), health: &Health) -> bool {
        let now = self.dispatcher.base.ambient().now();
        let outcome = match turn {
            Turn::Waits(at) if self.keeps_order => {
                record.pause_until(at);
                return false;
            }
            Turn::Waits(at) => {
                // They come in the order of their times: one that waits is before all that were not loaded.
                record.release.more = false;
                record.look_again(at);
                return true;
            }
            Turn::Skipped(Skip { state, reason }) => {
                record.ended(finished(&mut delivery, state, reason.into_owned(), now));
                return true;
            }
            Turn::Attempted(outcome) => *outcome,
        };
        let verdict = outcome.verdict.clone();
        let retry = &self.dispatcher.settings.retry;
        let jitter = || self.dispatcher.jitter();
        let decided = outcome.next.clone();
        let next = decided.unwrap_or_else(|| retry.next(&verdict, delivery.schedule(), now, jitter()));
        record.tried(&self.dispatcher.base, &delivery, outcome, &next, now);
        let goes_on = self.advance(record, delivery, next, now);
        self.session.on_outcome(&verdict).await;
        self.learn(record, verdict, health, now) && goes_on
    }

    /// Moves a delivery to its next state. Returns false where the destination rests until its retry.
    fn advance(&self, record: &mut Record, mut delivery: Delivery, next: Next, now: Time) -> bool {
        match next {
            Next::Delivered => record.delivered(delivery.id, delivery.created_at),
            Next::RetryAt { at, reason } => {
                delivery.attempts += 1;
                delivery.next_attempt_at = Some(at);
                delivery.reason = Some(reason);
                match self.keeps_order {
                    true => record.again(delivery, at),
                    false => record.again_alone(delivery, at),
                }
                return !self.keeps_order;
            }
            Next::Failed { reason } => {
                delivery.attempts += 1;
                record.ended(finished(&mut delivery, DeliveryState::Failed, reason, now));
            }
        }
        true
    }

    /// Applies an outcome to the health of the destination. Returns false where nothing more is sent to it now.
    fn learn(&self, record: &mut Record, verdict: Verdict, health: &Health, now: Time) -> bool {
        match verdict {
            Verdict::AddressRefused { reason } => record.closed(Health::Broken { reason, since: now }),
            Verdict::Gone { reason } => record.closed(Health::Off { reason, since: now }),
            Verdict::ConnectionDead { .. } => record.release.more = false,
            Verdict::Delivered => {
                record.release.health = (*health != Health::Healthy).then_some(Health::Healthy);
                return true;
            }
            Verdict::Throttled { .. }
            | Verdict::Unreachable { .. }
            | Verdict::Faltered { .. }
            | Verdict::MessageRefused { .. } => return true,
        }
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
