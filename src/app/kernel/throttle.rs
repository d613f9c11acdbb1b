//! How fast messages come in by one key: in this process, and forgotten with it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::domain::{Error, Result, ambient::Time, rate_limit::RateLimit};

/// Keys of one generation. Where there are more, the generation before is forgotten, so memory is bounded whatever comes.
const GENERATION: usize = 20_000;

/// What is left under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// How many may come at once.
    pub limit: u32,
    /// How many of these still may.
    pub remaining: u32,
    /// When all may again.
    pub reset: Duration,
}

/// Holds each key to a pace.
pub struct Throttle {
    pace: RateLimit,
    arrivals: Mutex<Arrivals>,
}

/// Arrival time of each key, in two generations: what is used moves to the young one.
#[derive(Default)]
struct Arrivals {
    young: HashMap<Uuid, Time>,
    old: HashMap<Uuid, Time>,
}

impl Arrivals {
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
    /// One for all keys.
    pub fn new(pace: RateLimit) -> Self {
        Self { pace, arrivals: Mutex::default() }
    }

    /// What is left under a key: how many may come at once, how many of these still may, and when all may again.
    pub fn room(&self, key: Uuid, now: Time) -> Room {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = arrivals.get(key).map_or(Duration::ZERO, |arrival| (arrival - now).to_std().unwrap_or_default());
        let taken = busy.as_nanos().div_ceil(self.pace.interval.as_nanos().max(1));
        let taken = u32::try_from(taken).unwrap_or(u32::MAX);
        Room { limit: self.pace.burst, remaining: self.pace.burst.saturating_sub(taken), reset: busy }
    }

    /// Lets one in under a key.
    ///
    /// # Errors
    /// [`Error::RateLimited`] with the pause that it takes.
    pub fn admit(&self, key: Uuid, now: Time) -> Result<()> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        match self.pace.admit(arrivals.get(key), now) {
            Ok(arrival) => {
                arrivals.insert(key, arrival);
                Ok(())
            }
            Err(at) => Err(Error::RateLimited { retry_after: (at - now).to_std().unwrap_or_default() }),
        }
    }

    /// Fails where none would be let in under a key, and counts nothing.
    ///
    /// # Errors
    /// As [`Throttle::admit`].
    pub fn demand_room(&self, key: Uuid, now: Time) -> Result<()> {
        let arrival = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).get(key);
        let refused = |at: Time| Error::RateLimited { retry_after: (at - now).to_std().unwrap_or_default() };
        self.pace.admit(arrival, now).map(drop).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_pace() {
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
        let arrivals = throttle.arrivals.lock().unwrap();
        assert!(arrivals.young.len() + arrivals.old.len() <= 2 * GENERATION);
    }
}
