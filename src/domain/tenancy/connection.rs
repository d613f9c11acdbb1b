//! Connections: an organisation's authorised access to its providers, in the form that all providers share.
//!
//! Not here: the settings of a connection, which belong to the room of its provider.

use url::{Origin, Url};

use crate::domain::{
    Error, Result,
    ambient::Time,
    ids::{ConnectionId, DestinationId, UserId},
};

/// An organisation's access to one account at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its identifier.
    pub id: ConnectionId,
    /// Name of the provider, such as `slack`.
    pub provider: &'static str,
    /// Its state.
    pub state: ConnectionState,
    /// Name of the account at the provider: of a workspace, of a login.
    pub name: String,
    /// The provider's own id of the account or the installation.
    pub external_id: String,
    /// Destination that belongs to the connection, if it has one.
    pub destination_id: Option<DestinationId>,
    /// User who connected it.
    pub connected_by: UserId,
    /// Time of connecting.
    pub created_at: Time,
}

/// State of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It works, as far as is known.
    Connected,
    /// A member paused it.
    Paused,
    /// The provider no longer permits it.
    NeedsAttention {
        /// Reason, in a sentence.
        reason: &'static str,
        /// Cure, in a sentence.
        cure: &'static str,
    },
}

/// Address at which a browser authorises a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionAuthorization {
    /// The address.
    pub url: Url,
    /// Time after which it is no longer valid.
    pub expires_at: Time,
}

/// Result of the test of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionTest {
    /// The provider accepted it.
    Passed,
    /// The provider refused it, for this reason.
    Failed(String),
}

/// A channel at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionChannel {
    /// The provider's id of the channel.
    pub id: String,
    /// Its name.
    pub name: String,
    /// True if it has restricted visibility.
    pub is_private: bool,
    /// True if messages can be posted there.
    pub is_member: bool,
}

/// A repository at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRepository {
    /// The provider's id of the repository.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// True if it has restricted visibility.
    pub is_private: bool,
}

/// Rule of the pages to which a browser may be sent after a flow: a free choice would make an open redirector of us.
#[derive(Clone, Debug)]
pub struct ReturnUrls(Vec<Origin>);

impl ReturnUrls {
    /// Permits every page with the origin of one of `urls`.
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Self {
        Self(urls.into_iter().map(Url::origin).collect())
    }

    /// Reads the address of a page.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the permitted origins.
    pub fn read(&self, text: &str) -> Result<Url> {
        let url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none());
        url.filter(|url| self.0.contains(&url.origin())).ok_or_else(|| {
            let origins: Vec<String> = self.0.iter().map(Origin::ascii_serialization).collect();
            let rule = "must be the address of a page of this service or of the product (public_url, product.app_url)";
            Error::invalid("/returnUrl", format!("{rule}: {}", origins.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_returns_to_pages_of_ours_alone() {
        let urls = ["https://tieline.example/sub", "https://app.example:8443"].map(|url| Url::parse(url).unwrap());
        let rule = ReturnUrls::new(&urls);
        for good in ["https://tieline.example/x?y=1#z", "https://TIELINE.example", "https://app.example:8443/settings"]
        {
            assert!(rule.read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/settings",
            "//tieline.example/",
            "http://tieline.example/",
            "https://tieline.example:444/",
            "https://tieline.example.evil.example/",
            "https://user@tieline.example/",
            "https://tieline.example@evil.example/",
            "https://app.example/",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            let Err(Error::Invalid(violations)) = rule.read(bad) else { panic!("{bad}") };
            assert_eq!(violations[0].field, "/returnUrl");
            assert!(violations[0].message.ends_with(": https://tieline.example, https://app.example:8443"));
        }
    }
}
