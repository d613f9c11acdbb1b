//! Timer queue of a worker.
//!
//! Not here: the claims (`dispatcher`).

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::domain::ambient::Time;

/// Timer queue: times at which destinations of this process are due again, so that it need not ask the database. The poll
/// finds those that other processes accept or leave behind.
#[derive(Default)]
pub(super) struct TimerQueue {
    due: Mutex<BinaryHeap<Reverse<Time>>>,
    pub(super) changed: Notify,
}

impl TimerQueue {
    /// Adds the time at which a destination is due again.
    pub(super) fn add(&self, due_again: Option<Time>) {
        if let Some(due) = due_again {
            self.lock().push(Reverse(due));
            self.changed.notify_one();
        }
    }

    /// Removes the times up to `now`: a claim takes their destinations.
    pub(super) fn pass(&self, now: Time) {
        let mut due = self.lock();
        while due.peek().is_some_and(|Reverse(time)| *time <= now) {
            due.pop();
        }
    }

    /// Returns the wait from `now` until the next time, and at most `poll`.
    pub(super) fn rest(&self, now: Time, poll: Duration) -> Duration {
        let next = self.lock().peek().map(|Reverse(time)| (*time - now).to_std().unwrap_or_default());
        next.unwrap_or(poll).min(poll)
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Time>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_ends_with_the_next_time_or_the_poll() {
        let at = |millis| Time::from_timestamp_millis(millis).unwrap();
        let (timers, poll) = (TimerQueue::default(), Duration::from_millis(200));
        assert_eq!(timers.rest(at(0), poll), poll);
        timers.add(Some(at(150)));
        timers.add(Some(at(50)));
        timers.add(Some(at(9000)));
        assert_eq!(timers.rest(at(0), poll), Duration::from_millis(50));
        timers.pass(at(60));
        assert_eq!(timers.rest(at(60), poll), Duration::from_millis(90));
        timers.pass(at(150));
        assert_eq!(timers.rest(at(150), poll), poll, "the last one is far away");
    }
}
