//! Clock: turns the schedules that are due into events.
//!
//! Not here: the schedules and their events, which belong to a room (`app`).

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    app::{kernel::Base, pipeline::ticker::Ticker},
    domain::ambient::Time,
};

/// Maximum number of ticks that share a transaction.
pub const BATCH: u64 = 100;
/// Interval of the clock, at whole seconds: schedules are of whole minutes, and a tick just after one is not late.
const INTERVAL: Duration = Duration::from_secs(1);

/// Ticks until cancelled.
pub async fn run(base: Base, ticker: impl Ticker, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match ticker.tick(BATCH).await {
            Ok(ticked) if ticked as u64 == BATCH => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "due ticks could not be made; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL - elapsed(base.ambient().now())) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Returns the elapsed part of the current interval.
fn elapsed(now: Time) -> Duration {
    // A leap second has more than a second's nanoseconds.
    Duration::from_nanos(u64::from(now.timestamp_subsec_nanos()).min(999_999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_begin_at_whole_seconds() {
        let of = |millis| elapsed(Time::from_timestamp_millis(millis).unwrap());
        assert_eq!([of(5_000), of(5_999)], [Duration::ZERO, Duration::from_millis(999)]);
    }
}
