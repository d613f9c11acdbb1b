//! Retention: removes old finished deliveries and their events, idempotency records and OAuth states.
//!
//! Not here: the statements (`store`).

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    app::kernel::Base,
    domain::Result,
    store::{kernel::readiness, pipeline::housekeeping, webhooks::history},
};

/// Interval between two runs.
const INTERVAL: Duration = Duration::from_secs(600);

/// Retention of the readiness row of a process that has ended.
const PROBES_KEPT: chrono::Duration = chrono::Duration::days(1);

/// Removes rows older than `keep`, slice by slice. Returns the number of removed rows.
///
/// # Errors
/// When the database fails; removed rows stay removed.
pub async fn step(base: &Base, keep: chrono::Duration) -> Result<u64> {
    let now = base.ambient().now();
    let db = base.store().writer();
    let mut removed = housekeeping::remove_expired(db, now).await?;
    removed += readiness::remove_old(base.store(), now - PROBES_KEPT).await?;
    loop {
        let slice = housekeeping::remove_deliveries(db, now - keep).await?
            + housekeeping::remove_orphans(db, now - keep).await?
            + housekeeping::remove_events(db, now - keep).await?;
        removed += slice;
        if slice == 0 {
            return Ok(removed);
        }
        // Between slices others may write.
        tokio::task::yield_now().await;
    }
}

/// Shortens the histories of outgoing webhooks to `most` entries, slice by slice. Returns the number of removed rows.
///
/// # Errors
/// When the database fails; removed rows stay removed.
pub async fn shorten_histories(base: &Base, most: u64) -> Result<u64> {
    let db = base.store().writer();
    let mut removed = 0;
    for (id, up_to) in history::too_long(db, most).await? {
        loop {
            let slice = history::remove_slice(db, id, Some(up_to)).await?;
            removed += slice;
            if slice == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(removed)
}

/// Does both until cancelled.
pub async fn run(base: Base, keep: chrono::Duration, most_of_history: u64, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let removed = match step(&base, keep).await {
            Ok(removed) => shorten_histories(&base, most_of_history).await.map(|more| removed + more),
            Err(error) => Err(error),
        };
        match removed {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old rows were removed"),
            Err(error) => tracing::warn!(%error, "old rows could not be removed; trying again later"),
        }
    }
}
