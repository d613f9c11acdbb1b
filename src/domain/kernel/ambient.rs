//! Ambient inputs, passed in as values: the time, fresh ids, random bytes.
//!
//! Not here: the real ones, which are made in `startup`; tests bring a clock that they move manually. `clippy.toml`
//! bans the ambient calls everywhere else.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Time in UTC, always cut to whole milliseconds so that a value survives the database unchanged.
pub type Time = DateTime<Utc>;

/// A source of the time.
pub trait Clock: Send + Sync + 'static {
    /// Returns the present moment, in whole milliseconds.
    fn now(&self) -> Time;
}

/// A source of unpredictable bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills `buffer` from a cryptographically secure source.
    fn fill(&self, buffer: &mut [u8]);
}

/// The clock and the source of randomness, together: cheap to clone.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    last_id: Arc<AtomicU64>,
}

/// Number of identifiers that one millisecond holds in order: 12 bits, the `rand_a` of a UUIDv7.
const IDS_PER_MILLI: u64 = 1 << 12;

impl Ambient {
    /// Joins a clock and a source of randomness.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random, last_id: Arc::default() }
    }

    /// Returns the present moment.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Returns `N` unpredictable bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// Returns a fresh identifier, UUIDv7 (RFC 9562, 5.7). Identifiers made later in this process sort later, also
    /// within a millisecond (6.2, method 3): deliveries leave in the order of their ids.
    pub fn id<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or_default();
        let earliest = millis * IDS_PER_MILLI;
        let next = |last: u64| Some((last + 1).max(earliest));
        let last = self.last_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|last| last);
        let ticket = (last + 1).max(earliest);
        let [high, low] = u16::try_from(ticket % IDS_PER_MILLI).unwrap_or_default().to_be_bytes();
        let mut bytes = [high, low, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes[2..].copy_from_slice(&self.random::<8>());
        uuid::Builder::from_unix_timestamp_millis(ticket / IDS_PER_MILLI, &bytes).into_uuid().into()
    }
}

/// Writes a time as RFC 3339 in UTC, with milliseconds.
pub fn timestamp(time: Time) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> Time {
            Time::UNIX_EPOCH + chrono::Duration::days(20_000)
        }
    }

    struct Constant;

    impl Random for Constant {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0xAB);
        }
    }

    #[test]
    fn ids_sort_by_their_making_even_when_the_clock_stands() {
        let ambient = Ambient::new(Arc::new(Stopped), Arc::new(Constant));
        let ids: Vec<Uuid> = (0..10_000).map(|_| ambient.id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(ids[0].get_version_num(), 7);
    }
}
