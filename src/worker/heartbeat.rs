//! Heartbeats of the workers that share a database, and recovery of what a dead one held: sooner than its leases end.
//!
//! Not here: the leases (`store::pipeline::destinations`).

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::dispatcher::Dispatcher;
use crate::{domain::Result, store::pipeline::workers};

/// Interval between two heartbeats.
const INTERVAL: Duration = Duration::from_secs(2);
/// Silence after which a worker counts as dead. With the interval, what it held is due within ten seconds.
pub const SILENCE: Duration = Duration::from_secs(7);
/// Time since its own last heartbeat beyond which a worker judges no other: whatever held it up, a slow database or a
/// stopped process, may hold up the others as well.
const TRUSTED: Duration = Duration::from_secs(4);

/// Works, and beats until the end of the work: for the first time before it, so that nothing is held without.
pub async fn run(dispatcher: Arc<Dispatcher>, work: impl Future<Output = ()>) {
    let mut last = beat(&dispatcher, None).await;
    let beating = async {
        loop {
            sleep(INTERVAL).await;
            last = beat(&dispatcher, last).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = beating => {}
    }
}

/// Writes a heartbeat, and returns the time of the last one that was written.
async fn beat(dispatcher: &Dispatcher, last: Option<Instant>) -> Option<Instant> {
    match dispatcher.beat(last.is_some_and(|last| last.elapsed() <= TRUSTED)).await {
        Ok(()) => Some(Instant::now()),
        Err(error) => {
            tracing::warn!(%error, "a heartbeat could not be written; trying again");
            last
        }
    }
}

impl Dispatcher {
    /// Writes a heartbeat and, if this worker `judges` others, ends the leases of those that are silent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beat(&self, judges: bool) -> Result<()> {
        let store = self.base.store();
        workers::beat(store.writer(), self.owner).await?;
        if !judges {
            return Ok(());
        }
        let tx = store.begin().await?;
        let destinations = workers::remove_silent(&tx, SILENCE, self.base.ambient().now()).await?;
        tx.commit().await?;
        if destinations > 0 {
            tracing::warn!(destinations, "a worker is silent; what it had claimed is due again");
            self.base.wake().notify_one();
        }
        Ok(())
    }
}
