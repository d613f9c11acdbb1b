//! Signals between processes: one that dispatches nothing itself tells the workers that deliveries may be due.
//!
//! Not here: the signal's way (`store::kernel::signal`), the poll that finds what it misses (`dispatcher`).

use std::{future::pending, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{app::kernel::Base, domain::Result};

/// Least time between two signals of a process: one is enough for all that was accepted meanwhile.
const BETWEEN: Duration = Duration::from_millis(5);
/// Pause before listening again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends a signal whenever deliveries of this process may be due, until cancelled.
pub async fn send(base: Base, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = base.wake().notified() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = base.store().signal().await {
            tracing::debug!(%error, "the workers were not told that deliveries are due; they find them by their poll");
        }
        sleep(BETWEEN).await;
    }
}

/// Wakes the dispatcher of this process at the signals of others, until cancelled.
pub async fn receive(base: Base, stop: CancellationToken) {
    loop {
        tokio::select! {
            Err(error) = wake(&base) => tracing::debug!(%error, "signals of other processes are not received for now"),
            () = stop.cancelled() => return,
        }
        sleep(PAUSE).await;
    }
}

async fn wake(base: &Base) -> Result<()> {
    let Some(mut signals) = base.store().signals().await? else { return pending().await };
    loop {
        // The first time for what was missed before.
        base.wake().notify_one();
        signals.next().await?;
    }
}
