//! Sessions of browsers: a member who is signed in to the portal by a cookie.
//!
//! Not here: their secrets (`app::tenancy::sessions`), and the cookie (`api::shared::session`).

use std::{collections::BTreeSet, fmt};

use chrono::Duration;
use url::{Host, Url};

use crate::domain::{
    Error, Result,
    ambient::Time,
    error::AuthFailure,
    ids::{MemberId, OrganisationId, SessionId, TokenId},
};

/// Lifetime of a session that was made of a token or by an identity provider.
pub const SIGNED_IN_LIFETIME: Duration = Duration::hours(12);
/// Lifetime of a session that was opened by a portal URL.
pub const PORTAL_LIFETIME: Duration = Duration::hours(1);
/// Time in which a portal URL can be opened.
pub const OPENING_LIFETIME: Duration = Duration::minutes(5);

macro_rules! words {
    ($(#[$type_doc:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $wire:literal,)+ }) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$doc])* $name),+ }

        impl $type {
            /// Every variant.
            pub const ALL: [$type; [$($wire),+].len()] = [$($type::$name),+];

            /// Returns the name on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $($type::$name => $wire),+ }
            }

            /// Returns the variant of a name.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// Page of the portal.
    PortalPage {
        /// Connections and destinations.
        Home = "home",
        /// Routes.
        Routes = "routes",
        /// Deliveries and their attempts.
        Deliveries = "deliveries",
        /// Events and their decisions.
        Events = "events",
        /// Apps and webhooks.
        Apps = "apps",
        /// Members, tokens, settings and the audit log.
        Organisation = "organisation",
    }
}

words! {
    /// Colours of the portal.
    Theme {
        /// As the browser prefers.
        Auto = "auto",
        /// Light.
        Light = "light",
        /// Dark.
        Dark = "dark",
    }
}

/// A session, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// The organisation it is valid for.
    pub organisation_id: OrganisationId,
    /// The member who is signed in.
    pub member_id: MemberId,
    /// Token that it came from: its scopes, its expiry and its revocation hold for the session.
    pub token_id: Option<TokenId>,
    /// Pages that it is limited to; empty means all of them.
    pub pages: BTreeSet<PortalPage>,
    /// Colours.
    pub theme: Theme,
    /// Page of the product to which the portal leads back.
    pub return_url: Option<Url>,
    /// True if it may be used in a frame on another site.
    pub embedded: bool,
    /// Time of creation.
    pub created_at: Time,
    /// Time at which it ends; for one that was not opened yet, the last moment to open it.
    pub expires_at: Time,
}

impl Session {
    /// Returns the pages that the session may see.
    pub fn visible_pages(&self) -> Vec<PortalPage> {
        PortalPage::ALL.into_iter().filter(|page| self.pages.is_empty() || self.pages.contains(page)).collect()
    }

    /// Demands that a session limited to pages has one of `pages`, those that need the operation.
    ///
    /// # Errors
    /// [`Error::Session`].
    pub fn require_page(&self, pages: &[PortalPage]) -> Result<()> {
        if self.pages.is_empty() || pages.iter().any(|page| self.pages.contains(page)) {
            return Ok(());
        }
        Err(Error::Session(SessionRefusal::Page))
    }

    /// Demands that the session has not ended.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub fn require_valid(&self, now: Time) -> Result<()> {
        if now < self.expires_at { Ok(()) } else { Err(Error::Unauthenticated(AuthFailure::SessionEnded)) }
    }
}

/// Reason for refusing a request of a valid session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRefusal {
    /// The request was not sent by a page of this service.
    Origin,
    /// The CSRF token is missing or wrong.
    CsrfToken,
    /// The session is limited to pages that do not need the operation.
    Page,
}

impl SessionRefusal {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Origin, Self::CsrfToken, Self::Page];
}

