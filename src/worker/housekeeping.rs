//! Housekeeping: runs the chores of the rooms periodically.
//!
//! Not here: the chores.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    app::kernel::{Base, chore::Chore},
    store::kernel::readiness,
};

/// Interval between two runs.
const INTERVAL: Duration = Duration::from_secs(600);

/// Retention of the readiness row of a process that has ended.
const PROBES_KEPT: chrono::Duration = chrono::Duration::days(1);

/// Runs the chores until cancelled. One that fails is run again later.
pub async fn run(base: Base, chores: Vec<Arc<dyn Chore>>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        step(&base, &chores).await;
    }
}

async fn step(base: &Base, chores: &[Arc<dyn Chore>]) {
    let now = base.ambient().now();
    let note = |removed| match removed {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "old rows were removed"),
        Err(error) => tracing::warn!(%error, "old rows could not be removed; trying again later"),
    };
    note(readiness::remove_old(base.store(), now - PROBES_KEPT).await);
    for chore in chores {
        note(chore.run(now).await);
    }
}
