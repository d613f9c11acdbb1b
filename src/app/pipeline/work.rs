//! Sender of internal deliveries: each is one call of a use case of this service, without an outbound request.
//!
//! Not here: the use cases.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::sender::{
    Check, NewDestination, Prepared, Sender, Session, not_on_request, sessions, unreachable, without_templates,
};
use crate::{
    app::kernel::Base,
    domain::{
        Error, Result,
        pipeline::{
            delivery::{AttemptOutcome, Content, Delivery, Outcome},
            destination::{Destination, DestinationKind},
            event::Event,
            template::Template,
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

    /// Works on a delivery, and returns the answer of the attempt.
    ///
    /// # Errors
    /// [`Error::Webhook`] where it is refused; every other error is retried.
    async fn run(&self, job: Job<'_>) -> Result<String>;

    /// Returns whether a route may send any event there.
    fn takes_any_event(&self) -> bool {
        false
    }

    /// As [`Sender::prepare`].
    ///
    /// # Errors
    /// [`Error::Invalid`].
    async fn prepare(&self, _wanted: &NewDestination) -> Result<Prepared> {
        Err(not_on_request(&self.kind()))
    }

    /// As [`Sender::content`].
    ///
    /// # Errors
    /// The reason, in words.
    fn content(&self, _template: &Template, _event: &Event) -> Result<Content, String> {
        Err(without_templates(&self.kind()))
    }
}

/// Delivery to be worked on.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The delivery.
    pub delivery: &'a Delivery,
    /// Its event.
    pub event: &'a Event,
    /// Address of its destination.
    pub address: &'a str,
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

    fn takes_any_event(&self) -> bool {
        self.0.takes_any_event()
    }

    fn prepare<'a>(&'a self, wanted: &'a NewDestination) -> BoxFuture<'a, Result<Prepared>> {
        self.0.prepare(wanted)
    }

    fn content(&self, template: &Template, event: &Event) -> Result<Content, String> {
        self.0.content(template, event)
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        sessions(destinations, |one| WorkSession { work: self.0.clone(), address: one.address.clone() })
    }
}

struct WorkSession<W> {
    work: Arc<W>,
    address: String,
}

impl<W: Work> Session for WorkSession<W> {
    fn check<'a>(&'a self, delivery: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let send = async move {
            let (began, timer) = (self.work.base().now(), Instant::now());
            let job = Job { delivery, event, address: &self.address };
            let (outcome, answer) = match self.work.run(job).await {
                Ok(answer) => (Outcome::Delivered, Some(answer)),
                Err(Error::UpstreamUnavailable { retry_after: Some(retry_after), .. }) => {
                    (Outcome::Throttled { retry_after }, None)
                }
                Err(Error::Webhook(refusal)) => (Outcome::MessageRefused { reason: refusal.to_string() }, None),
                Err(error) => (unreachable(error), None),
            };
            let (request, duration) = (self.work.request(event), timer.elapsed());
            Ok(AttemptOutcome { request, answer, duration, ..AttemptOutcome::without_call(outcome, began) })
        };
        Box::pin(async { Ok(Check::Send(Box::pin(send))) })
    }
}
