//! Rate limits, by the generic cell rate algorithm (ITU-T I.371).
//!
//! Not here: the keys that are limited, and where their state is kept.

use std::time::Duration;

use super::ambient::Time;

/// Rate limit of a destination: one every `interval`, and up to `burst` at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The time between two, in the long run; zero means no limit.
    pub interval: Duration,
    /// Maximum number at once, at least one.
    pub burst: u32,
}

impl RateLimit {
    /// No limit.
    pub const NONE: RateLimit = RateLimit { interval: Duration::ZERO, burst: 1 };

    /// Asks to send one at `now`, given what the last answer left (the theoretical arrival time of the generic cell
    /// rate algorithm, ITU-T I.371). One that is further away than any answer leaves it is of a clock that was set back
    /// since, and is not believed.
    ///
    /// # Errors
    /// The time from which on one may be sent.
    pub fn admit(self, arrival_time: Option<Time>, now: Time) -> Result<Time, Time> {
        let furthest = now + self.interval * self.burst.max(1);
        let arrival_time = arrival_time.filter(|arrival_time| *arrival_time <= furthest).unwrap_or(now).max(now);
        let tolerance = self.interval * self.burst.saturating_sub(1);
        let earliest = arrival_time - tolerance;
        if now >= earliest { Ok(arrival_time + self.interval) } else { Err(earliest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let pace = RateLimit { interval: Duration::from_secs(1), burst: 3 };
        let mut arrival_time = None;
        for _ in 0..3 {
            arrival_time = Some(pace.admit(arrival_time, at(0)).unwrap());
        }
        assert_eq!(pace.admit(arrival_time, at(0)), Err(at(1000)));
        assert_eq!(pace.admit(arrival_time, at(999)), Err(at(1000)));
        arrival_time = Some(pace.admit(arrival_time, at(1000)).unwrap());
        assert_eq!(pace.admit(arrival_time, at(1000)), Err(at(2000)));
    }

    #[test]
    fn a_long_rest_earns_one_burst_and_not_more() {
        let pace = RateLimit { interval: Duration::from_secs(1), burst: 2 };
        let mut arrival_time = Some(at(0));
        let mut sent = 0;
        while let Ok(next) = pace.admit(arrival_time, at(1_000_000)) {
            arrival_time = Some(next);
            sent += 1;
        }
        assert_eq!(sent, 2);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let pace = RateLimit { interval: Duration::from_secs(1), burst: 3 };
        let mut arrival_time = None;
        for _ in 0..3 {
            arrival_time = Some(pace.admit(arrival_time, at(3_600_000)).unwrap());
        }
        assert_eq!(pace.admit(arrival_time, at(3_600_000)), Err(at(3_601_000)), "the furthest that there is");
        assert_eq!(pace.admit(arrival_time, at(0)), Ok(at(1000)));
    }

    #[test]
    fn no_interval_is_no_limit() {
        let pace = RateLimit { interval: Duration::ZERO, burst: 1 };
        assert_eq!(pace.admit(Some(at(5)), at(5)), Ok(at(5)));
    }
}
