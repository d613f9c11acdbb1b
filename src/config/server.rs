//! The settings of the HTTP server.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, list};

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Server {
    pub body_limit_bytes: usize,
    pub header_limit_bytes: usize,
    pub header_timeout_secs: u64,
    pub body_timeout_secs: u64,
    pub body_min_bytes_per_sec: u32,
    pub write_timeout_secs: u64,
    pub idle_timeout_secs: u64,
    pub max_connections: usize,
    pub max_connections_per_address: usize,
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<ipnet::IpNet>,
    pub shutdown_grace_secs: u64,
}

impl Server {
    /// Time that requests and deliveries in flight have to finish.
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_secs)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("server.body_limit_bytes", self.body_limit_bytes as u64),
            ("server.header_timeout_secs", self.header_timeout_secs),
            ("server.body_timeout_secs", self.body_timeout_secs),
            ("server.body_min_bytes_per_sec", self.body_min_bytes_per_sec.into()),
            ("server.write_timeout_secs", self.write_timeout_secs),
            ("server.idle_timeout_secs", self.idle_timeout_secs),
            ("server.max_connections", self.max_connections as u64),
            ("server.max_connections_per_address", self.max_connections_per_address as u64),
        ];
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        for (key, value) in positive {
            // The longest deadline is a day: adding it to a clock must not overflow.
            if value == 0 || (key.ends_with("_secs") && value > 86_400) {
                return wrong(key, "it must be at least 1, and a time at most 86400");
            }
        }
        if !(8_192..=262_144).contains(&self.header_limit_bytes) {
            return wrong("server.header_limit_bytes", "it must be 8192 to 262144");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

    #[test]
    fn only_loopback_is_trusted() {
        let server = load(&[]).unwrap().server;
        assert_eq!(server.trusted_proxies, ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        let server = load(&[("TIELINE_SERVER__TRUSTED_PROXIES", "")]).unwrap().server;
        assert!(server.trusted_proxies.is_empty());
    }

    #[test]
    fn what_would_lock_everybody_out_is_refused() {
        for (key, value) in [
            ("BODY_LIMIT_BYTES", "0"),
            ("HEADER_TIMEOUT_SECS", "0"),
            ("IDLE_TIMEOUT_SECS", "86401"),
            ("MAX_CONNECTIONS", "0"),
            ("MAX_CONNECTIONS_PER_ADDRESS", "0"),
            ("HEADER_LIMIT_BYTES", "100"),
        ] {
            let error = load(&[(&format!("TIELINE_SERVER__{key}"), value)]).unwrap_err().to_string();
            assert!(error.contains(&format!("server.{}", key.to_lowercase())), "{error}");
        }
    }
}
