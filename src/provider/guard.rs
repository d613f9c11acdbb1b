//! The only way to a URL that a tenant gave. It leads to the public internet and to networks that the operator allows,
//! and nowhere else: not to this machine, not to its neighbours, not to where a cloud keeps its credentials (OWASP API7,
//! CWE-918).
//!
//! - `text`: what can be said of a URL without asking anybody.
//! - `address`: which addresses may be called.
//! - `resolve`: names, and the addresses they lead to.
//! - [`Refusal`]: why a URL is not called.
//!
//! A URL is checked when it is saved and again each time it is called, for names change their addresses, on purpose too
//! ("DNS rebinding"). The check of addresses stands where the HTTP client asks for those it then dials, so there is no
//! moment in between. The client does not ask where a URL has an address in the place of a name; those are checked
//! before. A kept connection leads to where it led when it was checked. And when an answer comes, the address that it
//! comes from is checked once more.

mod address;
mod refusal;
mod resolve;
mod text;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{Client, header};

pub use refusal::Refusal;
pub use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
pub use resolve::{Resolve, SystemResolver};
pub use text::{EgressPolicy, GuardedUrl, MAX_URL_BYTES};

pub use super::http::{Limits, Unreachable};

use self::{
    address::Networks,
    resolve::{CheckedResolver, NotResolved, refusal_in},
    text::TextRules,
};
use super::http::{self, Exchange};
use crate::domain::{Result, ambient::Time, pipeline::delivery::Verdict};

/// Calls URLs that tenants gave. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
}

struct Inner {
    text: TextRules,
    limits: Limits,
    /// To the public internet and to what the operator allows.
    anywhere: Way,
    /// Only to what the operator allows, but by `http`, with any port and by private names.
    allowed_only: Way,
}

/// A client with the resolver that it dials by. Kept connections of one are not used by another.
struct Way {
    resolver: CheckedResolver,
    client: Client,
}

/// A request to a tenant's URL. It is sent once, as it stands: nothing is added but what HTTP needs and who we are. There
/// is no `Debug`, for there may be credentials in the headers.
#[derive(Clone)]
pub struct Outgoing {
    /// How.
    pub method: Method,
    /// Where to, as it was saved. It is checked again.
    pub url: String,
    /// Those that [`may_be_set`]; the others are left out.
    pub headers: HeaderMap,
    /// What is sent, byte by byte.
    pub body: Bytes,
}

/// What came back, at least the headers of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status. A redirection is one as any other: nobody goes there.
    pub status: u16,
    /// All that the headers said.
    pub headers: HeaderMap,
    /// The body as it came over the wire, or the beginning of it.
    pub body: Vec<u8>,
    /// Why the body is not complete, if it is not.
    pub incomplete: Option<Unreachable>,
}

impl Answer {
    /// The pause that it asks for, in seconds or as a date: 1 second to 1 hour.
    pub fn retry_after(&self, now: Time) -> Option<Duration> {
        http::retry_after_at(&self.headers, now)
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The URL is not called.
    Refused(Refusal),
    /// It was called, and nothing that makes sense came back. The request may have been carried out.
    Unreachable(Unreachable),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<Failure> for Verdict {
    /// A URL that is refused today may lead elsewhere tomorrow: the destination is broken, and probed now and then.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Verdict::AddressRefused { reason: format!("the URL {refusal}") },
            Failure::Unreachable(reason) => Verdict::Unreachable { reason: reason.as_str().into() },
        }
    }
}

impl Guard {
    /// Goes where `policy` lets it, finds addresses by `resolver`, and never beyond `limits`.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::domain::Error::Internal) when one of our own hosts is none, or TLS cannot be set up on
    /// this machine.
    pub fn new(policy: EgressPolicy, resolver: Arc<dyn Resolve>, limits: Limits) -> Result<Self> {
        let networks = Arc::new(Networks::new(policy.allow.clone()));
        let way = |allowed_only| -> Result<Way> {
            let resolver = CheckedResolver { resolver: resolver.clone(), networks: networks.clone(), allowed_only };
            let client = http::guarded_client(&limits, Arc::new(resolver.clone()))?;
            Ok(Way { resolver, client })
        };
        let (anywhere, allowed_only) = (way(false)?, way(true)?);
        let text = TextRules::new(policy, networks)?;
        Ok(Self { inner: Arc::new(Inner { text, limits, anywhere, allowed_only }) })
    }

