//! `[limits]`: limits of clients and organisations.

use serde::Deserialize;

use super::ConfigError;

/// Maximum size of a body whose sender is not authenticated until its end: a GitHub delivery.
pub const LONGEST_UNVERIFIED_BYTES: usize = 25 << 20;
/// Maximum size of a body from an authenticated caller: a version in the registry.
pub const LONGEST_BYTES: usize = 50 << 20;

/// `[limits]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Limits {
    pub unverified_body_budget_bytes: usize,
    pub body_budget_bytes: usize,
    pub wrong_credentials_per_minute: u32,
    pub organisations_per_owner: usize,
    pub destinations_per_organisation: u64,
    pub webhooks_per_organisation: usize,
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        if self.unverified_body_budget_bytes < LONGEST_UNVERIFIED_BYTES {
            return wrong(
                "limits.unverified_body_budget_bytes",
                "it must be at least 26214400, one delivery of GitHub's",
            );
        }
        if self.body_budget_bytes < LONGEST_BYTES {
            return wrong("limits.body_budget_bytes", "it must be at least 52428800, one version of the registry");
        }
        if self.wrong_credentials_per_minute == 0 {
            return wrong("limits.wrong_credentials_per_minute", "it must be at least 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

    #[test]
    fn budgets_have_room_for_the_longest_body() {
        let limits = load(&[]).unwrap().limits;
        assert_eq!(limits.unverified_body_budget_bytes, 64 << 20);
        for (key, wrong) in [
            ("UNVERIFIED_BODY_BUDGET_BYTES", "26214399"),
            ("BODY_BUDGET_BYTES", "52428799"),
            ("WRONG_CREDENTIALS_PER_MINUTE", "0"),
        ] {
            let error = load(&[(&format!("TIELINE_LIMITS__{key}"), wrong)]).unwrap_err().to_string();
            assert!(error.contains(&format!("limits.{}", key.to_lowercase())), "{error}");
        }
    }
}
