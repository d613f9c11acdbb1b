//! Slots of the deliveries in flight, bounded for each organisation and for the slow class. Not here: the choice among the
//! due destinations, which is the claim's (`store::pipeline::destinations::claim`).
//!
//! The bounds count in this process. A slot is a resource of a process, and a count over all of them would cost every claim
//! a look at all leases; with several processes an organisation has its bound in each, as it has its share of each.
//!
//! An organisation may have no more in flight than its bound, and no more than half of the slots that are free: the
//! more are in use, the fewer any organisation adds. The last eighth of the slots is for organisations that have none
//! in flight, one each. So an organisation that behaves well gets a slot at once beside dozens of others that take all
//! that they can.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::{
    app::kernel::metrics::Metrics,
    domain::ids::OrganisationId,
    store::pipeline::destinations::{Busy, Claimed, Room},
};

/// Share of all slots that is reserved for organisations that have none in flight: one in so many.
const KEPT: usize = 8;
/// Time between two log lines about organisations at their bound.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// Bounds of the deliveries in flight.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bound of all.
    pub all: usize,
    /// Bound of one organisation.
    pub per_organisation: usize,
    /// Bound of the slow class.
    pub slow: usize,
}

/// Every slot of a worker.
pub(super) struct Slots {
    limits: Limits,
    state: Mutex<State>,
    /// Wake-up signal for a free slot that a claim may wait for.
    pub(super) freed: Notify,
    metrics: Metrics,
}

#[derive(Default)]
struct State {
    used: HashMap<OrganisationId, Used>,
    all: Used,
    /// Number of claims under way: until they have their slots, no other request takes one.
    claims: usize,
    /// True if the last claim reached a bound: it may have left due destinations, which wait for a slot.
    bounded: bool,
    last_line: Option<Instant>,
}

#[derive(Clone, Copy, Default)]
struct Used {
    in_flight: usize,
    slow: usize,
}

/// A slot in use; free again when it is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    organisation_id: OrganisationId,
    slow: bool,
}

/// Room that a claim may fill; while it lives, slots are taken through it alone.
pub(super) struct Reserved {
    slots: Arc<Slots>,
    /// Room of the claim.
    pub(super) room: Room,
}

