//! Slots of the calls of actions that are in flight in this process: callers wait for them, so they are bounded, and no
//! organisation takes the slots of all.
//!
//! Not here: the slots of deliveries (`worker`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::domain::{Error, Result, ids::OrganisationId};

/// Maximum number of calls in flight.
const MOST: usize = 64;
/// Maximum number of calls in flight of one organisation.
const MOST_OF_ONE: usize = 8;
/// Time after which a caller without a slot is asked to come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Slots of all organisations.
#[derive(Default)]
pub(super) struct Slots(Mutex<HashMap<OrganisationId, usize>>);

/// A slot in use; free again when it is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    organisation_id: OrganisationId,
}

impl Slots {
    /// Takes a slot.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where the organisation has as many as it may, [`Error::Unavailable`] where none is free.
    pub(super) fn take(self: &Arc<Self>, organisation_id: OrganisationId) -> Result<Slot> {
        let mut used = self.used();
        let own = used.get(&organisation_id).copied().unwrap_or_default();
        if own >= MOST_OF_ONE {
            return Err(Error::RateLimited { retry_after: RETRY_AFTER });
        }
        if used.values().sum::<usize>() >= MOST {
            return Err(Error::Unavailable { what: "a slot for another call of an action" });
        }
        used.insert(organisation_id, own + 1);
        Ok(Slot { slots: self.clone(), organisation_id })
    }

    fn used(&self) -> MutexGuard<'_, HashMap<OrganisationId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.used();
        let left = used.get(&self.organisation_id).map_or(0, |own| own.saturating_sub(1));
        match left {
            0 => used.remove(&self.organisation_id),
            left => used.insert(self.organisation_id, left),
        };
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn no_organisation_takes_the_slots_of_all() {
        let slots = Arc::new(Slots::default());
        let organisation = |number: usize| OrganisationId(Uuid::from_u128(number as u128));
        let mut taken: Vec<Slot> = (0..MOST_OF_ONE).map(|_| slots.take(organisation(0)).unwrap()).collect();
        assert!(matches!(slots.take(organisation(0)), Err(Error::RateLimited { .. })));
        for other in 1..MOST / MOST_OF_ONE {
            taken.extend((0..MOST_OF_ONE).map(|_| slots.take(organisation(other)).unwrap()));
        }
        assert!(matches!(slots.take(organisation(MOST)), Err(Error::Unavailable { .. })));
        drop(taken.pop());
        taken.push(slots.take(organisation(MOST)).unwrap());
        drop(taken);
        assert!(slots.used().is_empty(), "nothing is kept of those who are done");
    }
}
