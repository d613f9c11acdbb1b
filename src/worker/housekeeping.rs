//! Removes what is old: finished deliveries and their events, receipts and OAuth states.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    app::Services,
    domain::Result,
    store::{kernel::readiness, pipeline::housekeeping, webhooks::history},
};

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(600);

/// How long the readiness row of a process that has ended stays.
const PROBES_KEPT: chrono::Duration = chrono::Duration::days(1);

/// Removes what is older than `keep`, slice by slice. Tells how many rows went.
///
/// # Errors
/// When the database fails; what was removed stays removed.
pub async fn step(app: &Services, keep: chrono::Duration) -> Result<u64> {
    let now = app.base.ambient().now();
    let db = app.base.store().writer();
    let mut removed = housekeeping::remove_expired(db, now).await?;
    removed += readiness::remove_old(app.base.store(), now - PROBES_KEPT).await?;
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

/// Removes what the histories of outgoing webhooks have more than `most` of, slice by slice. Tells how many rows went.
///
/// # Errors
/// When the database fails; what was removed stays removed.
pub async fn shorten_histories(app: &Services, most: u64) -> Result<u64> {
    let db = app.base.store().writer();
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

/// Does both until `stop`.
pub async fn run(app: Services, keep: chrono::Duration, most_of_history: u64, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let removed = match step(&app, keep).await {
            Ok(removed) => shorten_histories(&app, most_of_history).await.map(|more| removed + more),
            Err(error) => Err(error),
        };
        match removed {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old rows were removed"),
            Err(error) => tracing::warn!(%error, "old rows could not be removed; trying again later"),
        }
    }
}
