//! Deliveries that this process accepts for a destination while it serves it: they are sent as they are, not loaded, for as
//! long as they follow what was loaded.
//!
//! Those that do not follow, or find no room, are left out: the release of the destination sees that its queue is longer. Not
//! here: destinations that wait for nothing else (`takeover`).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{domain::ids::DestinationId, store::pipeline::deliveries::Due};

/// Maximum number of deliveries that wait for one destination.
pub(super) const MOST: usize = 128;

/// Inboxes of the destinations that are served.
#[derive(Default)]
pub(super) struct Inboxes(Mutex<HashMap<DestinationId, Inbox>>);

struct Inbox {
    /// Position of the next delivery.
    next: i64,
    due: VecDeque<Due>,
}

/// Inbox of a destination until this is dropped.
pub(super) struct Open<'a> {
    inboxes: &'a Inboxes,
    id: DestinationId,
}

impl Inboxes {
    /// Opens the inbox of a destination whose queue is loaded up to a position.
    pub(super) fn open(&self, id: DestinationId, reached: i64) -> Open<'_> {
        self.lock().insert(id, Inbox { next: reached + 1, due: VecDeque::new() });
        Open { inboxes: self, id }
    }

    /// Returns true if the destination is served.
    pub(super) fn is_open(&self, id: DestinationId) -> bool {
        self.lock().contains_key(&id)
    }

    /// Adds deliveries of one destination, which follow one another.
    pub(super) fn put(&self, due: Vec<Due>) {
        let Some(first) = due.first().map(|due| &due.delivery) else { return };
        let mut inboxes = self.lock();
        let Some(inbox) = inboxes.get_mut(&first.destination_id) else { return };
        if first.seq == Some(inbox.next) && inbox.due.len() + due.len() <= MOST {
            inbox.next += i64::try_from(due.len()).unwrap_or(i64::MAX);
            inbox.due.extend(due);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DestinationId, Inbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open<'_> {
    /// Takes the deliveries that follow a position.
    pub(super) fn take(&self, reached: i64) -> Vec<Due> {
        let mut inboxes = self.inboxes.lock();
        let Some(inbox) = inboxes.get_mut(&self.id) else { return Vec::new() };
        let mut due = std::mem::take(&mut inbox.due);
        due.retain(|due| due.delivery.seq > Some(reached));
        if due.front().is_none_or(|first| first.delivery.seq != Some(reached + 1)) {
            due.clear();
            inbox.next = reached + 1;
        }
        due.into()
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.inboxes.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::pipeline::deliveries::sample;

    fn due(positions: impl IntoIterator<Item = i64>) -> Vec<Due> {
        positions.into_iter().map(sample).collect()
    }

    fn taken(open: &Open<'_>, reached: i64) -> Vec<i64> {
        open.take(reached).iter().filter_map(|due| due.delivery.seq).collect()
    }

    #[test]
    fn what_follows_is_taken() {
        let (inboxes, id) = (Inboxes::default(), sample(1).delivery.destination_id);
        inboxes.put(due(1..3));
        assert!(!inboxes.is_open(id));
        let open = inboxes.open(id, 2);
        assert!(inboxes.is_open(id));
        inboxes.put(due(3..5));
        inboxes.put(due(5..6));
        assert_eq!(taken(&open, 2), [3, 4, 5]);
        inboxes.put(due(6..8));
        assert_eq!(taken(&open, 5), [6, 7]);
        assert_eq!(taken(&open, 7), [0; 0]);
        drop(open);
        assert!(!inboxes.is_open(id));
    }

    #[test]
    fn after_what_was_left_out_nothing_follows_until_it_is_loaded() {
        let (inboxes, id) = (Inboxes::default(), sample(1).delivery.destination_id);
        let open = inboxes.open(id, 0);
        inboxes.put(due(2..3));
        assert_eq!(taken(&open, 0), [0; 0], "the first one was accepted elsewhere");
        inboxes.put(due(1..100));
        inboxes.put(due(100..140));
        inboxes.put(due(140..141));
        assert_eq!(taken(&open, 0).len(), 99, "there was no room for the others");
        inboxes.put(due(141..142));
        assert_eq!(taken(&open, 99), [0; 0]);
        // They were loaded.
        assert_eq!(taken(&open, 141), [0; 0]);
        inboxes.put(due(142..143));
        inboxes.put(due(143..144));
        assert_eq!(taken(&open, 142), [143], "one of them was loaded as well");
    }
}
