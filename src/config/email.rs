//! `[email]`: the mail server and the domains of recipients.

use serde::Deserialize;
use url::{Host, Url};

use super::{ConfigError, list};
use crate::domain::secret::Secret;

/// `[email]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Email {
    pub smtp_url: Secret,
    pub from: String,
    #[serde(deserialize_with = "list")]
    pub recipient_domains: Vec<String>,
    pub timeout_ms: u64,
}

impl Email {
    /// Reports that a mail server is configured.
    pub fn is_configured(&self) -> bool {
        !self.smtp_url.expose().is_empty()
    }

    pub(super) fn check(&self, lease_secs: u64) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        if !self.is_configured() {
            return Ok(());
        }
        if self.timeout_ms == 0 || lease_secs.saturating_mul(1000) <= self.timeout_ms.saturating_mul(2) {
            return wrong("email.timeout_ms", "it must be at least 1, and less than half of delivery.lease_secs");
        }
        if self.from.is_empty() {
            return wrong("email.from", "it must be an address where email.smtp_url is set");
        }
        let Some(url) = Url::parse(self.smtp_url.expose()).ok().filter(Url::has_host) else {
            return wrong("email.smtp_url", "it must be a URL such as smtps://user:password@mail.example.com");
        };
        let secured = url.query_pairs().any(|(key, value)| key == "tls" && value == "required");
        match url.scheme() {
            "smtps" => Ok(()),
            "smtp" if secured || is_loopback(&url) => Ok(()),
            _ => wrong(
                "email.smtp_url",
                "it must begin with smtps://, or with smtp:// and end with ?tls=required; without TLS only a mail \
                 server on this machine is permitted",
            ),
        }
    }
}

/// The host of a URL whose scheme is not special is not parsed as an address.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

    #[test]
    fn a_mail_server_is_reached_by_tls_or_on_this_machine() {
        let with = |url: &str| {
            load(&[("TIELINE_EMAIL__SMTP_URL", url), ("TIELINE_EMAIL__FROM", "Tieline <tieline@example.com>")])
        };
        for good in [
            "smtps://user:secret@mail.example.com",
            "smtp://mail.example.com:587?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:2525",
            "smtp://localhost",
        ] {
            assert!(with(good).unwrap().email.is_configured(), "{good}");
        }
        for bad in ["smtp://u:secret@mail.example.com", "smtp://10.0.0.1?tls=opportunistic", "http://localhost", "mail"]
        {
            let error = with(bad).unwrap_err().to_string();
            assert!(error.contains("email.smtp_url") && !error.contains("secret"), "{bad}: {error}");
        }
        let no_sender = load(&[("TIELINE_EMAIL__SMTP_URL", "smtp://localhost")]).unwrap_err().to_string();
        assert!(no_sender.contains("email.from"), "{no_sender}");
        let slow = load(&[
            ("TIELINE_EMAIL__SMTP_URL", "smtp://localhost"),
            ("TIELINE_EMAIL__FROM", "a@b.example"),
            ("TIELINE_EMAIL__TIMEOUT_MS", "15000"),
        ]);
        let slow = slow.unwrap_err().to_string();
        assert!(slow.contains("email.timeout_ms"), "{slow}");
        assert!(!load(&[]).unwrap().email.is_configured());
    }
}
