//! `[registry]`: limits of a workspace's use of it.

use serde::Deserialize;

use super::ConfigError;

/// `[registry]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Registry {
    pub max_integrations_per_workspace: u64,
    pub calls_per_second: u32,
}

impl Registry {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if (1..=1_000_000).contains(&self.calls_per_second) {
            return Ok(());
        }
        Err(ConfigError::Wrong { key: "registry.calls_per_second", rule: "it must be 1 to 1000000".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

    #[test]
    fn a_workspace_may_make_calls() {
        assert_eq!(load(&[]).unwrap().registry.calls_per_second, 100);
        for wrong in ["0", "1000001"] {
            let error = load(&[("TIELINE_REGISTRY__CALLS_PER_SECOND", wrong)]).unwrap_err().to_string();
            assert!(error.contains("registry.calls_per_second"), "{error}");
        }
    }
}
