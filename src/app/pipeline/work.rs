//! Sender of internal deliveries: each is one call of a use case of this service, without an outbound request.
//!
//! Not here: the use cases.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::sender::{Check, Sender, Session, sessions, unreachable};
use crate::{
    app::kernel::Base,
    domain::{
        Error, Result,
        pipeline::{
            delivery::{AttemptOutcome, Delivery, Verdict},
            destination::{Destination, DestinationKind},
            event::Event,
        },
    },
};

/// Use case that is called for each delivery of a kind.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Kind of the destinations.
    fn kind(&self) -> DestinationKind;

    /// Returns the dependencies of the service.
    fn base(&self) -> &Base;

    /// Returns the request of an attempt, as it is recorded.
    fn request(&self, event: &Event) -> String {
        event.fact.data.to_string()
    }

    /// Works on an event, and returns the answer of the attempt.
    ///
    /// # Errors
    /// [`Error::Webhook`] where it is refused; every other error is retried.
    async fn run(&self, event: &Event) -> Result<String>;
}

/// Sender of the deliveries of a use case.
pub struct WorkSender<W>(Arc<W>);

impl<W> WorkSender<W> {
    /// Creates the sender.
    pub fn new(work: W) -> Self {
        Self(Arc::new(work))
    }
}

impl<W: Work> Sender for WorkSender<W> {
    fn kind(&self) -> DestinationKind {
        self.0.kind()
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        sessions(destinations, |_| WorkSession(self.0.clone()))
    }
}

struct WorkSession<W>(Arc<W>);

impl<W: Work> Session for WorkSession<W> {
    fn check<'a>(&'a self, _: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let send = async move {
            let (began, timer) = (self.0.base().now(), Instant::now());
            let (verdict, answer) = match self.0.run(event).await {
                Ok(answer) => (Verdict::Delivered, Some(answer)),
                Err(Error::UpstreamUnavailable { retry_after: Some(retry_after), .. }) => {
                    (Verdict::Throttled { retry_after }, None)
                }
                Err(Error::Webhook(refusal)) => (Verdict::MessageRefused { reason: refusal.to_string() }, None),
                Err(error) => (unreachable(error), None),
            };
            let (request, duration) = (self.0.request(event), timer.elapsed());
            Ok(AttemptOutcome { request, answer, duration, ..AttemptOutcome::without_call(verdict, began) })
        };
        Box::pin(async { Ok(Check::Send(Box::pin(send))) })
    }
}