    /// What can be said of a URL without any I/O, for when it is saved. Names are resolved when they are called.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, url: &str) -> Result<GuardedUrl, Refusal> {
        self.inner.text.check(url)
    }

    /// Sends a request, once, and reads the answer, all within `total` together. Of the body no more than
    /// `max_answer_bytes` are kept. Neither goes beyond the guard's own limits.
    ///
    /// # Errors
    /// [`Failure`] when not even the headers of an answer came.
    pub async fn send(&self, request: Outgoing, total: Duration, max_answer_bytes: usize) -> Result<Answer, Failure> {
        let limits = &self.inner.limits;
        let mut got = Exchange::default();
        let whole = self.exchange(request, max_answer_bytes.min(limits.max_answer_bytes), &mut got);
        let failure = match tokio::time::timeout(total.min(limits.total), whole).await {
            Ok(Ok(())) => None,
            Ok(Err(Failure::Refused(refusal))) => return Err(refusal.into()),
            Ok(Err(Failure::Unreachable(reason))) => Some(reason),
            Err(_) => Some(Unreachable::Timeout),
        };
        let Exchange { status, headers, body, .. } = got;
        match (status, failure) {
            (Some(status), incomplete) => Ok(Answer { status: status.as_u16(), headers, body, incomplete }),
            (None, failure) => Err(Failure::Unreachable(failure.unwrap_or(Unreachable::Other))),
        }
    }

    async fn exchange(&self, request: Outgoing, max_bytes: usize, got: &mut Exchange) -> Result<(), Failure> {
        let Inner { text, limits, anywhere, allowed_only } = &*self.inner;
        let GuardedUrl { url, allowed_only: reason } = text.check(&request.url)?;
        // Of a name that had to lead into an allowed network and does not, this is what is wrong.
        let refused = |refusal| Failure::Refused(reason.filter(|_| refusal == Refusal::LeadsInside).unwrap_or(refusal));
        let way = if reason.is_some() { allowed_only } else { anywhere };
        let port = url.port_or_known_default().unwrap_or_default();
        if let (Some(name), true) = (url.domain(), text.is_own_port(port)) {
            // The client's resolver is not told the port, so here it is asked before.
            let asked = tokio::time::timeout(limits.connect, way.resolver.addresses(name)).await;
            let addresses = match asked {
                Ok(Ok(addresses)) => addresses,
                Ok(Err(NotResolved::Refused(refusal))) => return Err(refused(refusal)),
                Ok(Err(NotResolved::Lookup(_))) | Err(_) => return Err(Failure::Unreachable(Unreachable::Connect)),
            };
            if addresses.into_iter().any(|address| text.is_ourselves(address, port)) {
                return Err(Refusal::Ourselves.into());
            }
        }
        let mut headers = request.headers;
        for name in NOT_SET {
            headers.remove(name);
        }
        let sent = way.client.request(request.method, url).headers(headers).body(request.body).send().await;
        let response = sent.map_err(|error| match refusal_in(&error) {
            Some(refusal) => refused(refusal),
            None => Failure::Unreachable(http::classify(error)),
        })?;
        let peer = response.remote_addr().ok_or(Failure::Unreachable(Unreachable::Other))?;
        if !way.resolver.may_be_called(peer.ip()) {
            tracing::error!(address = %peer, "a connection led to an address that was not checked; its answer is dropped");
            return Err(refused(Refusal::LeadsInside));
        }
        if text.is_ourselves(peer.ip(), peer.port()) {
            return Err(Refusal::Ourselves.into());
        }
        http::receive(response, max_bytes, got).await.map_err(Failure::Unreachable)
    }
}

/// What belongs to the connection and to HTTP itself (RFC 9110, 7.6.1). `Host` among them: with another one, a proxy in
/// front of many would be led to somebody else.
const NOT_SET: [HeaderName; 11] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Whether a request to a tenant's URL may have this header.
pub fn may_be_set(header: &HeaderName) -> bool {
    !NOT_SET.contains(header)
}

#[cfg(test)]
mod tests;
