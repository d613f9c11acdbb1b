//! Settings of scripts: their limits, and the processes that run them.
//!
//! Not in it: the defaults, which are in `config.default.toml`.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::ConfigError;
use crate::domain::webhooks::script::{ScriptLimits, ScriptMode};

/// `[script]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Script {
    pub mode: ScriptMode,
    pub memory_bytes: usize,
    pub time_ms: u64,
    pub fetches: u32,
    pub concurrent: usize,
    pub concurrent_per_organisation: usize,
    pub warm: usize,
    pub warm_secs: u64,
    pub program: PathBuf,
}

impl Script {
    /// Limits of one run.
    pub fn limits(&self) -> ScriptLimits {
        ScriptLimits::new(self.memory_bytes, Duration::from_millis(self.time_ms))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        if !MEMORY_BYTES.contains(&self.memory_bytes) {
            return wrong("script.memory_bytes", "it must be 2097152 to 1073741824: the engine itself takes some");
        }
        if !(1..=60_000).contains(&self.time_ms) {
            return wrong("script.time_ms", "it must be 1 to 60000: whoever called waits for the script");
        }
        if self.fetches > 20 {
            return wrong("script.fetches", "it must be 0 to 20: a script waits for each, one after another");
        }
        if !(1..=256).contains(&self.concurrent) {
            return wrong("script.concurrent", "it must be 1 to 256: each is a process");
        }
        if !(1..=256).contains(&self.concurrent_per_organisation) {
            return wrong(
                "script.concurrent_per_organisation",
                "it must be 1 to 256, and is best less than concurrent",
            );
        }
        if self.warm > 1_000 {
            return wrong("script.warm", "it must be 0 to 1000: each is a process that waits");
        }
        Ok(())
    }
}

const MEMORY_BYTES: std::ops::RangeInclusive<usize> = 2 * 1024 * 1024..=1024 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::load;

    #[test]
    fn the_environment_sets_the_limits() {
        let script = load(&[("TIELINE_SCRIPT__MODE", "frozen"), ("TIELINE_SCRIPT__TIME_MS", "50")]).unwrap().script;
        assert_eq!(script.mode, ScriptMode::Frozen);
        assert_eq!(script.limits(), ScriptLimits::new(8 * 1024 * 1024, Duration::from_millis(50)));
        let usual = load(&[]).unwrap().script;
        assert_eq!((usual.mode, usual.fetches), (ScriptMode::On, 0));
    }

    #[test]
    fn a_bad_limit_is_named() {
        for (key, value, expected) in [
            ("TIELINE_SCRIPT__MODE", "ivm", "mode"),
            ("TIELINE_SCRIPT__MEMORY_BYTES", "1000", "script.memory_bytes"),
            ("TIELINE_SCRIPT__TIME_MS", "0", "script.time_ms"),
            ("TIELINE_SCRIPT__FETCHES", "21", "script.fetches"),
            ("TIELINE_SCRIPT__CONCURRENT", "0", "script.concurrent"),
            ("TIELINE_SCRIPT__CONCURRENT_PER_ORGANISATION", "0", "script.concurrent_per_organisation"),
            ("TIELINE_SCRIPT__WARM", "1001", "script.warm"),
        ] {
            let error = load(&[(key, value)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{key}: {error}");
        }
    }
}
