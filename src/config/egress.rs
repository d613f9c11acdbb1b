//! Settings for tenants' URLs.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, Delivery, list};

/// `[egress]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Egress {
    #[serde(deserialize_with = "list")]
    pub allow: Vec<ipnet::IpNet>,
    #[serde(deserialize_with = "list")]
    pub ports: Vec<u16>,
    pub https_only: bool,
    pub connect_timeout_ms: u64,
    pub total_timeout_ms: u64,
    pub max_answer_bytes: usize,
}

impl Egress {
    /// Time limit of a connection.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// Time limit of a whole exchange.
    pub fn total_timeout(&self) -> Duration {
        Duration::from_millis(self.total_timeout_ms)
    }

    pub(super) fn check(&self, delivery: &Delivery) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        if self.ports.contains(&0) {
            return wrong("egress.ports", "there is no port 0");
        }
        if self.connect_timeout_ms == 0 || self.total_timeout_ms < self.connect_timeout_ms {
            return wrong(
                "egress.connect_timeout_ms",
                "it must be at least 1, and at most egress.total_timeout_ms, which covers it",
            );
        }
        if delivery.lease_secs.saturating_mul(1000) <= self.total_timeout_ms.saturating_mul(2) {
            return wrong("delivery.lease_secs", "it must be more than twice egress.total_timeout_ms");
        }
        if !(1..=MOST_ANSWER_BYTES).contains(&self.max_answer_bytes) {
            return wrong(
                "egress.max_answer_bytes",
                "it must be 1 to 1048576: every delivery in flight may hold as much",
            );
        }
        Ok(())
    }
}

const MOST_ANSWER_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use crate::config::{Config, tests::load};

    #[test]
    fn the_defaults_let_nothing_private_through() {
        let egress = load(&[]).unwrap().egress;
        assert!(egress.allow.is_empty() && egress.ports.is_empty() && egress.https_only);
    }

    #[test]
    fn lists_are_lists_or_texts_with_commas() {
        let egress = load(&[
            ("TIELINE_EGRESS__ALLOW", "10.1.0.0/16, fd12::/16,"),
            ("TIELINE_EGRESS__PORTS", "9000, 9001"),
            ("TIELINE_EGRESS__HTTPS_ONLY", "false"),
        ]);
        let egress = egress.unwrap().egress;
        assert_eq!(egress.allow, ["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()]);
        assert_eq!((egress.ports.as_slice(), egress.https_only), ([9000, 9001].as_slice(), false));

        let file = std::env::temp_dir().join(format!("tieline-egress-{}.toml", std::process::id()));
        std::fs::write(&file, "[egress]\nallow = [\"10.1.0.0/16\"]\nports = [9000, \"9001\"]\n").unwrap();
        let config = Config::load([("TIELINE_CONFIG".to_owned(), file.to_str().unwrap().to_owned())].into());
        std::fs::remove_file(&file).unwrap();
        let egress = config.unwrap().egress;
        assert_eq!((egress.allow.len(), egress.ports.as_slice()), (1, [9000, 9001].as_slice()));
    }

    #[test]
    fn a_bad_setting_is_named() {
        for (key, value, expected) in [
            ("ALLOW", "10.0.0.1", "10.0.0.1"),
            ("ALLOW", "localhost", "localhost"),
            ("PORTS", "0", "egress.ports"),
            ("PORTS", "70000", "70000"),
            ("PORTS", "https", "https"),
            ("HTTPS_ONLY", "perhaps", "https_only"),
            ("CONNECT_TIMEOUT_MS", "0", "egress.connect_timeout_ms"),
            ("CONNECT_TIMEOUT_MS", "10001", "egress.connect_timeout_ms"),
            ("TOTAL_TIMEOUT_MS", "15000", "delivery.lease_secs"),
            ("MAX_ANSWER_BYTES", "0", "egress.max_answer_bytes"),
            ("MAX_ANSWER_BYTES", "1048577", "egress.max_answer_bytes"),
        ] {
            let error = load(&[(&format!("TIELINE_EGRESS__{key}"), value)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{key}={value}: {error}");
        }
    }
}
