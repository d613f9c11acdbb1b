//! API keys of installed apps: the credential by which an app acts for the organisation that installed it.
//!
//! Not here: the members of a descriptor that lead to one (`descriptor/authorisation`), and the stored hashes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use url::Url;

use crate::domain::{
    ids::{IntegrationId, OrganisationId},
    secret::Secret,
};

/// Beginning of every key. Secret scanners and the redaction of records recognise a key by it.
const PREFIX: &str = "tlx_";
/// Length of the random part, in characters of base64url.
const RANDOM_CHARS: usize = 43;

/// Purpose of a key. An app has at most one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Given to the app at its `auth_callback`.
    Callback,
    /// Given to the app's OAuth flow, in the address of its page.
    Connect,
}

impl KeyPurpose {
    /// All purposes.
    pub const ALL: [Self; 2] = [Self::Callback, Self::Connect];

    /// Returns the name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Connect => "connect",
        }
    }

    /// Returns the purpose with a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// Returns a key of random bytes.
pub fn generate(random: [u8; 32]) -> Secret {
    Secret::new(format!("{PREFIX}{}", BASE64URL.encode(random)))
}

/// Returns true if a text has the form of a key. The key of a channel's address is random text that may begin in the same
/// way, and is shorter.
pub fn is_key(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|random| random.len() == RANDOM_CHARS)
}

/// Returns the address of a page with a key of an app, after its own query. The product sends the key alone; by the ids
/// beside it the app finds the settings that the key opens, whichever organisation a member comes from.
pub fn page(mut page: Url, key: &Secret, (organisation, app): (OrganisationId, IntegrationId)) -> Url {
    let mut query = page.query_pairs_mut();
    query.append_pair("api_key", key.expose());
    query.append_pair("org_id", &organisation.to_string()).append_pair("integration_id", &app.to_string());
    drop(query);
    page
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_is_recognised_by_its_form() {
        let key = generate([0xff; 32]);
        assert_eq!(key.expose(), "tlx___________________________________________8");
        assert!(is_key(key.expose()));
        for other in ["", "tlx_", "tlx_short", &key.expose()[4..], &key.expose()[..46], &key.expose().to_uppercase()] {
            assert!(!is_key(other), "{other}");
        }
        // The key of a channel's address has the length of the random part.
        assert!(!is_key(&format!("tlx_{}", "a".repeat(39))));
    }

    #[test]
    fn a_page_keeps_its_own_query() {
        let (key, ids) = (Secret::new("tlx_a-b"), (OrganisationId(Uuid::nil()), IntegrationId(Uuid::nil())));
        let added = format!("api_key=tlx_a-b&org_id={0}&integration_id={0}", Uuid::nil());
        for (address, expected) in [
            ("https://a.example", "https://a.example/?{}"),
            ("https://a.example/x?", "https://a.example/x?{}"),
            ("https://a.example/x?a=1%20b&c", "https://a.example/x?a=1%20b&c&{}"),
            ("https://a.example/x?a=1#top", "https://a.example/x?a=1&{}#top"),
        ] {
            assert_eq!(page(Url::parse(address).unwrap(), &key, ids).as_str(), expected.replace("{}", &added));
        }
    }

    #[test]
    fn purposes_have_names() {
        assert!(KeyPurpose::ALL.into_iter().all(|purpose| KeyPurpose::parse(purpose.as_str()) == Some(purpose)));
        assert_eq!(KeyPurpose::parse("other"), None);
    }
}
