//! Hand-over in memory: where this process dispatches itself, it takes the lease of a destination in the transaction that
//! accepts deliveries for it, and serves them as they are. No claim, no second read and no second parse are needed.
//!
//! Only a destination that waits for nothing else is handed over: its deliveries leave in their order. One that the
//! dispatcher serves already gets them in addition. Every other one is woken, and claimed by whichever process has room.
//! Not here: the claim, and the serving (`worker`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{
    domain::{
        ids::{DestinationId, EventId, OrganisationId},
        pipeline::{
            delivery::{Delivery, DeliveryState},
            event::Event,
        },
    },
    store::pipeline::{
        deliveries::Due,
        destinations::{Claimed, Offer},
    },
};

/// Dispatcher of this process.
pub trait LocalDispatcher: Send + Sync {
    /// Reserves slots for destinations: one for each that may have it at once. `None` where none may.
    fn reserve(&self, wanted: &[(OrganisationId, DestinationId)]) -> Option<Box<dyn Reservation>>;
}

/// Slots of a dispatcher until the transaction has ended; free again when it is dropped.
pub trait Reservation: Send {
    /// Returns the lease that the dispatcher asks for, and the destinations.
    fn offer(&self) -> &Offer;

    /// Returns true if the dispatcher serves a destination.
    fn is_served(&self, id: DestinationId) -> bool;

    /// Takes over what was appended, after the commit.
    fn take_over(self: Box<Self>, appended: Appended);
}

/// Pending deliveries for the dispatcher.
pub struct Appended {
    /// Those of destinations that are under its lease from now on.
    pub leased: Vec<Handed>,
    /// Those of destinations that it serves, of one destination each, in their order.
    pub served: Vec<Vec<Due>>,
}

/// Destination under the lease of the dispatcher, with all of its pending deliveries.
pub struct Handed {
    /// The destination.
    pub claimed: Claimed,
    /// Its deliveries, in their order.
    pub due: Vec<Due>,
}

/// Dispatcher of this process while it runs. Cheap to clone.
#[derive(Clone, Default)]
pub struct Handover(Arc<Mutex<Option<Weak<dyn LocalDispatcher>>>>);

impl Handover {
    /// Hands over to this dispatcher from now on, for as long as it lives.
    pub fn begin(&self, dispatcher: &Arc<impl LocalDispatcher + 'static>) {
        let weak: Weak<dyn LocalDispatcher> = Arc::<_>::downgrade(dispatcher) as _;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(weak);
    }

    /// Reserves slots for the destinations of the pending ones among some deliveries.
    pub(super) fn reserve(&self, deliveries: &[Delivery]) -> Option<Box<dyn Reservation>> {
        let registered = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let dispatcher = registered?.upgrade()?;
        let pending = deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Pending);
        let mut wanted: Vec<_> = pending.map(|one| (one.organisation_id, one.destination_id)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() { None } else { dispatcher.reserve(&wanted) }
    }
}

/// Returns the pending deliveries of these events that a dispatcher takes over, with the destinations that were leased.
pub(super) fn appended(
    reservation: &dyn Reservation,
    leased: Vec<Claimed>,
    deliveries: Vec<Delivery>,
    events: &[Event],
) -> Appended {
    let events: HashMap<EventId, &Event> = events.iter().map(|event| (event.id, event)).collect();
    let mut handed: HashMap<DestinationId, Handed> =
        leased.into_iter().map(|claimed| (claimed.destination.id, Handed { claimed, due: Vec::new() })).collect();
    let mut served: HashMap<DestinationId, Vec<Due>> = HashMap::new();
    for delivery in deliveries.into_iter().filter(|one| one.state == DeliveryState::Pending) {
        let (id, event) = (delivery.destination_id, events.get(&delivery.event_id));
        let due = match handed.get_mut(&id) {
            Some(to) => &mut to.due,
            None if served.contains_key(&id) || reservation.is_served(id) => served.entry(id).or_default(),
            None => continue,
        };
        due.extend(event.map(|event| Due { event: Event::clone(event), delivery }));
    }
    Appended { leased: handed.into_values().collect(), served: served.into_values().collect() }
}
