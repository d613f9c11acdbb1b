//! Senders of webhooks: calls of outgoing ones, and requests to incoming ones that were kept while scripts were busy.
//!
//! Not here: the calls (`outgoing`), the requests (`incoming`).

use std::{sync::Arc, time::Instant};

use futures_util::future::BoxFuture;

use super::Webhooks;
use crate::{
    app::pipeline::sender::{Check, Sender, Session, Skip, outcome_of},
    domain::{
        Result,
        pipeline::{
            delivery::Delivery,
            destination::{Destination, DestinationKind},
            event::Event,
        },
    },
};

/// Sender to the URLs of outgoing webhooks. The runs of a webhook are independent of each other, and each has a backoff
/// of its own: they keep no order.
pub struct OutgoingSender(pub Arc<Webhooks>);

impl Sender for OutgoingSender {
    fn kind(&self) -> DestinationKind {
        DestinationKind::OutgoingWebhook
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        let session = |destination: &&Destination| -> Box<dyn Session> {
            Box::new(OutgoingSession { webhooks: self.0.clone(), destination: (*destination).clone() })
        };
        let sessions = destinations.iter().map(session).collect();
        Box::pin(async { Ok(sessions) })
    }
}

struct OutgoingSession {
    webhooks: Arc<Webhooks>,
    destination: Destination,
}

impl Session for OutgoingSession {
    fn check<'a>(&'a self, delivery: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        Box::pin(async move {
            Ok(match self.webhooks.callable(&self.destination).await? {
                Err(reason) => Check::Skip(Skip::failed(reason.text())),
                Ok(stored) => Check::Send(Box::pin(async move {
                    self.webhooks.call_webhook(&stored, &self.destination.address, delivery, event).await
                })),
            })
        })
    }
}

/// Sender of kept requests to incoming webhooks.
pub struct KeptSender(pub Arc<Webhooks>);

impl Sender for KeptSender {
    fn kind(&self) -> DestinationKind {
        DestinationKind::IncomingWebhook
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        let session = |_: &&Destination| -> Box<dyn Session> { Box::new(KeptSession(self.0.clone())) };
        let sessions = destinations.iter().map(session).collect();
        Box::pin(async { Ok(sessions) })
    }
}

struct KeptSession(Arc<Webhooks>);

impl Session for KeptSession {
    fn check<'a>(&'a self, _: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let send = async move {
            let began = (self.0.base.now(), Instant::now());
            // The request is sealed: it is of no use in the record.
            Ok(outcome_of(self.0.work_on_kept_hook(event).await, String::new(), began))
        };
        Box::pin(async { Ok(Check::Send(Box::pin(send))) })
    }
}
