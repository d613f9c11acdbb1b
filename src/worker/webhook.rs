//! Calls the URLs of outgoing webhooks. They keep no order: one that waits for its time holds up nobody, and several are
//! made at once.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{
    deliver::{Deliverer, LOAD, finished},
    lane::Tried,
    record::Record,
    slots::Slot,
};
use crate::{
    app::{apps::calls::Called, webhooks::outgoing::WebhookCall},
    domain::{
        ambient::Time,
        pipeline::{
            delivery::{Delivery, DeliveryState, Next},
            destination::Destination,
        },
    },
    store::pipeline::{deliveries::Due, destinations::Claimed},
};

/// How many calls of one URL are under way at the same time.
const AT_ONCE: usize = 8;

/// What came of one delivery.
enum Came {
    /// Its time has not come.
    Waits(Time),
    /// There was no time left for it.
    Left,
    /// It was called, or is not to be; `None` where that could not be found out.
    Called(Box<(Delivery, Option<WebhookCall>)>),
}

impl Came {
    /// Duration of the call, where one was made.
    fn took(&self) -> Duration {
        match self {
            Came::Called(called) => match &called.1 {
                Some(WebhookCall::Made(made)) => made.called.duration,
                Some(WebhookCall::Held(_)) | None => Duration::ZERO,
            },
            Came::Waits(_) | Came::Left => Duration::ZERO,
        }
    }
}

impl Deliverer {
    /// Calls what is due at a URL; tells when it is due again. Each call has a slot: the first one the destination's, and
    /// those beside it what may be had at once.
    pub(super) async fn serve_in_any_order(&self, claimed: Claimed, due: Vec<Due>, slot: Slot) -> Option<Time> {
        let Claimed { destination, pace_until, slow } = claimed;
        let mut record = Record::new(&destination, false, self.settings.slow_after);
        record.release.pace_until = pace_until;
        let loaded = due.len();
        let (came, slot) = self.call_all(&destination, due, (slot, slow)).await;
        let all_due = !came.iter().any(|came| matches!(came, Came::Waits(_)));
        // They come by the time at which they are due: one that waits is before all that were not loaded.
        record.release.more = loaded == LOAD && all_due;
        for came in came {
            match came {
                Came::Waits(at) => record.look_again(at),
                Came::Left => record.release.more = true,
                Came::Called(called) => self.note(&mut record, *called),
            }
        }
        let due_again = self.recorder.write(record).await;
        drop(slot);
        due_again
    }

    /// Makes the calls, several at once where slots are free and the URL is not slow; gives the last slot back.
    async fn call_all(
        &self,
        destination: &Destination,
        due: Vec<Due>,
        (slot, slow): (Slot, bool),
    ) -> (Vec<Came>, Vec<Slot>) {
        let last_call = self.last_call();
        let mut at_once = if slow { 1 } else { AT_ONCE };
        let (mut came, mut idle) = (Vec::with_capacity(due.len()), vec![slot]);
        let mut due = due.into_iter();
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < at_once && due.len() > 0 {
                let slot = idle.pop().or_else(|| self.slots.extra(destination.organisation_id));
                let Some(slot) = slot else { break };
                let Some(next) = due.next() else { break };
                let call = self.call(destination, next, last_call);
                under_way.push(async move { (call.await, slot) });
            }
            let Some((one, slot)) = under_way.next().await else { return (came, idle) };
            if one.took() >= self.settings.slow_after {
                at_once = 1;
            }
            came.push(one);
            if idle.is_empty() {
                idle.push(slot);
            }
        }
    }

    async fn call(&self, destination: &Destination, due: Due, last_call: Instant) -> Came {
        let Due { delivery, event } = due;
        let now = self.app.base.ambient().now();
        if let Some(at) = delivery.next_attempt_at.filter(|at| *at > now) {
            return Came::Waits(at);
        }
        if self.is_over(last_call) {
            return Came::Left;
        }
        let called = self.app.webhooks.call_webhook(destination, &delivery, &event).await;
        let called =
            called.map_err(|error| tracing::error!(%error, "a webhook could not be called; it is tried again"));
        Came::Called(Box::new((delivery, called.ok())))
    }

    fn note(&self, record: &mut Record, (mut delivery, called): (Delivery, Option<WebhookCall>)) {
        let now = self.app.base.ambient().now();
        let (called, next, detail) = match called {
            None => return record.look_again(now + self.settings.poll),
            Some(WebhookCall::Held(reason)) => {
                let ended = finished(&mut delivery, DeliveryState::Failed, reason.text().to_owned(), now);
                return record.ended(ended);
            }
            Some(WebhookCall::Made(made)) => (made.called, made.next, Some(made.detail)),
        };
        let Called { verdict, address, request, answer, status_code, duration, began, history_of } = called;
        let tried = Tried { verdict, address, request, answer, detail, history_of, status_code, duration, began };
        record.tried(&self.app, &delivery, tried, &next, now);
        match next {
            Next::Delivered => record.delivered(delivery.id, delivery.created_at),
            Next::RetryAt { at, reason } => {
                delivery.attempts += 1;
                delivery.next_attempt_at = Some(at);
                delivery.reason = Some(reason);
                record.again_alone(delivery, at);
            }
            Next::Failed { reason } => {
                delivery.attempts += 1;
                record.ended(finished(&mut delivery, DeliveryState::Failed, reason, now));
            }
        }
    }
}
