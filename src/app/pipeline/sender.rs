//! Seam between the dispatcher and the kinds of destination: one [`Sender`] for each kind, registered by the composition
//! root.
//!
//! Not here: order, rate, retries and records of deliveries (`worker`).

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Weak},
};

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::matcher::Place;
use crate::domain::{
    Error, Result,
    ids::{DestinationId, OrganisationId},
    pipeline::{
        delivery::{AttemptOutcome, Content, Delivery, DeliveryState, Outcome},
        destination::{Destination, DestinationKind},
        event::Event,
        template::Template,
    },
    rate_limit::RateLimit,
};

/// Reason of an attempt that failed by an internal error.
const INTERNAL: &str = "something went wrong on our side; the log says what";

/// Kind of destination: how its deliveries are sent.
pub trait Sender: Send + Sync {
    /// Kind of the destinations that it serves.
    fn kind(&self) -> DestinationKind;

    /// Returns whether the deliveries of a destination leave in their order, one at a time. Otherwise several leave at
    /// once, and one that waits for its retry holds up no other.
    fn keeps_order(&self) -> bool {
        true
    }

    /// Returns the rate limit of each destination.
    fn rate_limit(&self) -> RateLimit {
        RateLimit::NONE
    }

    /// Returns whether a route may send any event there: the sender makes the content from the event.
    fn takes_any_event(&self) -> bool {
        false
    }

    /// Prepares a destination that a member asks for: checks its address and its settings, and looks them up where the
    /// kind can. No transaction is open.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers into the request, and where destinations of the kind are not made on request.
    fn prepare<'a>(&'a self, _wanted: &'a NewDestination) -> BoxFuture<'a, Result<Prepared>> {
        Box::pin(async { Err(not_on_request(&self.kind())) })
    }

    /// Prepares a change of a destination: another address, and settings of which those that are absent stay. No
    /// transaction is open.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers into the request, and where destinations of the kind have no settings.
    fn change<'a>(
        &'a self,
        _former: &'a Destination,
        _address: Option<String>,
        _options: Value,
    ) -> BoxFuture<'a, Result<Prepared>> {
        let message = format!("destinations of the kind {} have no settings; create another", self.kind().as_str());
        Box::pin(async { Err(Error::invalid("", message)) })
    }

    /// Returns the content of a delivery by the template of a route.
    ///
    /// # Errors
    /// The reason for which there is none, in words: the template cannot be rendered for this event, or does not give
    /// what the kind can send.
    fn content(&self, _template: &Template, _event: &Event) -> Result<Content, String> {
        Err(without_templates(&self.kind()))
    }

    /// Returns the content of a delivery that a member has sent again.
    ///
    /// # Errors
    /// [`Error::Internal`] where the content is of another kind.
    fn replayed(&self, content: Content) -> Result<Content> {
        Ok(content)
    }

    /// Opens a session for each destination of a claim, in their order.
    ///
    /// # Errors
    /// When the database fails.
    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>>;
}

/// Destination that a member asks for.
#[derive(Clone, Debug)]
pub struct NewDestination {
    /// Its identifier, if it is created.
    pub id: DestinationId,
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Name that the member gave it, if any.
    pub name: Option<String>,
    /// Address.
    pub address: String,
    /// Settings of the kind, as the request has them; an object.
    pub options: Value,
}

impl NewDestination {
    /// Fails where the request has settings: the kind has none.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the first of them.
    pub fn without_options(&self) -> Result<()> {
        match self.options.as_object().and_then(|options| options.keys().next()) {
            None => Ok(()),
            Some(name) => Err(Error::invalid(format!("/{name}"), "is for destinations of the kind webhook")),
        }
    }
}

/// Checked destination.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Kind, name and address.
    pub place: Place,
    /// Settings, as the kind keeps them.
    pub settings: Option<Content>,
    /// True if the upstream did not answer when it was asked for the address.
    pub unconfirmed: bool,
}

impl From<Place> for Prepared {
    fn from(place: Place) -> Self {
        Self { place, settings: None, unconfirmed: false }
    }
}

/// One destination while a worker holds its lease.
pub trait Session: Send + Sync {
    /// Checks that a delivery may still be sent: the configuration may have changed since its event was accepted.
    ///
    /// # Errors
    /// When the database fails; the delivery is checked again later.
    fn check<'a>(&'a self, delivery: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>>;

    /// Returns the rate limit of this destination, where it has one of its own.
    fn rate_limit(&self) -> Option<RateLimit> {
        None
    }

