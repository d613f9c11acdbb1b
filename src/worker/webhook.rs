//! Calls the URLs of outgoing webhooks. They keep no order: one that waits for its time holds up nobody, and several are
//! made at once.

use futures_util::{StreamExt, stream};

use super::{
    deliver::{Deliverer, LOAD, finished},
    lane::Tried,
    record::Record,
};
use crate::{
    app::{integration_calls::Called, outgoing_webhooks::WebhookCall},
    domain::{
        ambient::Time,
        delivery::{Delivery, DeliveryState, Next},
        destination::Destination,
    },
    store::{deliveries::Due, destinations::Claimed},
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

impl Deliverer {
    /// Calls what is due at a URL; tells when it is due again.
    pub(super) async fn serve_in_any_order(&self, claimed: Claimed, due: Vec<Due>) -> Option<Time> {
        let Claimed { destination, pace_until } = claimed;
        let last_call = self.last_call();
        let mut record = Record::new(&destination, false);
        record.release.pace_until = pace_until;
        let loaded = due.len();
        let calls = due.into_iter().map(|due| self.call(&destination, due, last_call));
        let came: Vec<Came> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
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
        self.recorder.write(record).await
    }

    async fn call(&self, destination: &Destination, due: Due, last_call: Time) -> Came {
        let Due { delivery, event } = due;
        let now = self.app.ambient().now();
        if let Some(at) = delivery.next_attempt_at.filter(|at| *at > now) {
            return Came::Waits(at);
        }
        if self.is_over(last_call, now) {
            return Came::Left;
        }
        let called = self.app.call_webhook(destination, &delivery, &event).await;
        let called =
            called.map_err(|error| tracing::error!(%error, "a webhook could not be called; it is tried again"));
        Came::Called(Box::new((delivery, called.ok())))
    }

    fn note(&self, record: &mut Record, (mut delivery, called): (Delivery, Option<WebhookCall>)) {
        let now = self.app.ambient().now();
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
