//! Rate limits by key, in the memory of this process.
//!
//! Not here: the algorithm (`domain::kernel::rate_limit`), and the rate limits of destinations, which are in the
//! database.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::domain::{Error, Result, ambient::Time, rate_limit::RateLimit};

/// Keys of one generation. Past this number the older generation is dropped, which bounds the memory.
const GENERATION: usize = 20_000;

/// Rate limit of a key and its remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Requests that a rested key may make at once.
    pub limit: u32,
    /// Requests that the key may still make now.
    pub remaining: u32,
    /// Time until the whole burst is available again.
    pub reset: Duration,
}

/// Rate limiter of many keys with one limit.
pub struct Throttle {
    limit: RateLimit,
    arrival_times: Mutex<ArrivalTimes>,
}

/// Theoretical arrival time (GCRA) of each key, in two generations: a key that is used moves to the young one.
#[derive(Default)]
struct ArrivalTimes {
    young: HashMap<Uuid, Time>,
    old: HashMap<Uuid, Time>,
}

impl ArrivalTimes {
    fn get(&self, key: Uuid) -> Option<Time> {
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }

    fn insert(&mut self, key: Uuid, arrival: Time) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, arrival);
    }
}

impl Throttle {
    /// Creates a limiter with the same limit for every key.
    pub fn new(limit: RateLimit) -> Self {
        Self { limit, arrival_times: Mutex::default() }
    }

    /// Returns the limit and the remainder of a key, without counting a request.
    pub fn room(&self, key: Uuid, now: Time) -> Room {
        let arrival_times = self.arrival_times.lock().unwrap_or_else(PoisonError::into_inner);
        let busy =
            arrival_times.get(key).map_or(Duration::ZERO, |arrival| (arrival - now).to_std().unwrap_or_default());
        let taken = busy.as_nanos().div_ceil(self.limit.interval.as_nanos().max(1));
        let taken = u32::try_from(taken).unwrap_or(u32::MAX);
        Room { limit: self.limit.burst, remaining: self.limit.burst.saturating_sub(taken), reset: busy }
    }

    /// Counts a request of a key.
    ///
    /// # Errors
    /// [`Error::RateLimited`] with the time until the next one is admitted.
    pub fn admit(&self, key: Uuid, now: Time) -> Result<()> {
        let mut arrival_times = self.arrival_times.lock().unwrap_or_else(PoisonError::into_inner);
        match self.limit.admit(arrival_times.get(key), now) {
            Ok(arrival) => {
                arrival_times.insert(key, arrival);
                Ok(())
            }
            Err(at) => Err(Error::RateLimited { retry_after: (at - now).to_std().unwrap_or_default() }),
        }
    }

    /// Fails where the next request of a key would be refused, without counting one.
    ///
    /// # Errors
    /// As [`Throttle::admit`].
    pub fn demand_room(&self, key: Uuid, now: Time) -> Result<()> {
        let arrival = self.arrival_times.lock().unwrap_or_else(PoisonError::into_inner).get(key);
        let refused = |at: Time| Error::RateLimited { retry_after: (at - now).to_std().unwrap_or_default() };
        self.limit.admit(arrival, now).map(drop).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_limit() {
        let throttle = Throttle::new(RateLimit { interval: Duration::from_secs(1), burst: 2 });
        let (one, other, now) = (Uuid::from_u128(1), Uuid::from_u128(2), Time::UNIX_EPOCH);
        let room = |key| (throttle.room(key, now).remaining, throttle.room(key, now).reset.as_secs());
        assert_eq!(room(one), (2, 0));
        assert!(throttle.admit(one, now).is_ok());
        assert_eq!(room(one), (1, 1));
        assert!(throttle.admit(one, now).is_ok());
        assert_eq!((room(one), room(other)), ((0, 2), (2, 0)));
        let refused = throttle.admit(one, now);
        assert!(matches!(refused, Err(Error::RateLimited { retry_after }) if retry_after == Duration::from_secs(1)));
        assert!(throttle.admit(other, now).is_ok());
        assert!(throttle.demand_room(one, now).is_err());
        assert!(throttle.demand_room(one, now + Duration::from_secs(1)).is_ok());
        assert!(throttle.admit(one, now + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let throttle = Throttle::new(RateLimit { interval: Duration::from_secs(1), burst: 1 });
        let now = Time::UNIX_EPOCH;
        for key in 0..5 * GENERATION as u128 {
            throttle.admit(Uuid::from_u128(key), now).unwrap();
            assert!(throttle.admit(Uuid::from_u128(key), now).is_err());
        }
        let arrival_times = throttle.arrival_times.lock().unwrap();
        assert!(arrival_times.young.len() + arrival_times.old.len() <= 2 * GENERATION);
    }
}