    /// Acts on the outcome of an attempt, beyond the record of the delivery and the health of the destination.
    fn on_outcome<'a>(&'a self, _verdict: &'a Outcome) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

/// Result of the check of a delivery.
pub enum Check<'a> {
    /// Ended without an attempt.
    Skip(Skip),
    /// Sent by awaiting this. An error means that nothing is known of the attempt, which is retried later.
    Send(BoxFuture<'a, Result<AttemptOutcome>>),
}

/// End of a delivery without an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// State in which it ends.
    pub state: DeliveryState,
    /// Reason, in words, with the cure.
    pub reason: Cow<'static, str>,
}

impl Skip {
    /// Creates the end of a delivery that a rule skips.
    pub fn skipped(reason: &'static str) -> Self {
        Self { state: DeliveryState::Skipped, reason: reason.into() }
    }

    /// Creates the end of a delivery that cannot be sent.
    pub fn failed(reason: &'static str) -> Self {
        Self { state: DeliveryState::Failed, reason: reason.into() }
    }
}

/// Refuses to make a destination of a kind that rooms make.
pub(super) fn not_on_request(kind: &DestinationKind) -> Error {
    Error::invalid("/kind", format!("destinations of the kind {} are not made on request", kind.as_str()))
}

/// Returns the reason for which a kind has no content by a template.
pub(super) fn without_templates(kind: &DestinationKind) -> String {
    format!("destinations of the kind {} have no templates", kind.as_str())
}

/// Opens sessions that need nothing loaded.
pub(in crate::app) fn sessions<'a, S: Session + 'static>(
    destinations: &[&Destination],
    session: impl Fn(&Destination) -> S,
) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
    let opened: Vec<Box<dyn Session>> =
        destinations.iter().map(|destination| Box::new(session(destination)) as Box<dyn Session>).collect();
    Box::pin(async { Ok(opened) })
}

/// Senders of a process, by kind.
#[derive(Clone)]
pub struct Senders(Arc<HashMap<String, Arc<dyn Sender>>>);

/// The same without keeping it alive: for what the senders themselves stand on.
pub struct WeakSenders(Weak<HashMap<String, Arc<dyn Sender>>>);

impl WeakSenders {
    /// Returns the senders while the process has them.
    pub fn upgrade(&self) -> Option<Senders> {
        self.0.upgrade().map(Senders)
    }
}

impl Senders {
    /// Returns a reference that does not keep the senders alive.
    pub fn downgrade(&self) -> WeakSenders {
        WeakSenders(Arc::downgrade(&self.0))
    }

    /// Creates the list.
    pub fn new(senders: impl IntoIterator<Item = Arc<dyn Sender>>) -> Self {
        Self(Arc::new(senders.into_iter().map(|sender| (sender.kind().as_str().to_owned(), sender)).collect()))
    }

    /// Lists the kinds to which a route may send any event.
    pub fn routable(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> =
            self.0.iter().filter(|(_, sender)| sender.takes_any_event()).map(|(kind, _)| kind.as_str()).collect();
        kinds.sort_unstable();
        kinds
    }

    /// Fails where a kind has no sender.
    ///
    /// # Errors
    /// [`Error::Internal`] with the kinds.
    pub fn require(&self, kinds: &[DestinationKind]) -> Result<()> {
        let missing: Vec<&str> =
            kinds.iter().map(DestinationKind::as_str).filter(|kind| !self.0.contains_key(*kind)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(", ");
        Err(Error::Internal(format!(
            "the database has destinations of a kind that this version cannot send to ({missing}); start the version \
             that wrote them, or a later one"
        )))
    }

    /// Returns the content of a delivery to a destination of a kind, by the template of a route.
    ///
    /// # Errors
    /// As [`Sender::content`].
    pub fn content(&self, kind: &DestinationKind, template: &Template, event: &Event) -> Result<Content, String> {
        let sender = self.of(kind).map_err(|error| error.to_string())?;
        sender.content(template, event)
    }

    /// Returns the sender of a kind.
    ///
    /// # Errors
    /// [`Error::Internal`] for a kind without a sender.
    pub fn of(&self, kind: &DestinationKind) -> Result<&Arc<dyn Sender>> {
        let sender = self.0.get(kind.as_str());
        sender.ok_or_else(|| Error::Internal(format!("no sender serves destinations of the kind {:?}", kind.as_str())))
    }
}

/// Classifies an error that says nothing of the delivery itself.
pub(in crate::app) fn unreachable(error: Error) -> Outcome {
    match error {
        Error::Internal(cause) => {
            tracing::error!(cause, "an attempt failed for an internal error");
            Outcome::Unreachable { reason: INTERNAL.into() }
        }
        error => Outcome::Unreachable { reason: error.to_string().into() },
    }
}
