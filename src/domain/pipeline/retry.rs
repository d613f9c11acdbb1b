//! Retry schedules of deliveries.
//!
//! Not here: the outcomes of attempts (`delivery`).

use std::{sync::Arc, time::Duration};

use super::delivery::{Next, Outcome};
use crate::domain::{Error, Result, ambient::Time};

/// Maximum number of steps.
pub const MAX_STEPS: usize = 20;
/// Maximum length of a step.
const MAX_STEP_SECS: u64 = 7 * 24 * 3600;
/// Time for which a delivery that keeps failing holds up those behind it, where a destination keeps their order and is
/// not unreachable as a whole. Then it steps aside: it goes on by its schedule alone, and the others leave in order.
pub const STEP_ASIDE_AFTER: Duration = Duration::from_secs(30 * 60);

/// Retry schedule: the pauses after the failed attempts of a delivery. After as many retries it is exhausted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule(Arc<[Duration]>);

impl RetrySchedule {
    /// Creates a schedule.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `field` where it has no step or too many, or one is too short or too long.
    pub fn new(field: &str, seconds: &[u64]) -> Result<Self> {
        let fits = |step: &u64| (1..=MAX_STEP_SECS).contains(step);
        if (1..=MAX_STEPS).contains(&seconds.len()) && seconds.iter().all(fits) {
            return Ok(Self(seconds.iter().copied().map(Duration::from_secs).collect()));
        }
        let rule = format!("must be 1 to {MAX_STEPS} steps, each of 1 to {MAX_STEP_SECS} seconds");
        Err(Error::invalid(field, rule))
    }

    /// Returns the steps, in seconds.
    pub fn seconds(&self) -> Vec<u64> {
        self.0.iter().map(Duration::as_secs).collect()
    }

    /// Returns the longest step.
    pub fn longest(&self) -> Duration {
        self.0.iter().copied().max().unwrap_or_default()
    }

    /// Returns the next step of a delivery after an attempt that came to `outcome` at `now`, with `before` attempts
    /// before it. `jitter` in 0..=1 spreads the retries of many over time. An upstream that asks for a longer pause has
    /// it.
    pub fn next(&self, outcome: &Outcome, before: i32, now: Time, jitter: f64) -> Next {
        let (reason, asked) = match outcome {
            Outcome::Delivered => return Next::Delivered,
            Outcome::Throttled { retry_after } => {
                (format!("the upstream asked for a pause of {} s", retry_after.as_secs()), *retry_after)
            }
            Outcome::Unreachable { reason } => (reason.clone().into_owned(), Duration::ZERO),
            Outcome::Faltered { reason } => (reason.clone(), Duration::ZERO),
            Outcome::MessageRefused { reason }
            | Outcome::AddressRefused { reason }
            | Outcome::Gone { reason }
            | Outcome::ConnectionDead { reason, .. } => return Next::Failed { reason: reason.clone() },
        };
        match self.0.get(usize::try_from(before).unwrap_or_default()) {
            Some(step) => Next::RetryAt { at: now + jittered(*step, jitter).max(asked), reason },
            None => Next::Exhausted { reason },
        }
    }
}

/// Takes up to half of a step off, in whole milliseconds.
fn jittered(step: Duration, jitter: f64) -> Duration {
    let pause = step.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
    Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

/// Returns the reason of a delivery with an exhausted schedule, after so many attempts.
pub fn exhausted(attempts: i32, reason: &str) -> String {
    let failed = if attempts == 1 { "the attempt failed".into() } else { format!("all {attempts} attempts failed") };
    format!("{failed}; replay this delivery when the destination works again: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_timestamp_millis(millis).unwrap()
    }

    fn schedule() -> RetrySchedule {
        RetrySchedule::new("/retrySchedule", &[5, 300]).unwrap()
    }

    fn passing() -> [Outcome; 2] {
        [Outcome::Unreachable { reason: "refused".into() }, Outcome::Faltered { reason: "refused".into() }]
    }

    #[test]
    fn all_that_may_pass_follows_the_steps() {
        for outcome in passing() {
            let retry = |millis| Next::RetryAt { at: at(millis), reason: "refused".into() };
            assert_eq!(schedule().next(&outcome, 0, at(0), 0.0), retry(5_000));
            assert_eq!(schedule().next(&outcome, 1, at(0), 0.0), retry(300_000));
            assert_eq!(schedule().next(&outcome, 2, at(0), 0.0), Next::Exhausted { reason: "refused".into() });
            assert_eq!(schedule().next(&outcome, 0, at(0), 1.0), retry(2_500), "jitter takes off up to half");
            assert_eq!(schedule().next(&outcome, 0, at(0), 0.5), retry(3_750));
        }
    }

    #[test]
    fn a_longer_pause_that_the_upstream_asks_for_is_honoured() {
        let after = |secs, before| {
            let throttled = Outcome::Throttled { retry_after: Duration::from_secs(secs) };
            match schedule().next(&throttled, before, at(0), 0.0) {
                Next::RetryAt { at, .. } => Some(at.timestamp()),
                _ => None,
            }
        };
        assert_eq!([after(37, 0), after(1, 0), after(37, 1), after(37, 2)], [Some(37), Some(5), Some(300), None]);
    }

    #[test]
    fn refusals_are_final() {
        for refused in [
            Outcome::MessageRefused { reason: "no_text".into() },
            Outcome::AddressRefused { reason: "is_archived".into() },
            Outcome::Gone { reason: "410".into() },
            Outcome::ConnectionDead { code: "token_revoked".into(), reason: "connect again".into() },
        ] {
            assert!(matches!(schedule().next(&refused, 0, at(0), 0.0), Next::Failed { .. }), "{refused:?}");
        }
    }

    #[test]
    fn the_steps_are_bounded() {
        for good in [&[1][..], &[604_800; 20]] {
            assert_eq!(RetrySchedule::new("/x", good).unwrap().seconds(), good);
        }
        for bad in [&[][..], &[0], &[5, 604_801], &[1; 21]] {
            assert!(RetrySchedule::new("/x", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_number_of_attempts_is_said() {
        assert!(exhausted(1, "x").starts_with("the attempt failed; replay"));
        assert!(exhausted(8, "x").starts_with("all 8 attempts failed; replay"));
    }
}
