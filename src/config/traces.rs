//! Settings of traces.

use std::collections::HashMap;

use serde::Deserialize;
use url::Url;

use super::ConfigError;
use crate::domain::secret::Secret;

/// `[traces]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Traces {
    pub endpoint: String,
    pub headers: Secret,
    pub sample_ratio: f64,
    pub service_name: String,
}

impl Traces {
    /// Returns the address of the collector, if one is configured.
    pub fn endpoint(&self) -> Option<Url> {
        Url::parse(&self.endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
    }

    /// Returns the headers of each export; none where they cannot be read.
    pub fn headers(&self) -> Option<HashMap<String, String>> {
        let pairs = self.headers.expose().split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let trimmed = |(name, value): (&str, &str)| (name.trim().to_owned(), value.trim().to_owned());
        pairs.map(|pair| pair.split_once('=').filter(|(name, _)| !name.trim().is_empty()).map(trimmed)).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        if !self.endpoint.is_empty() && self.endpoint().is_none() {
            return wrong("traces.endpoint", "it must be an http or https URL, such as http://localhost:4318");
        }
        if self.headers().is_none() {
            return wrong("traces.headers", "it must be name=value, and several with commas between them");
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return wrong("traces.sample_ratio", "it must be 0 to 1");
        }
        if self.service_name.trim().is_empty() {
            return wrong("traces.service_name", "it must not be empty");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(endpoint: &str, headers: &str, sample_ratio: f64) -> Result<(), ConfigError> {
        let (endpoint, headers, service_name) = (endpoint.to_owned(), Secret::new(headers), "tieline".to_owned());
        Traces { endpoint, headers, sample_ratio, service_name }.check()
    }

    #[test]
    fn settings_are_checked() {
        for good in ["", "a=b", "authorization=Bearer x, x-team=a=b,"] {
            assert!(with("http://localhost:4318", good, 0.1).is_ok(), "{good}");
        }
        for (endpoint, headers, ratio) in
            [("localhost:4318", "", 1.0), ("ftp://a", "", 1.0), ("", "a", 1.0), ("", "=b", 1.0), ("", "", 1.1)]
        {
            assert!(with(endpoint, headers, ratio).is_err(), "{endpoint} {headers} {ratio}");
        }
    }
}
