//! The only reader of the time of day. A test moves it; everything that expires follows.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};

const MICROS: i64 = 1_000_000;

/// Time of day with a skew in seconds.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    skew_secs: AtomicI64,
}

impl Clock {
    /// Returns microseconds since 1970.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub(crate) fn now_micros(&self) -> i64 {
        Utc::now().timestamp_micros() + self.skew_secs.load(Ordering::Relaxed) * MICROS
    }

    /// Returns seconds since 1970.
    pub(crate) fn now_secs(&self) -> i64 {
        self.now_micros() / MICROS
    }

    /// Sets the clock's skew against the real time, in seconds.
    pub(crate) fn set_skew(&self, secs: i64) {
        self.skew_secs.store(secs, Ordering::Relaxed);
    }
}

/// Formats a time as RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Formats a time as RFC 3339 in UTC without fractions, as GitHub does.
pub(crate) fn rfc3339_secs(secs: i64) -> String {
    DateTime::from_timestamp(secs, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats hours, minutes and seconds for a page.
pub(crate) fn time_of_day(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%H:%M:%S").to_string()
}
