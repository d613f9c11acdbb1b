//! How often an app may call: one message a second for each channel with a small burst, and so many calls a minute for
//! each other method and workspace. The second kind is generous here, so that only who asks for it meets it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use super::answer::Refusal;

const MINUTE: Duration = Duration::from_secs(60);

/// The rates in force.
pub(crate) struct Limits {
    enabled: AtomicBool,
    pace: RwLock<Pace>,
    windows: Mutex<HashMap<(String, &'static str), Window>>,
}

/// How fast messages may follow each other in one channel, and how many times the documented tiers are allowed.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Pace {
    /// Whether there is any limit.
    #[serde(default = "yes")]
    enabled: bool,
    /// Messages a second and channel in the long run.
    #[serde(default = "one_a_second")]
    per_second: f64,
    /// Messages a channel takes at once after a pause.
    #[serde(default = "five_at_once")]
    burst: f64,
    /// Other methods: so many times what Slack documents for a minute.
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

/// One channel's allowance. It fills by itself and never beyond the burst.
#[derive(Default)]
pub(crate) struct Bucket {
    left: f64,
    at: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        let pace =
            Pace { enabled: yes(), per_second: one_a_second(), burst: five_at_once(), tier_factor: fifty_fold() };
        Self { enabled: AtomicBool::new(true), pace: RwLock::new(pace), windows: Mutex::default() }
    }
}

impl Limits {
    pub(crate) fn set(&self, pace: Pace) {
        *self.pace.write() = pace;
        self.enabled.store(pace.enabled, Ordering::Relaxed);
    }

    /// Takes one message out of a channel's allowance.
    pub(crate) fn take_message(&self, bucket: &mut Bucket) -> Result<(), Refusal> {
        if !self.enabled.load(Ordering::Relaxed) {
            return Ok(());
        }
        bucket.take(*self.pace.read(), Instant::now())
    }

    /// Counts one call of a method for a workspace.
    pub(crate) fn take_call(&self, team: &str, method: &'static str, per_minute: u32) -> Result<(), Refusal> {
        if !self.enabled.load(Ordering::Relaxed) {
            return Ok(());
        }
        let allowed = (f64::from(per_minute) * self.pace.read().tier_factor).max(1.0) as u32;
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
    fn take(&mut self, pace: Pace, now: Instant) -> Result<(), Refusal> {
        let grown = match self.at {
            Some(at) => self.left + now.duration_since(at).as_secs_f64() * pace.per_second,
            None => pace.burst,
        };
        self.left = grown.min(pace.burst);
        self.at = Some(now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - self.left) / pace.per_second;
        let secs = if wait.is_finite() { wait.ceil().clamp(1.0, 3600.0) as u64 } else { 3600 };
        Err(Refusal::rate_limited(secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_its_burst_and_then_fills_at_its_pace() {
        let pace = Pace { enabled: true, per_second: 1.0, burst: 5.0, tier_factor: 1.0 };
        let start = Instant::now();
        let mut bucket = Bucket::default();
        for _ in 0..5 {
            assert!(bucket.take(pace, start).is_ok());
        }
        assert_eq!(bucket.take(pace, start).unwrap_err().retry_after, Some(1));
        assert!(bucket.take(pace, start + Duration::from_millis(900)).is_err());
        assert!(bucket.take(pace, start + Duration::from_millis(1000)).is_ok());
        assert!(bucket.take(pace, start + Duration::from_millis(1100)).is_err());
    }

    #[test]
    fn a_method_is_counted_for_each_workspace() {
        let limits = Limits::default();
        limits.set(Pace { enabled: true, per_second: 1.0, burst: 5.0, tier_factor: 0.1 });
        assert!(limits.take_call("T1", "auth.test", 20).is_ok());
        assert!(limits.take_call("T1", "auth.test", 20).is_ok());
        assert!(limits.take_call("T1", "auth.test", 20).is_err());
        assert!(limits.take_call("T2", "auth.test", 20).is_ok());
    }
}
