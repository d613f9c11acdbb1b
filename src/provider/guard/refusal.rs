//! Reasons for which a URL is not called.

use std::fmt;

use crate::domain::Error;

/// The rule that a URL breaks. It can be shown to the author of the URL: the address of a name is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Not an absolute URL, or one that programs parse in different ways.
    NotAUrl,
    /// Longer than [`MAX_URL_BYTES`](super::MAX_URL_BYTES).
    TooLong,
    /// Neither `https` nor, where that is allowed, `http`.
    Scheme,
    /// With a user name or a password.
    Userinfo,
    /// With a fragment, which is never sent.
    Fragment,
    /// With a host that is not a valid DNS name.
    BadName,
    /// With a host name of private networks.
    PrivateName,
    /// With a port that is not allowed.
    Port {
        /// The port.
        port: u16,
    },
    /// With an address as its host that is not allowed.
    Address,
    /// With a host name that leads to an address that is not allowed.
    LeadsInside,
    /// Leads back to this service.
    Ourselves,
}

impl Refusal {
    /// Returns a stable identifier of the rule, for programs and metrics.
    pub fn rule(self) -> &'static str {
        match self {
            Refusal::NotAUrl => "not-a-url",
            Refusal::TooLong => "too-long",
            Refusal::Scheme => "scheme",
            Refusal::Userinfo => "userinfo",
            Refusal::Fragment => "fragment",
            Refusal::BadName => "bad-name",
            Refusal::PrivateName => "private-name",
            Refusal::Port { .. } => "port",
            Refusal::Address => "address",
            Refusal::LeadsInside => "leads-inside",
            Refusal::Ourselves => "ourselves",
        }
    }

    /// Converts to an error about an input: `field` is the JSON pointer of the URL.
    pub fn into_error(self, field: &str) -> Error {
        Error::invalid(field, self.to_string())
    }
}

impl fmt::Display for Refusal {
    /// The rule in words, as a predicate of the field's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Refusal::NotAUrl => "is not a URL such as https://example.org/hook",
            Refusal::TooLong => "is longer than 2048 bytes",
            Refusal::Scheme => "must begin with https://",
            Refusal::Userinfo => "must not contain a user name or a password; use a header for credentials",
            Refusal::Fragment => "must not contain a #: what follows it is never sent",
            Refusal::BadName => "has a host that is no complete DNS name, such as example.org without a dot at its end",
            Refusal::PrivateName => "has a host that means something only in a private network",
            Refusal::Port { port } => return write!(f, "has the port {port}, which is not called; use 443"),
            Refusal::Address => "leads to a private or reserved network, which is not called",
            Refusal::LeadsInside => "has a host whose name leads to a private or reserved network, which is not called",
            Refusal::Ourselves => "leads back to this service",
        };
        f.write_str(words)
    }
}

impl std::error::Error for Refusal {}
