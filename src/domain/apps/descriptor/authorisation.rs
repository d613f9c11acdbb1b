//! Authorisation of an app: the addresses in a descriptor that get an API key of the organisation. An agent is called at
//! its `auth_callback`; an OAuth app has a page at `auth_initiate_url`, to which a member's browser is sent.
//!
//! Not here: the keys (`key`), the calls (`call`).

use serde_json::{Map, Value};
use url::Url;

use super::{
    address::{http_url, is_none},
    finding::{Findings, rule},
    lint::{flag, text},
};
use crate::domain::apps::key::KeyPurpose;

/// Addresses that get an API key of the organisation: absolute, over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorisation {
    /// URL that is called with a key once the app is installed.
    pub callback_url: Option<String>,
    /// Page of an OAuth app to which a member's browser is sent with a key.
    pub initiate_url: Option<String>,
}

impl Authorisation {
    /// Reads the members of the describing object at `base`. Older descriptors have them unused, as their template had
    /// them, so an address that is not valid is a warning and counts as absent.
    pub(super) fn read(data: &Map<String, Value>, base: &str, findings: &mut Findings) -> Self {
        let callback_url = address(data, "auth_callback", base, findings);
        if flag(data, "is_oauth", base, findings) != Some(true) {
            return Self { callback_url, initiate_url: None };
        }
        let initiate_url = address(data, "auth_initiate_url", base, findings);
        if initiate_url.is_none() {
            let message = "is the page to which a member who connects is sent; without it nobody can connect";
            findings.warning(rule::MISSING, format!("{base}/auth_initiate_url"), message);
        }
        Self { callback_url, initiate_url }
    }

    /// Returns the origin of the address that gets the key for a purpose: scheme, host and port.
    pub fn origin(&self, purpose: KeyPurpose) -> Option<String> {
        let address = match purpose {
            KeyPurpose::Callback => &self.callback_url,
            KeyPurpose::Connect => &self.initiate_url,
        };
        Url::parse(address.as_deref()?).ok().map(|url| url.origin().ascii_serialization())
    }
}

fn address(data: &Map<String, Value>, name: &str, base: &str, findings: &mut Findings) -> Option<String> {
    let address = text(data, name, base, findings).filter(|text| !is_none(text))?;
    match http_url(&address) {
        Ok(_) => Some(address),
        Err(message) => {
            findings.warning(rule::URL, format!("{base}/{name}"), format!("{message}; it is ignored"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CALLBACK: &str = "https://agent.example/callback";
    const PAGE: &str = "http://oauth.example:8080/begin?app=1";

    fn read(members: &Value) -> (Authorisation, Vec<String>) {
        let mut findings = Findings::default();
        let read = Authorisation::read(members.as_object().unwrap(), "/data", &mut findings);
        (read, findings.finish(|_| None).iter().map(|finding| finding.path.clone()).collect())
    }

    #[test]
    fn addresses_are_read_with_their_origins() {
        let (read, findings) = read(&json!({
            "auth_callback": format!(" {CALLBACK} "), "is_oauth": true, "auth_initiate_url": PAGE,
        }));
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!((read.callback_url.as_deref(), read.initiate_url.as_deref()), (Some(CALLBACK), Some(PAGE)));
        assert_eq!(read.origin(KeyPurpose::Callback).as_deref(), Some("https://agent.example"));
        assert_eq!(read.origin(KeyPurpose::Connect).as_deref(), Some("http://oauth.example:8080"));
        assert_eq!(Authorisation::default().origin(KeyPurpose::Callback), None);
    }

    #[test]
    fn unusable_addresses_count_as_absent() {
        for (members, warned) in [
            (json!({}), vec![]),
            (json!({"auth_callback": "", "is_oauth": false, "auth_initiate_url": "none"}), vec![]),
            (json!({"auth_callback": null, "auth_initiate_url": PAGE}), vec![]),
            (json!({"auth_callback": "/callback"}), vec!["/data/auth_callback"]),
            (json!({"auth_callback": "ftp://agent.example/"}), vec!["/data/auth_callback"]),
            (json!({"auth_callback": "https://{host}/callback"}), vec!["/data/auth_callback"]),
            (json!({"auth_callback": 7}), vec!["/data/auth_callback"]),
            (json!({"is_oauth": true}), vec!["/data/auth_initiate_url"]),
            (json!({"is_oauth": true, "auth_initiate_url": "javascript:alert(1)"}), vec!["/data/auth_initiate_url"; 2]),
            (json!({"is_oauth": 1, "auth_initiate_url": PAGE}), vec!["/data/is_oauth"]),
        ] {
            assert_eq!(read(&members), (Authorisation::default(), warned.into_iter().map(String::from).collect()));
        }
    }
}