impl fmt::Display for SessionRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin => {
                "a request with a session's cookie has to come from a page of this service: its Origin has to be that of \
                 the public URL"
            }
            Self::CsrfToken => {
                "a request with a session's cookie needs the header X-CSRF-Token with the session's csrfToken"
            }
            Self::Page => "the session is limited to pages of the portal that do not need this operation",
        })
    }
}

/// Protection of a session's cookie on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// https: the cookie is restricted to it, and to this host.
    Secure,
    /// Plain http that does not leave the machine.
    Loopback,
}

impl Transport {
    /// Returns the transport of a service with this public URL.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] over plain http, where anybody on the way reads the cookie.
    pub fn of(public_url: &Url) -> Result<Self> {
        if public_url.scheme() == "https" {
            return Ok(Self::Secure);
        }
        if is_loopback(public_url) {
            return Ok(Self::Loopback);
        }
        Err(Error::FailedPrecondition {
            message: format!(
                "the public URL {public_url} is plain http, where anybody on the way could read the cookie of a session: \
                 browsers sign in over https, or over http on loopback (localhost, 127.0.0.1, [::1]); set \
                 TIELINE_PUBLIC_URL to the https address"
            ),
        })
    }
}

/// Returns true if a URL leads to the machine that opens it.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads the page of the product to which the portal leads back: https, or http on loopback.
///
/// # Errors
/// [`Error::Invalid`] naming `/returnUrl`.
pub fn return_url(text: &str) -> Result<Url> {
    let plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.as_str().len() <= 2000;
    Url::parse(text).ok().filter(|url| plain(url) && is_trustworthy(url)).ok_or_else(|| {
        Error::invalid("/returnUrl", "must be an https URL without credentials, or an http URL on loopback")
    })
}

/// Returns true for https, and for http on loopback.
fn is_trustworthy(url: &Url) -> bool {
    (url.scheme() == "https" && url.host().is_some()) || (url.scheme() == "http" && is_loopback(url))
}

/// Maximum number of origins that may frame the portal of an organisation.
const MAX_ORIGINS: usize = 20;

/// Origins whose pages may frame the portal of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameAncestors(Vec<String>);

impl FrameAncestors {
    /// Reads a list of origins: https, or http on loopback. Repeated ones are dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each item.
    pub fn read(texts: &[String]) -> Result<Self> {
        if texts.len() > MAX_ORIGINS {
            return Err(Error::invalid("/origins", format!("must have at most {MAX_ORIGINS} items")));
        }
        let mut origins: Vec<String> = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let origin = origin(text).ok_or_else(|| {
                Error::invalid(
                    format!("/origins/{index}"),
                    "must be an origin such as https://app.example.com: https, or http on loopback, without a path",
                )
            })?;
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        Ok(Self(origins))
    }

    /// Returns the origins.
    pub fn origins(&self) -> &[String] {
        &self.0
    }

    /// Returns the sources of the directive `frame-ancestors` (CSP 3, 6.4.2.1).
    pub fn directive(&self) -> String {
        if self.0.is_empty() { "'none'".to_owned() } else { format!("'self' {}", self.0.join(" ")) }
    }
}

