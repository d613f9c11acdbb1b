//! Senders of webhooks: calls of outgoing ones, and requests to incoming ones that were kept while scripts were busy.
//!
//! Not here: the calls (`outgoing`), the requests (`incoming`).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::Webhooks;
use crate::{
    app::{
        kernel::Base,
        pipeline::{
            sender::{Check, Sender, Session, Skip, sessions},
            work::{Job, Work},
        },
    },
    domain::{
        Result,
        pipeline::{
            delivery::Delivery,
            destination::{Destination, DestinationKind},
            event::Event,
        },
        webhooks,
    },
};

/// Sender to the URLs of outgoing webhooks. The runs of a webhook are independent of each other, and each has a backoff
/// of its own: they keep no order.
pub struct OutgoingSender(pub Arc<Webhooks>);

impl Sender for OutgoingSender {
    fn kind(&self) -> DestinationKind {
        webhooks::destination::OUTGOING
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        sessions(destinations, |one| OutgoingSession { webhooks: self.0.clone(), destination: one.clone() })
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

/// Kept requests to incoming webhooks.
pub struct KeptRequests(pub Arc<Webhooks>);

#[async_trait]
impl Work for KeptRequests {
    fn kind(&self) -> DestinationKind {
        webhooks::destination::INCOMING
    }

    fn base(&self) -> &Base {
        &self.0.base
    }

    /// The request is sealed: it is of no use in the record.
    fn request(&self, _: &Event) -> String {
        String::new()
    }

    async fn run(&self, job: Job<'_>) -> Result<String> {
        self.0.work_on_kept_hook(job.event).await
    }
}
