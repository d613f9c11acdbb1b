//! `[delivery]`: concurrency, leases, time limits and backoff of the workers.

use std::time::Duration;

use serde::Deserialize;

use super::ConfigError;

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
    pub first_pause_ms: u64,
    pub longest_pause_ms: u64,
    pub give_up_after_secs: u64,
    pub max_faltering_tries: i32,
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
        if self.slow_after_ms == 0 {
            return wrong("delivery.slow_after_ms", "it must be at least 1");
        }
        if self.lease_secs.saturating_mul(1000) <= self.total_timeout_ms.saturating_mul(2) {
            return wrong("delivery.lease_secs", "it must be more than twice delivery.total_timeout_ms");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

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
