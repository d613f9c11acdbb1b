//! The real clock and the real randomness: the only place that reads the ambient ones.

use std::sync::Arc;

use aws_lc_rs::rand;
use chrono::{DateTime, Utc};

use crate::domain::ambient::{Ambient, Clock, Random, Time};

struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock that everyone else is given")]
    fn now(&self) -> Time {
        let now = Utc::now();
        DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }
}

struct SystemRandom;

impl Random for SystemRandom {
    #[allow(clippy::expect_used, reason = "without randomness nothing can be done safely")]
    fn fill(&self, buffer: &mut [u8]) {
        rand::fill(buffer).expect("the operating system gives no randomness; nothing can be done safely without it");
    }
}

/// Returns the system's clock and randomness.
pub fn system() -> Ambient {
    Ambient::new(Arc::new(SystemClock), Arc::new(SystemRandom))
}
