//! Warm processes: each waits for the next script of the one organisation whose scripts it has run.
//!
//! Not in it: the limit of concurrent runs (`slots`).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::process::Process;
use crate::domain::ids::OrganisationId;

/// Waiting processes, the one that has waited longest first.
#[derive(Debug)]
pub(super) struct Pool {
    most: usize,
    idle_limit: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    is_watched: bool,
}

#[derive(Debug)]
struct Waiting {
    organisation_id: OrganisationId,
    since: Instant,
    process: Process,
}

impl Pool {
    pub(super) fn new(most: usize, idle_limit: Duration) -> Self {
        Self { most, idle_limit, state: Mutex::default() }
    }

    /// Takes a process of this organisation, if one waits: the one that waited shortest.
    pub(super) fn take(&self, organisation_id: OrganisationId) -> Option<Process> {
        let mut state = self.lock();
        loop {
            let index = state.waiting.iter().rposition(|waiting| waiting.organisation_id == organisation_id)?;
            let mut found = state.waiting.remove(index)?;
            // It may have been killed while it waited.
            if found.process.is_good() {
                return Some(found.process);
            }
        }
    }

    /// Returns a process to the pool for the next script of its organisation. Where there are too many, the one that
    /// waited longest ends.
    pub(super) fn keep(self: &Arc<Self>, organisation_id: OrganisationId, mut process: Process) {
        if !process.is_good() {
            return;
        }
        let mut state = self.lock();
        state.waiting.push_back(Waiting { organisation_id, since: Instant::now(), process });
        if state.waiting.len() > self.most {
            state.waiting.pop_front();
        }
        if !state.is_watched && !state.waiting.is_empty() {
            state.is_watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Ends the processes past their idle time. Returns the time of the next check, if any is left.
    fn end_idle(&self) -> Option<Instant> {
        let mut state = self.lock();
        while let Some(oldest) = state.waiting.front() {
            let end = oldest.since + self.idle_limit;
            if end > Instant::now() {
                return Some(end);
            }
            state.waiting.pop_front();
        }
        state.is_watched = false;
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(pool: Weak<Pool>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.end_idle()) {
        sleep_until(next).await;
    }
}
