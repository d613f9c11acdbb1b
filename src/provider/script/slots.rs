//! Fair slots: a limit of concurrent runs in all, and one for each organisation.
//!
//! Not in it: the processes that run in the slots (`pool`).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::domain::ids::OrganisationId;

/// Runs that may wait for a slot: of one organisation, and in all. More are refused at once.
const WAITING_EACH: usize = 128;
const WAITING: usize = 2_048;

/// Limits of concurrent runs. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    most: usize,
    most_each: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    total: usize,
    running: HashMap<OrganisationId, usize>,
    waiting: VecDeque<(OrganisationId, oneshot::Sender<Slot>)>,
}

/// Permit to run one script, returned when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    organisation_id: OrganisationId,
    slots: Slots,
}

impl Slots {
    pub(super) fn new(most: usize, most_each: usize) -> Self {
        Self { most: most.max(1), most_each: most_each.clamp(1, most.max(1)), state: Arc::default() }
    }

    /// Claims a slot, and waits for one for a bounded time. None if there was none.
    pub(super) async fn claim(&self, organisation_id: OrganisationId, max_wait: Duration) -> Option<Slot> {
        let wait = {
            let mut state = self.lock();
            if self.is_free(&state, organisation_id) {
                state.take(organisation_id);
                return Some(Slot { organisation_id, slots: self.clone() });
            }
            state.drop_timed_out();
            let own = state.waiting.iter().filter(|(waiting, _)| *waiting == organisation_id).count();
            if own >= WAITING_EACH || state.waiting.len() >= WAITING {
                return None;
            }
            let (give, wait) = oneshot::channel();
            state.waiting.push_back((organisation_id, give));
            wait
        };
        timeout(max_wait, wait).await.ok()?.ok()
    }

    /// Returns the numbers of slots in use: of an organisation, and in all.
    #[cfg(test)]
    pub(super) fn in_use(&self, organisation_id: OrganisationId) -> (usize, usize) {
        let state = self.lock();
        (state.running.get(&organisation_id).copied().unwrap_or_default(), state.total)
    }

    fn is_free(&self, state: &State, organisation_id: OrganisationId) -> bool {
        let own = state.running.get(&organisation_id).copied().unwrap_or_default();
        state.total < self.most && own < self.most_each
    }

    /// Releases a slot, and hands it to a waiting run: of the organisations with the fewest slots, the one that waited
    /// longest.
    fn release(&self, organisation_id: OrganisationId) {
        let next = {
            let mut state = self.lock();
            state.give_back(organisation_id);
            state.drop_timed_out();
            let can = |(index, (id, _)): (usize, &(OrganisationId, _))| {
                let own = state.running.get(id).copied().unwrap_or_default();
                self.is_free(&state, *id).then_some((own, index))
            };
            let next = state.waiting.iter().enumerate().filter_map(can).min();
            next.and_then(|(_, index)| state.waiting.remove(index)).inspect(|(id, _)| state.take(*id))
        };
        if let Some((organisation_id, give)) = next {
            // A waiter that has just timed out drops it, and it goes to the next one.
            let _ = give.send(Slot { organisation_id, slots: self.clone() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_timed_out(&mut self) {
        self.waiting.retain(|(_, give)| !give.is_closed());
    }

    fn take(&mut self, organisation_id: OrganisationId) {
        self.total += 1;
        *self.running.entry(organisation_id).or_default() += 1;
    }

    fn give_back(&mut self, organisation_id: OrganisationId) {
        self.total = self.total.saturating_sub(1);
        if let Some(own) = self.running.get_mut(&organisation_id) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                self.running.remove(&organisation_id);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.release(self.organisation_id);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn id(n: u128) -> OrganisationId {
        OrganisationId(Uuid::from_u128(n))
    }

    /// Yields until this number of runs waits.
    async fn waiting(slots: &Slots, count: usize) {
        while slots.lock().waiting.len() < count {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn one_organisation_has_its_part_and_leaves_the_rest() {
        let slots = Slots::new(3, 2);
        let own = [slots.claim(id(1), LONG).await.unwrap(), slots.claim(id(1), LONG).await.unwrap()];
        assert!(slots.claim(id(1), Duration::ZERO).await.is_none(), "a third one is too much");
        let other = slots.claim(id(2), Duration::ZERO).await.unwrap();
        assert!(slots.claim(id(3), Duration::ZERO).await.is_none(), "all are taken");
        drop(own);
        assert_eq!(slots.in_use(id(1)), (0, 1));
        drop(other);
        assert_eq!(slots.in_use(id(2)), (0, 0));
    }

    #[tokio::test]
    async fn who_has_least_is_next() {
        let slots = Slots::new(2, 2);
        let (first, second) = (slots.claim(id(1), LONG).await.unwrap(), slots.claim(id(1), LONG).await.unwrap());
        let waiter = |n| {
            tokio::spawn({
                let slots = slots.clone();
                async move { slots.claim(id(n), LONG).await }
            })
        };
        let (again, other) = (waiter(1), waiter(2));
        waiting(&slots, 2).await;
        drop(first);
        let other = other.await.unwrap().unwrap();
        assert!(!again.is_finished(), "the other organisation has none and goes first");
        drop(second);
        assert!(again.await.unwrap().is_some());
        drop(other);
        assert_eq!(slots.in_use(id(2)), (0, 0));
    }

    #[tokio::test]
    async fn a_slot_that_nobody_waits_for_any_more_is_not_lost() {
        let slots = Slots::new(1, 1);
        let slot = slots.claim(id(1), LONG).await.unwrap();
        let (given_up, patient) = (
            tokio::spawn({
                let slots = slots.clone();
                async move { slots.claim(id(2), LONG).await.is_some() }
            }),
            tokio::spawn({
                let slots = slots.clone();
                async move { slots.claim(id(3), LONG).await.is_some() }
            }),
        );
        waiting(&slots, 2).await;
        given_up.abort();
        drop(slot);
        assert!(patient.await.unwrap());
        assert_eq!(slots.in_use(id(3)), (0, 0));
    }

    #[tokio::test]
    async fn the_queue_is_bounded() {
        let slots = Slots::new(1, 1);
        let _slot = slots.claim(id(1), LONG).await.unwrap();
        let all: Vec<_> = (0..WAITING_EACH)
            .map(|_| {
                tokio::spawn({
                    let slots = slots.clone();
                    async move { slots.claim(id(1), LONG).await }
                })
            })
            .collect();
        waiting(&slots, WAITING_EACH).await;
        let refused = timeout(LONG / 2, slots.claim(id(1), LONG)).await;
        assert!(refused.is_ok_and(|slot| slot.is_none()), "it is refused at once");
        all.iter().for_each(|one| one.abort());
        for one in all {
            assert!(one.await.is_err());
        }
        let mut state = slots.lock();
        state.drop_timed_out();
        assert!(state.waiting.is_empty());
    }
}
