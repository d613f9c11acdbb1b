//! Why a URL is not called.

use std::fmt;

use crate::domain::Error;

/// The rule that a URL breaks. It can be shown to whoever gave the URL: where a name leads to is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is no absolute URL, or one that is written so that programs read it in different ways.
    NotAUrl,
    /// It has more than [`MAX_URL_BYTES`](super::MAX_URL_BYTES).
    TooLong,
    /// It is neither `https` nor, where that may be, `http`.
    Scheme,
    /// It has a user name or a password.
    Userinfo,
    /// It has a fragment, which is never sent.
    Fragment,
    /// Its host is no name that the DNS could have.
    BadName,
    /// Its host is a name that means something only in our own network.
    PrivateName,
    /// Its port is not one of those that are called.
    Port {
        /// Which it is.
        port: u16,
    },
    /// Its host is an address that is not called.
    Address,
    /// Its host is a name that leads to an address that is not called.
    LeadsInside,
    /// It leads back to us.
    Ourselves,
}

impl Refusal {
    /// A stable word for the rule, for programs and metrics.
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

    /// As a broken rule of an input: `field` is the JSON pointer of the URL.
    pub fn into_error(self, field: &str) -> Error {
        Error::invalid(field, self.to_string())
    }
}

impl fmt::Display for Refusal {
    /// In words, to go after the field's name.
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
