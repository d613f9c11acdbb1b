//! Takes over what this process has just accepted (`app::pipeline::handover`): slots before the commit, service after it.
//!
//! Not here: the claim of every other destination (`dispatcher`).

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use tokio_util::task::TaskTracker;

use super::{dispatcher::Dispatcher, inboxes, serving::Work, slots::Slot, timers::TimerQueue};
use crate::{
    app::pipeline::handover::{Appended, Handed, LocalDispatcher, Reservation},
    domain::{
        Result,
        ids::{DestinationId, OrganisationId},
    },
    store::pipeline::{deliveries::Loaded, destinations::Offer},
};

/// A dispatcher while it runs.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) timers: Arc<TimerQueue>,
    pub(super) in_flight: TaskTracker,
}

struct Reserved {
    running: Running,
    offer: Offer,
    slots: HashMap<DestinationId, Slot>,
}

impl Running {
    /// Serves leased destinations, each by itself.
    pub(super) fn serve_all(&self, opened: Result<Vec<Work>>) {
        let opened = opened.unwrap_or_else(|error| {
            tracing::error!(%error, "due deliveries could not be loaded; their leases end by themselves");
            Vec::new()
        });
        for work in opened {
            let (dispatcher, timers) = (self.dispatcher.clone(), self.timers.clone());
            self.in_flight.spawn(async move { timers.add(dispatcher.serve(work).await) });
        }
    }
}

impl LocalDispatcher for Running {
    fn reserve(&self, wanted: &[(OrganisationId, DestinationId)]) -> Option<Box<dyn Reservation>> {
        let Dispatcher { slots, stopping, base, .. } = &*self.dispatcher;
        if stopping.load(Ordering::Relaxed) {
            return None;
        }
        let slot = |(organisation, id): &(OrganisationId, DestinationId)| Some((*id, slots.extra(*organisation)?));
        let slots: HashMap<DestinationId, Slot> = wanted.iter().filter_map(slot).collect();
        if slots.is_empty() {
            return None;
        }
        let (lease, destinations) = (self.dispatcher.lease(base.ambient().now()), slots.keys().copied().collect());
        Some(Box::new(Reserved { running: self.clone(), offer: Offer { lease, destinations }, slots }))
    }
}

impl Reservation for Reserved {
    fn offer(&self) -> &Offer {
        &self.offer
    }

    fn is_served(&self, id: DestinationId) -> bool {
        self.running.dispatcher.inboxes.is_open(id)
    }

    fn take_over(self: Box<Self>, Appended { leased, served }: Appended) {
        let Self { running, mut slots, .. } = *self;
        for due in served {
            running.dispatcher.inboxes.put(due);
        }
        if leased.is_empty() {
            return;
        }
        let with_slot = |Handed { claimed, mut due }: Handed| {
            due.truncate(inboxes::MOST);
            let reached = due.last().and_then(|due| due.delivery.seq)?;
            let slot = slots.remove(&claimed.destination.id)?;
            Some((claimed, slot, Loaded { due, reached, more: false }))
        };
        let handed: Vec<_> = leased.into_iter().filter_map(with_slot).collect();
        running.dispatcher.base.metrics().handed_over(handed.iter().map(|(.., loaded)| loaded.due.len()).sum());
        let in_flight = running.in_flight.clone();
        in_flight.spawn(async move {
            let opened = running.dispatcher.open(handed).await;
            running.serve_all(opened);
        });
    }
}
