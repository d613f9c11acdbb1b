//! `[delivery]`: concurrency, leases, time limits, retries and health.

use std::time::Duration;

use serde::Deserialize;

use super::ConfigError;
use crate::domain::pipeline::retry::RetrySchedule;

/// `[delivery]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Delivery {
    pub max_concurrent: usize,
    pub max_concurrent_per_organisation: usize,
    pub max_concurrent_slow: usize,
    pub slow_after_ms: u64,
    pub lease_secs: u64,
    pub connect_timeout_ms: u64,
    pub total_timeout_ms: u64,
    pub poll_ms: u64,
    #[serde(deserialize_with = "retry_schedule")]
    pub retry_schedule_secs: RetrySchedule,
    pub failing_after_attempts: u16,
    pub disable_after_days: u32,
}

impl Delivery {
    /// Time limit of a whole exchange with an upstream.
    pub fn total_timeout(&self) -> Duration {
        Duration::from_millis(self.total_timeout_ms)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        let counts = [
            ("delivery.max_concurrent", self.max_concurrent),
            ("delivery.max_concurrent_per_organisation", self.max_concurrent_per_organisation),
            ("delivery.max_concurrent_slow", self.max_concurrent_slow),
        ];
        for (key, count) in counts {
            if count == 0 {
                return wrong(key, "it must be at least 1");
            }
        }
        if self.failing_after_attempts == 0 {
            return wrong("delivery.failing_after_attempts", "it must be at least 1");
        }
        if self.slow_after_ms == 0 {
            return wrong("delivery.slow_after_ms", "it must be at least 1");
        }
        if self.lease_secs.saturating_mul(1000) <= self.total_timeout_ms.saturating_mul(2) {
            return wrong("delivery.lease_secs", "it must be more than twice delivery.total_timeout_ms");
        }
        Ok(())
    }
}

fn retry_schedule<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<RetrySchedule, D::Error> {
    let seconds: Vec<u64> = super::list(deserializer)?;
    RetrySchedule::new("delivery.retry_schedule_secs", &seconds).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

    #[test]
    fn the_retry_schedule_is_a_list_of_seconds() {
        let delivery = load(&[]).unwrap().delivery;
        let steps = delivery.retry_schedule_secs.seconds();
        assert_eq!((steps[0], steps.iter().sum::<u64>()), (5, 99_305), "more than a day");
        let own = load(&[("TIELINE_DELIVERY__RETRY_SCHEDULE_SECS", "1, 60")]).unwrap().delivery;
        assert_eq!(own.retry_schedule_secs.seconds(), [1, 60]);
        for (name, value) in [
            ("RETRY_SCHEDULE_SECS", ""),
            ("RETRY_SCHEDULE_SECS", "0"),
            ("RETRY_SCHEDULE_SECS", "5,700000"),
            ("FAILING_AFTER_ATTEMPTS", "0"),
            ("MAX_FALTERING_TRIES", "8"),
        ] {
            let error = load(&[(&format!("TIELINE_DELIVERY__{name}"), value)]).unwrap_err().to_string();
            assert!(error.contains(&name.to_lowercase()), "{error}");
        }
    }

    #[test]
    fn the_slots_are_shared_out() {
        let delivery = load(&[]).unwrap().delivery;
        assert_eq!((delivery.max_concurrent, delivery.max_concurrent_per_organisation), (256, 64));
        for name in ["MAX_CONCURRENT", "MAX_CONCURRENT_PER_ORGANISATION", "MAX_CONCURRENT_SLOW", "SLOW_AFTER_MS"] {
            let error = load(&[(&format!("TIELINE_DELIVERY__{name}"), "0")]).unwrap_err().to_string();
            assert!(error.contains(&format!("delivery.{}", name.to_lowercase())), "{error}");
        }
    }
}
