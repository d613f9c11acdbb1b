//! The settings of our app at GitHub.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::ConfigError;
use crate::domain::secret::Secret;

/// `[github]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Github {
    pub app_id: String,
    pub app_slug: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub private_key: Secret,
    pub private_key_file: PathBuf,
    pub webhook_secret: Secret,
    pub webhook_secret_previous: Secret,
    pub web_base: Url,
    pub api_base: Url,
    pub redirect_uri: String,
}

impl Github {
    /// Reports that an app is configured.
    pub fn is_configured(&self) -> bool {
        !self.app_id.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        if !self.redirect_uri.is_empty() && Url::parse(&self.redirect_uri).is_err() {
            return wrong("github.redirect_uri", "it must be a URL");
        }
        if !self.is_configured() {
            return Ok(());
        }
        if !self.app_id.bytes().all(|b| b.is_ascii_digit()) {
            return wrong(
                "github.app_id",
                "it must be the number on the app's settings page, not its client id or name",
            );
        }
        let has_key_file = !self.private_key_file.as_os_str().is_empty();
        for (key, is_missing) in [
            ("github.app_slug", self.app_slug.is_empty()),
            ("github.client_id", self.client_id.is_empty()),
            ("github.client_secret", self.client_secret.expose().is_empty()),
            ("github.private_key", self.private_key.expose().is_empty() && !has_key_file),
            ("github.webhook_secret", self.webhook_secret.expose().is_empty()),
        ] {
            if is_missing {
                let or_file = if key == "github.private_key" { ", or github.private_key_file," } else { "" };
                return wrong(key, &format!("it{or_file} is needed where github.app_id is set"));
            }
        }
        if has_key_file && !self.private_key.expose().is_empty() {
            return wrong("github.private_key_file", "it and github.private_key exclude each other");
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;

    use crate::config::tests::load;

    pub(in crate::config) const GITHUB: [(&str, &str); 6] = [
        ("TIELINE_GITHUB__APP_ID", "4711"),
        ("TIELINE_GITHUB__APP_SLUG", "tieline"),
        ("TIELINE_GITHUB__CLIENT_ID", "Iv1.abc"),
        ("TIELINE_GITHUB__CLIENT_SECRET", "hush"),
        ("TIELINE_GITHUB__PRIVATE_KEY", "hush"),
        ("TIELINE_GITHUB__WEBHOOK_SECRET", "hush"),
    ];

    #[test]
    fn a_github_app_is_complete_or_the_missing_key_is_named() {
        assert!(!load(&[]).unwrap().github.is_configured());
        let config = load(&GITHUB).unwrap();
        assert!(config.github.is_configured());
        assert_eq!(config.github.app_id, "4711");
        for missing in 1..GITHUB.len() {
            let mut pairs = GITHUB.to_vec();
            let key = pairs.remove(missing).0.trim_start_matches("TIELINE_GITHUB__").to_lowercase();
            let error = load(&pairs).unwrap_err().to_string();
            assert!(error.contains(&format!("github.{key} ")) && error.contains("is needed"), "{error}");
        }
        // Without an app, the other settings may be present.
        assert!(!load(&GITHUB[1..]).unwrap().github.is_configured());
    }

    #[test]
    fn githubs_other_settings_are_checked_too() {
        let with = |pair| load(&[&GITHUB[..], &[pair]].concat());
        for (key, value, expected) in [
            ("TIELINE_GITHUB__APP_ID", "Iv1.abc", "github.app_id"),
            ("TIELINE_GITHUB__REDIRECT_URI", "callback", "github.redirect_uri"),
            ("TIELINE_GITHUB__PRIVATE_KEY_FILE", "/k.pem", "github.private_key_file"),
            ("TIELINE_GITHUB__API_BASE", "api.github.com", "api_base"),
        ] {
            let error = with((key, value)).unwrap_err().to_string();
            assert!(error.contains(expected), "{key}: {error}");
        }
        let key_in_file = [&GITHUB[..4], &GITHUB[5..], &[("TIELINE_GITHUB__PRIVATE_KEY_FILE", "/k.pem")]].concat();
        assert_eq!(load(&key_in_file).unwrap().github.private_key_file, PathBuf::from("/k.pem"));
    }
}