/// Reads an origin. Nothing of it may end the directive or the header that it becomes a part of.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !text.ends_with('/');
    let is_plain = url.username().is_empty() && url.password().is_none();
    let origin = url.origin().ascii_serialization();
    let is_source = origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-[]_".contains(&byte));
    (is_bare && is_plain && is_source && is_trustworthy(&url)).then_some(origin)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn with(pages: &[PortalPage]) -> Session {
        let id = Uuid::from_u128(1);
        Session {
            id: id.into(),
            organisation_id: id.into(),
            member_id: id.into(),
            token_id: None,
            pages: pages.iter().copied().collect(),
            theme: Theme::Auto,
            return_url: None,
            embedded: false,
            created_at: Time::UNIX_EPOCH,
            expires_at: Time::UNIX_EPOCH + Duration::hours(1),
        }
    }

    #[test]
    fn a_limited_session_sees_its_pages_alone() {
        let all = with(&[]);
        assert_eq!(all.visible_pages(), PortalPage::ALL);
        assert!(all.require_page(&[]).is_ok(), "it is not limited");
        let limited = with(&[PortalPage::Deliveries, PortalPage::Home]);
        assert_eq!(limited.visible_pages(), [PortalPage::Home, PortalPage::Deliveries]);
        assert!(limited.require_page(&[PortalPage::Events, PortalPage::Home]).is_ok());
        for pages in [&[][..], &[PortalPage::Organisation]] {
            assert!(matches!(limited.require_page(pages), Err(Error::Session(SessionRefusal::Page))), "{pages:?}");
        }
    }

    #[test]
    fn a_session_ends_at_its_expiry() {
        let session = with(&[]);
        assert!(session.require_valid(session.expires_at - Duration::milliseconds(1)).is_ok());
        assert!(session.require_valid(session.expires_at).is_err());
    }

    #[test]
    fn a_cookie_leaves_the_machine_over_https_alone() {
        for (url, transport) in [
            ("https://tieline.example/sub", Some(Transport::Secure)),
            ("http://127.0.0.1:8080", Some(Transport::Loopback)),
            ("http://127.8.9.1", Some(Transport::Loopback)),
            ("http://localhost:8080", Some(Transport::Loopback)),
            ("http://a.localhost", Some(Transport::Loopback)),
            ("http://[::1]:8080", Some(Transport::Loopback)),
            ("http://tieline.example", None),
            ("http://10.0.0.1", None),
            ("http://localhost.example", None),
            ("http://0.0.0.0:8080", None),
        ] {
            assert_eq!(Transport::of(&url.parse().unwrap()).ok(), transport, "{url}");
        }
    }

    #[test]
    fn an_origin_is_an_origin() {
        let read = |text: &str| FrameAncestors::read(&[text.to_owned()]);
        for good in
            ["https://app.example.com", "https://app.example.com:8443", "http://localhost:3000", "http://[::1]:1"]
        {
            assert_eq!(read(good).unwrap().origins(), [good]);
        }
        assert_eq!(read("HTTPS://App.Example.com:443").unwrap().origins(), ["https://app.example.com"]);
        for bad in [
            "",
            "app.example.com",
            "*",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com/page",
            "https://app.example.com?x",
            "https://user@app.example.com",
            "http://app.example.com",
            "https:",
            "data:text/html,x",
            "https://a.example; script-src *",
            "https://a.example, https://b.example",
        ] {
            let Err(Error::Invalid(violations)) = read(bad) else { panic!("{bad}") };
            assert_eq!(violations[0].field, "/origins/0");
        }
        let many = vec!["https://a.example".to_owned(); MAX_ORIGINS + 1];
        assert!(FrameAncestors::read(&many).is_err());
        assert_eq!(FrameAncestors::read(&many[1..]).unwrap().origins().len(), 1);
        assert_eq!(FrameAncestors::default().directive(), "'none'");
        assert_eq!(read("https://a.example").unwrap().directive(), "'self' https://a.example");
    }

    #[test]
    fn the_portal_leads_back_to_pages_alone() {
        for good in ["https://app.example.com/settings?tab=1#x", "http://127.0.0.1:3000/back"] {
            assert!(return_url(good).is_ok(), "{good}");
        }
        for bad in ["", "/settings", "javascript:alert(1)", "http://app.example.com/", "https://u:p@app.example.com/"] {
            assert!(return_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_come_back() {
        assert!(PortalPage::ALL.into_iter().all(|page| PortalPage::parse(page.as_str()) == Some(page)));
        assert!(Theme::ALL.into_iter().all(|theme| Theme::parse(theme.as_str()) == Some(theme)));
        assert_eq!(Theme::parse("pink"), None);
    }
}
