//! The clock of integrations that tick: what is due becomes events.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;

/// How many ticks share a transaction at most.
pub const BATCH: u64 = 100;
/// How often the clock is looked at. Schedules are of whole minutes.
const LOOK: Duration = Duration::from_secs(1);

/// Ticks until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match app.tick(BATCH).await {
            Ok(ticked) if ticked as u64 == BATCH => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "due ticks could not be made; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
}