impl Slots {
    pub(super) fn new(limits: Limits, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default(), freed: Notify::new(), metrics })
    }

    /// Number of free slots.
    pub(super) fn free(&self) -> usize {
        self.limits.free(&self.lock())
    }

    /// Reserves room for a claim of up to `most` destinations.
    pub(super) fn reserve(self: &Arc<Self>, most: usize) -> Reserved {
        let mut state = self.lock();
        state.claims += 1;
        let (free, slow_free) = (self.limits.free(&state), self.limits.slow_free(&state));
        let busy = state.used.iter().map(|(&organisation_id, &Used { in_flight, slow })| Busy {
            organisation_id,
            in_flight,
            slow,
        });
        let room = Room {
            limit: free.min(most),
            slow_limit: slow_free.min(most),
            ceiling: self.limits.ceiling(free),
            slow_ceiling: half(slow_free),
            busy: busy.collect(),
        };
        self.log_bounded(&mut state, &room);
        drop(state);
        Reserved { slots: Arc::clone(self), room }
    }

    /// Returns true if the organisation could have another slot: it keeps none from others.
    pub(super) fn has_room(&self, organisation_id: OrganisationId) -> bool {
        let state = self.lock();
        !state.bounded && self.limits.admit(&state, organisation_id)
    }

    /// Takes a further slot of the normal class, where one may be had at once.
    pub(super) fn extra(self: &Arc<Self>, organisation_id: OrganisationId) -> Option<Slot> {
        let mut state = self.lock();
        if state.claims > 0 || !self.limits.admit(&state, organisation_id) {
            return None;
        }
        Some(self.take(&mut state, organisation_id, false))
    }

    fn take(self: &Arc<Self>, state: &mut State, organisation_id: OrganisationId, slow: bool) -> Slot {
        state.used.entry(organisation_id).or_default().add(slow);
        state.all.add(slow);
        self.show(state);
        Slot { slots: Arc::clone(self), organisation_id, slow }
    }

    fn give_back(&self, slot: &Slot) {
        let mut state = self.lock();
        // A claim under way has counted this slot as used.
        let others_wait = state.bounded || state.claims > 0 || self.limits.free(&state) == 0;
        let Some(used) = state.used.get_mut(&slot.organisation_id) else { return };
        used.remove(slot.slow);
        if used.in_flight == 0 {
            state.used.remove(&slot.organisation_id);
        }
        state.all.remove(slot.slow);
        self.show(&state);
        drop(state);
        if others_wait {
            self.freed.notify_one();
        }
    }

    fn show(&self, state: &State) {
        self.metrics.in_flight(state.all.in_flight - state.all.slow, state.all.slow);
    }

    fn log_bounded(&self, state: &mut State, room: &Room) {
        let bounded = room.busy.iter().filter(|one| one.in_flight >= room.ceiling);
        let Some(most) = bounded.max_by_key(|one| one.in_flight) else { return };
        if state.last_line.is_some_and(|last| last.elapsed() < BETWEEN_LINES) {
            return;
        }
        state.last_line = Some(Instant::now());
        tracing::warn!(
            organisation = %most.organisation_id,
            in_flight = most.in_flight,
            slow = most.slow,
            bound = room.ceiling,
            "an organisation is at its bound of deliveries in flight; its other deliveries wait for a slot"
        );
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits {
    fn free(&self, state: &State) -> usize {
        self.all.saturating_sub(state.all.in_flight)
    }

    fn slow_free(&self, state: &State) -> usize {
        self.slow.saturating_sub(state.all.slow).min(self.free(state))
    }

    /// Returns true if an organisation may have one more slot.
    fn admit(&self, state: &State, organisation_id: OrganisationId) -> bool {
        let free = self.free(state);
        let in_flight = state.used.get(&organisation_id).map_or(0, |used| used.in_flight);
        free > 0 && in_flight < self.ceiling(free)
    }

    /// Returns the maximum that one organisation may have in flight while so many slots are free.
    fn ceiling(&self, free: usize) -> usize {
        half(free.saturating_sub(self.all / KEPT)).min(self.per_organisation)
    }
}

/// Returns half of the free slots, and at least one: for an organisation that has none.
fn half(free: usize) -> usize {
    (free / 2).max(1)
}

impl Used {
    fn add(&mut self, slow: bool) {
        self.in_flight += 1;
        self.slow += usize::from(slow);
    }

    fn remove(&mut self, slow: bool) {
        self.in_flight -= 1;
        self.slow -= usize::from(slow);
    }
}

impl Reserved {
    /// Notes what was claimed. Returns whether it reached a bound, in all or for one organisation: more may be due.
    pub(super) fn note(&self, claimed: &[Claimed]) -> bool {
        let room = &self.room;
        let mut used: HashMap<OrganisationId, Used> = HashMap::with_capacity(room.busy.len());
        for Busy { organisation_id, in_flight, slow } in &room.busy {
            used.insert(*organisation_id, Used { in_flight: *in_flight, slow: *slow });
        }
        for one in claimed {
            used.entry(one.destination.organisation_id).or_default().add(one.slow);
        }
        let slow = claimed.iter().filter(|one| one.slow).count();
        let full = |one: &Used| one.in_flight >= room.ceiling || one.slow > 0 && one.slow >= room.slow_ceiling;
        let bounded = claimed.len() >= room.limit || slow >= room.slow_limit || used.values().any(full);
        self.slots.lock().bounded = bounded;
        bounded
    }

    /// Takes the slot of a destination that was claimed within the room.
    pub(super) fn take(&self, organisation_id: OrganisationId, slow: bool) -> Slot {
        self.slots.take(&mut self.slots.lock(), organisation_id, slow)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.slots.lock().claims -= 1;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.give_back(self);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn organisation(number: u128) -> OrganisationId {
        OrganisationId(Uuid::from_u128(number))
    }

    /// Lets an organisation take all that it gets.
    fn flood(slots: &Arc<Slots>, number: u128) -> Vec<Slot> {
        std::iter::from_fn(|| slots.extra(organisation(number))).collect()
    }

    #[test]
    fn while_forty_flood_the_next_one_finds_a_slot() {
        let slots = Slots::new(Limits { all: 256, per_organisation: 64, slow: 64 }, Metrics::default());
        let mut taken = vec![flood(&slots, 1)];
        assert_eq!(taken[0].len(), 64, "the bound of one");
        for number in 2..=40 {
            taken.push(flood(&slots, number));
            assert!(!taken[taken.len() - 1].is_empty(), "{number} gets nothing");
        }
        assert!(slots.free() > 0);
        assert!(slots.extra(organisation(1000)).is_some());
    }

    #[test]
    fn a_claim_has_its_room_for_itself() {
        let slots = Slots::new(Limits { all: 8, per_organisation: 8, slow: 4 }, Metrics::default());
        let reserved = slots.reserve(64);
        assert_eq!((reserved.room.limit, reserved.room.slow_limit, reserved.room.slow_ceiling), (8, 4, 2));
        assert!(slots.extra(organisation(1)).is_none(), "a claim is under way");
        let slow = reserved.take(organisation(1), true);
        drop(reserved);
        let room = slots.reserve(64).room.clone();
        assert_eq!((room.limit, room.slow_limit, room.slow_ceiling), (7, 3, 1));
        assert_eq!(room.busy, [Busy { organisation_id: organisation(1), in_flight: 1, slow: 1 }]);
        drop(slow);
        assert_eq!((slots.free(), slots.reserve(64).room.busy.len()), (8, 0));
    }

    #[tokio::test]
    async fn a_slot_is_missed_by_what_a_bounded_claim_left_behind() {
        let slots = Slots::new(Limits { all: 100, per_organisation: 2, slow: 10 }, Metrics::default());
        let is_missed = async || tokio::time::timeout(Duration::ZERO, slots.freed.notified()).await.is_ok();
        let mut taken = flood(&slots, 1);
        taken.push(slots.extra(organisation(2)).unwrap());
        assert!(slots.reserve(64).note(&[]), "the first organisation is at its bound");
        taken.pop();
        assert!(is_missed().await, "also that of another: the more are free, the more any may have");
        taken.pop();
        assert!(is_missed().await);
        assert!(!slots.reserve(64).note(&[]), "nobody is at a bound");
        taken.push(slots.extra(organisation(2)).unwrap());
        taken.pop();
        assert!(!is_missed().await);
        let reserved = slots.reserve(64);
        taken.pop();
        assert!(is_missed().await, "the claim under way has counted it as used");
        drop(reserved);
    }
}
