//! Clock of the bench: durations are measured on the monotonic clock, and compared with other processes on the wall
//! clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    monotonic: Instant,
    wall_micros: i64,
}

impl Anchor {
    /// Returns the present moment.
    #[allow(clippy::disallowed_methods, reason = "the stand-in stamps messages with the wall's clock")]
    pub fn now() -> Self {
        let monotonic = Instant::now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { monotonic, wall_micros: i64::try_from(wall.as_micros()).unwrap_or_default() }
    }

    /// Converts a moment of this process to microseconds since 1970.
    pub fn wall_micros(&self, moment: Instant) -> i64 {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or_default();
        match moment.checked_duration_since(self.monotonic) {
            Some(after) => self.wall_micros + micros(after),
            None => self.wall_micros - micros(self.monotonic - moment),
        }
    }
}

/// Returns the wall clock's seconds since 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "what is signed has a time in it, which Tieline holds against the wall's clock"
)]
pub fn wall_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Waits until a moment, to some fifty microseconds; a timer of the runtime only counts milliseconds. For a thread that
/// does nothing else.
#[allow(clippy::disallowed_methods, reason = "the pacer's thread is its own")]
pub fn sleep_until(moment: Instant) {
    if let Some(rest) = moment.checked_duration_since(Instant::now()) {
        std::thread::sleep(rest);
    }
}
