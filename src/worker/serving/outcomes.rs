//! Effects of the outcome of a turn: the next state of the delivery, the health of the destination, and whether others go on.
//!
//! Not here: the turns (`serving`).

use super::{Serving, Turn};
use crate::{
    app::pipeline::sender::Skip,
    domain::{
        ambient::Time,
        ids::OrganisationId,
        pipeline::{
            delivery::{Delivery, DeliveryState, Next, Outcome},
            operational,
            retry::{self, RetrySchedule},
        },
    },
    store::{self, pipeline::deliveries::Due},
    worker::recorder::Record,
};

impl Serving<'_> {
    /// Notes the result of a turn. Returns whether the next delivery may have its own.
    pub(super) async fn note(&self, record: &mut Record, (due, turn): (Due, Turn)) -> bool {
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
