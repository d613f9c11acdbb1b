//! Rate limits: one message a second for each channel with a small burst, and a number of calls a minute for each other
//! method and workspace. The second kind is generous by default, so that only a test that lowers it meets it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use super::answer::Refusal;

const MINUTE: Duration = Duration::from_secs(60);

/// Active rate limits.
pub(crate) struct Limits {
    enabled: AtomicBool,
    rate: RwLock<RateLimit>,
    windows: Mutex<HashMap<(String, &'static str), Window>>,
}

/// Configured rate limits: messages of one channel, and a factor on the documented tiers.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RateLimit {
    /// Enables the limits.
    #[serde(default = "yes")]
    enabled: bool,
    /// Sustained messages a second and channel.
    #[serde(default = "one_a_second")]
    per_second: f64,
    /// Burst of messages that a channel accepts after a pause.
    #[serde(default = "five_at_once")]
    burst: f64,
    /// Factor on the calls a minute that Slack documents for other methods.
    #[serde(default = "fifty_fold")]
    tier_factor: f64,
}

fn yes() -> bool {
    true
}
fn one_a_second() -> f64 {
    1.0
}
fn five_at_once() -> f64 {
    5.0
}
fn fifty_fold() -> f64 {
    50.0
}

struct Window {
    began: Instant,
    calls: u32,
}

/// Token bucket of one channel. It fills by itself and never beyond the burst.
#[derive(Default)]
pub(crate) struct Bucket {
    left: f64,
    at: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        let rate =
            RateLimit { enabled: yes(), per_second: one_a_second(), burst: five_at_once(), tier_factor: fifty_fold() };
        Self { enabled: AtomicBool::new(true), rate: RwLock::new(rate), windows: Mutex::default() }
    }
}

impl Limits {
    pub(crate) fn set(&self, rate: RateLimit) {
        *self.rate.write() = rate;
        self.enabled.store(rate.enabled, Ordering::Relaxed);
    }

    /// Takes one message from a channel's bucket.
    pub(crate) fn take_message(&self, bucket: &mut Bucket) -> Result<(), Refusal> {
        if !self.enabled.load(Ordering::Relaxed) {
            return Ok(());
        }
        bucket.take(*self.rate.read(), Instant::now())
    }

    /// Counts one call of a method for a workspace.
    pub(crate) fn take_call(&self, team: &str, method: &'static str, per_minute: u32) -> Result<(), Refusal> {
        if !self.enabled.load(Ordering::Relaxed) {
            return Ok(());
        }
        let allowed = (f64::from(per_minute) * self.rate.read().tier_factor).max(1.0) as u32;
        let now = Instant::now();
        let mut windows = self.windows.lock();
        let window = windows.entry((team.to_owned(), method)).or_insert(Window { began: now, calls: 0 });
        if now.duration_since(window.began) >= MINUTE {
            *window = Window { began: now, calls: 0 };
        }
        if window.calls >= allowed {
            let wait = MINUTE.saturating_sub(now.duration_since(window.began));
            return Err(Refusal::rate_limited(wait.as_secs() + 1));
        }
        window.calls += 1;
        Ok(())
    }
}

impl Bucket {
    fn take(&mut self, rate: RateLimit, now: Instant) -> Result<(), Refusal> {
        let grown = match self.at {
            Some(at) => self.left + now.duration_since(at).as_secs_f64() * rate.per_second,
            None => rate.burst,
        };
        self.left = grown.min(rate.burst);
        self.at = Some(now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - self.left) / rate.per_second;
        let secs = if wait.is_finite() { wait.ceil().clamp(1.0, 3600.0) as u64 } else { 3600 };
        Err(Refusal::rate_limited(secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_its_burst_and_then_fills_at_its_rate() {
        let rate = RateLimit { enabled: true, per_second: 1.0, burst: 5.0, tier_factor: 1.0 };
        let start = Instant::now();
        let mut bucket = Bucket::default();
        for _ in 0..5 {
            assert!(bucket.take(rate, start).is_ok());
        }
        assert_eq!(bucket.take(rate, start).unwrap_err().retry_after, Some(1));
        assert!(bucket.take(rate, start + Duration::from_millis(900)).is_err());
        assert!(bucket.take(rate, start + Duration::from_millis(1000)).is_ok());
        assert!(bucket.take(rate, start + Duration::from_millis(1100)).is_err());
    }

    #[test]
    fn a_method_is_counted_for_each_workspace() {
        let limits = Limits::default();
        limits.set(RateLimit { enabled: true, per_second: 1.0, burst: 5.0, tier_factor: 0.1 });
        assert!(limits.take_call("T1", "auth.test", 20).is_ok());
        assert!(limits.take_call("T1", "auth.test", 20).is_ok());
        assert!(limits.take_call("T1", "auth.test", 20).is_err());
        assert!(limits.take_call("T2", "auth.test", 20).is_ok());
    }
}
