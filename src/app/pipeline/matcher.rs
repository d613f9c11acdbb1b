//! Seam between intake and the rules of the rooms: one [`Matcher`] for each kind of rule, registered by the composition
//! root.
//!
//! Not here: the deliveries that come out of decisions (`outbox`).

use std::borrow::Cow;

use futures_util::future::BoxFuture;

use crate::{
    domain::{
        Result,
        ids::{DestinationId, OrganisationId, RouteId},
        pipeline::{
            delivery::Content,
            destination::{Destination, DestinationKind},
            event::Event,
        },
    },
    store::Reads,
};

/// Kind of rule.
pub trait Matcher: Send + Sync {
    /// Loads the rules that concern some of these events, with the connection that accepts them.
    ///
    /// # Errors
    /// When the database fails.
    fn load<'a>(&'a self, reads: Reads<'a>, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>>;
}

/// Loaded rules. Pure: they decide on events, and look nothing up.
pub trait Rules: Send {
    /// Returns a decision for each rule that concerns an event.
    fn decide(&self, event: &Event) -> Vec<Decision>;
}

/// Decision of a rule on an event.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Destination of the delivery.
    pub to: Target,
    /// State in which the delivery begins.
    pub ruling: Ruling,
    /// Content of the delivery; the sender makes it from the event where there is none. A skipped one keeps it for a
    /// replay.
    pub content: Option<Content>,
    /// Route that decided, if it was one.
    pub route_id: Option<RouteId>,
}

impl Decision {
    /// Creates the decision to deliver an event to a place.
    pub fn deliver(place: Place) -> Self {
        Self { to: Target::Place(place), ruling: Ruling::Deliver, content: None, route_id: None }
    }
}

/// Destination of a decision.
#[derive(Clone, Debug)]
pub enum Target {
    /// A destination that exists.
    Known(Destination),
    /// The same by its id; nothing is delivered where it does not exist any more.
    Id(DestinationId),
    /// A destination that is created where it does not exist.
    Place(Place),
}

/// Kind, name and address of a destination.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its kind.
    pub kind: DestinationKind,
    /// Its name, unique within the organisation and kind.
    pub name: String,
    /// Its address.
    pub address: String,
}

/// State in which a delivery begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is sent.
    Deliver,
    /// A rule skips it, with the reason.
    Skip(Cow<'static, str>),
    /// It cannot be sent, with the reason.
    Fail(Cow<'static, str>),
}

/// Rules that concern nothing.
pub struct NoRules;

impl Rules for NoRules {
    fn decide(&self, _: &Event) -> Vec<Decision> {
        Vec::new()
    }
}

/// Returns the organisations of some events, each once, in their order.
pub(in crate::app) fn organisations<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<OrganisationId> {
    let mut ids: Vec<OrganisationId> = events.map(|event| event.organisation_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
