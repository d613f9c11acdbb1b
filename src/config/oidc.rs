//! `[oidc]`: the identity provider by which browsers sign in to the portal.

use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;
use crate::domain::secret::Secret;

/// `[oidc]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Oidc {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub name: String,
}

impl Oidc {
    /// Reports that an identity provider is configured.
    pub fn is_configured(&self) -> bool {
        !self.issuer.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        if !self.is_configured() {
            return Ok(());
        }
        if !Url::parse(&self.issuer).is_ok_and(|url| is_trustworthy(&url)) {
            return wrong("oidc.issuer", "it must be an https URL without query, or an http URL on this machine");
        }
        if self.client_id.is_empty() {
            return wrong("oidc.client_id", "it must be set where oidc.issuer is");
        }
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return wrong("oidc.name", "it must be 1 to 100 characters without control characters");
        }
        Ok(())
    }
}

/// An issuer has no query and no fragment (OpenID Connect Core, 2).
fn is_trustworthy(url: &Url) -> bool {
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    scheme && url.query().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(issuer: &str, client_id: &str, name: &str) -> Result<(), ConfigError> {
        let [issuer, client_id, name] = [issuer, client_id, name].map(str::to_owned);
        Oidc { issuer, client_id, client_secret: Secret::new(""), name }.check()
    }

    #[test]
    fn an_issuer_is_reached_over_https_or_on_this_machine() {
        for good in ["", "https://id.example.com", "https://id.example.com/realms/acme", "http://127.0.0.1:8090/oidc"] {
            assert!(with(good, "tieline", "SSO").is_ok(), "{good}");
        }
        for bad in ["id.example.com", "http://id.example.com", "https://id.example.com?x", "https://id.example.com#x"] {
            assert!(with(bad, "tieline", "SSO").is_err(), "{bad}");
        }
        assert!(with("https://id.example.com", "", "SSO").is_err());
        assert!(with("https://id.example.com", "tieline", " ").is_err());
    }
}
