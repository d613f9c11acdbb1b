//! The egress guard: the only client for a tenant's URL. It reaches the public internet and networks that the operator
//! allows, and nothing else: not this machine, not its neighbours, not a cloud's metadata service (OWASP API7,
//! CWE-918).
//!
//! - `text`: rules for a URL's text, without I/O.
//! - `address`: rules for addresses.
//! - `resolve`: names, and their addresses.
//! - [`Refusal`]: the rule that a URL breaks.
//!
//! A URL is checked when it is saved and again on each call, for names change their addresses, on purpose too ("DNS
//! rebinding"). The check of addresses is in the resolver from which the HTTP client gets the addresses it then dials,
//! so there is no moment in between. The client does not resolve a URL with an address in the place of a name; those
//! are checked before. A kept connection leads to the address that was checked for it. And when an answer arrives, its
//! remote address is checked once more.

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
use crate::{
    domain::{Result, ambient::Time, pipeline::delivery::Outcome},
    telemetry::trace,
};

/// Client for tenants' URLs. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
}

struct Inner {
    text: TextRules,
    limits: Limits,
    /// For the public internet and the networks that the operator allows.
    anywhere: Egress,
    /// Only for networks that the operator allows, but by `http`, with any port and by private names.
    allowed_only: Egress,
}

/// An HTTP client with the resolver by which it dials. Kept connections of one are not used by another.
struct Egress {
    resolver: CheckedResolver,
    client: Client,
}

/// A request to a tenant's URL. It is sent once, as it is: only the headers of HTTP itself, our User-Agent and the
/// `traceparent` of the work at hand are added. There is no `Debug`, for there may be credentials in the headers.
#[derive(Clone)]
pub struct Outgoing {
    /// HTTP method.
    pub method: Method,
    /// The URL as saved. It is checked again.
    pub url: String,
    /// Headers that [`may_be_set`] accepts; the others are left out.
    pub headers: HeaderMap,
    /// The body, byte by byte.
    pub body: Bytes,
}

/// The answer, at least its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status. A redirection is a status like any other: it is not followed.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as received, or its beginning.
    pub body: Vec<u8>,
    /// Reason for an incomplete body.
    pub incomplete: Option<Unreachable>,
}

impl Answer {
    /// Returns the requested backoff, in seconds or as a date: 1 second to 1 hour.
    pub fn retry_after(&self, now: Time) -> Option<Duration> {
        http::retry_after_at(&self.headers, now)
    }
}

/// Reason for a missing answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The URL is not called.
    Refused(Refusal),
    /// It was called, and no valid answer came back. The request may have been carried out.
    Unreachable(Unreachable),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<Failure> for Outcome {
    /// A refused URL may lead elsewhere tomorrow: the circuit of the destination opens, with half-open probes.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Outcome::AddressRefused { reason: format!("the URL {refusal}") },
            Failure::Unreachable(reason) => Outcome::Unreachable { reason: reason.as_str().into() },
        }
    }
}

impl Guard {
    /// Creates a guard with `policy`, which finds addresses by `resolver` and never exceeds `limits`.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::domain::Error::Internal) when one of our own hosts is not a valid one, or TLS cannot
    /// be set up on this machine.
    pub fn new(policy: EgressPolicy, resolver: Arc<dyn Resolve>, limits: Limits) -> Result<Self> {
        let networks = Arc::new(Networks::new(policy.allow.clone()));
        let egress = |allowed_only| -> Result<Egress> {
            let resolver = CheckedResolver { resolver: resolver.clone(), networks: networks.clone(), allowed_only };
            let client = http::guarded_client(&limits, Arc::new(resolver.clone()))?;
            Ok(Egress { resolver, client })
        };
        let (anywhere, allowed_only) = (egress(false)?, egress(true)?);
        let text = TextRules::new(policy, networks)?;
        Ok(Self { inner: Arc::new(Inner { text, limits, anywhere, allowed_only }) })
    }

    /// Checks a URL without any I/O, for when it is saved. Names are resolved when they are called.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, url: &str) -> Result<GuardedUrl, Refusal> {
        self.inner.text.check(url)
    }

    /// Sends a request, once, and reads the answer, all within `total` together. At most `max_answer_bytes` of the body
    /// are returned. Neither exceeds the guard's own limits.
    ///
    /// # Errors
    /// [`Failure`] when not even the headers of an answer arrived.
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
        // For a name that was required to lead into an allowed network and does not, this is the reason.
        let refused = |refusal| Failure::Refused(reason.filter(|_| refusal == Refusal::LeadsInside).unwrap_or(refusal));
        let egress = if reason.is_some() { allowed_only } else { anywhere };
        let port = url.port_or_known_default().unwrap_or_default();
        if let (Some(name), true) = (url.domain(), text.is_own_port(port)) {
            // The client's resolver does not get the port, so here the name is resolved before.
            let asked = tokio::time::timeout(limits.connect, egress.resolver.addresses(name)).await;
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
        if let Some(trace) = trace::current().and_then(|trace| HeaderValue::try_from(trace.to_string()).ok()) {
            headers.entry(TRACEPARENT).or_insert(trace);
        }
        let sent = egress.client.request(request.method, url).headers(headers).body(request.body).send().await;
        let response = sent.map_err(|error| match refusal_in(&error) {
            Some(refusal) => refused(refusal),
            None => Failure::Unreachable(http::classify(error)),
        })?;
        let peer = response.remote_addr().ok_or(Failure::Unreachable(Unreachable::Other))?;
        if !egress.resolver.may_be_called(peer.ip()) {
            tracing::error!(address = %peer, "a connection led to an address that was not checked; its answer is dropped");
            return Err(refused(Refusal::LeadsInside));
        }
        if text.is_ourselves(peer.ip(), peer.port()) {
            return Err(Refusal::Ourselves.into());
        }
        http::receive(response, max_bytes, got).await.map_err(Failure::Unreachable)
    }
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Headers of the connection and of HTTP itself (RFC 9110, 7.6.1). `Host` among them: with another one, a proxy in
/// front of many would route to another host.
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

/// Accepts a header for a request to a tenant's URL.
pub fn may_be_set(header: &HeaderName) -> bool {
    !NOT_SET.contains(header)
}

#[cfg(test)]
mod tests;
