//! The clock of integrations that tick: what is due becomes events.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{app::Services, domain::ambient::Time};

/// How many ticks share a transaction at most.
pub const BATCH: u64 = 100;
/// How often the clock is looked at, at whole seconds: schedules are of whole minutes, and a look just after one makes
/// nothing late.
const LOOK: Duration = Duration::from_secs(1);

/// Ticks until `stop`.
pub async fn run(app: Services, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match app.apps.tick(BATCH).await {
            Ok(ticked) if ticked as u64 == BATCH => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "due ticks could not be made; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK - into_the_look(app.base.ambient().now())) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// How much of the time between two looks has passed.
fn into_the_look(now: Time) -> Duration {
    // A leap second has more than a second's nanoseconds.
    Duration::from_nanos(u64::from(now.timestamp_subsec_nanos()).min(999_999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_looked_at_at_whole_seconds() {
        let into = |millis| into_the_look(Time::from_timestamp_millis(millis).unwrap());
        assert_eq!([into(5_000), into(5_999)], [Duration::ZERO, Duration::from_millis(999)]);
    }
}
