//! One exchange with an upstream: bounded in time and size as a whole, and never redirected.
//!
//! An upstream may answer headers and then never a body, or a body without end. So one time limit covers everything
//! from connecting to the last byte, and at most a fixed number of bytes of a body is read.

use std::{
    fmt, mem,
    sync::{Arc, LazyLock},
    time::Duration,
};

use chrono::DateTime;
use reqwest::{
    Client, ClientBuilder, Error as HttpError, RequestBuilder, Response, StatusCode,
    dns::Resolve,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
    redirect, retry,
};
use rustls::{ClientConfig, client::Resumption, crypto::aws_lc_rs};
use rustls_platform_verifier::BuilderVerifierExt;
use url::Url;

use crate::domain::{self, ambient::Time, secret::Secret};

/// Bounds of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time limit of the connection, TLS included.
    pub connect: Duration,
    /// Time limit of the exchange, to the last byte of the body.
    pub total: Duration,
    /// Maximum number of bytes read of a body.
    pub max_answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(10), max_answer_bytes: 64 * 1024 }
    }
}

/// Transport failure of an upstream. The state of the request is unknown then: it may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// No connection was established.
    Connect,
    /// The time limit was reached.
    Timeout,
    /// The connection ended or broke before the answer was complete.
    Closed,
    /// The answer is not one of its API.
    NotJson,
    /// A server error.
    ServerError,
    /// The answer exceeds the size limit.
    AnswerTooLarge,
    /// A redirection, which is not followed.
    Redirected,
    /// Any other failure.
    Other,
}

impl Unreachable {
    /// The failure in words, to follow "could not be reached or did not answer properly:".
    pub fn as_str(self) -> &'static str {
        match self {
            Unreachable::Connect => "no connection",
            Unreachable::Timeout => "no complete answer in time",
            Unreachable::Closed => "the connection was closed before the answer was complete",
            Unreachable::NotJson => "the answer was not what its API answers",
            Unreachable::ServerError => "a server error",
            Unreachable::AnswerTooLarge => "the answer was too large",
            Unreachable::Redirected => "it redirected elsewhere",
            Unreachable::Other => "the request could not be made",
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Builds a client for the upstreams that the operator names: it follows no redirect, knows no proxy, keeps connections
/// and never sends a request twice.
///
/// It must not be used for addresses that tenants name, because it reaches any address. [`guard`](super::guard) is for
/// those.
///
/// # Errors
/// [`domain::Error::Internal`] when TLS cannot be set up on this machine.
pub fn client(limits: &Limits) -> domain::Result<Client> {
    // As many as may be in flight, so that a burst does not pay a handshake for each message.
    build(builder(limits)?.pool_max_idle_per_host(256).pool_idle_timeout(Duration::from_secs(50)))
}

/// Builds the client of [`guard`](super::guard), which finds addresses by `resolver`. A URL with an address in the
/// place of a name does not use it.
pub(super) fn guarded_client(limits: &Limits, resolver: Arc<dyn Resolve>) -> domain::Result<Client> {
    // Tenants may name any number of hosts, so fewer connections are kept, and not for long.
    build(builder(limits)?.dns_resolver(resolver).pool_max_idle_per_host(8).pool_idle_timeout(Duration::from_secs(15)))
}

#[allow(clippy::disallowed_methods, reason = "the place where clients are made, with all their limits")]
fn builder(limits: &Limits) -> domain::Result<ClientBuilder> {
    let builder = Client::builder()
        .user_agent(concat!("tieline/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(limits.connect)
        // Independent of the features that another crate switches on: a small answer on the wire stays small in memory.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .tls_backend_preconfigured(tls()?);
    Ok(builder)
}

/// TLS settings of a client. A process reads the machine's certificates once: that takes longer than all else about a
/// client. Sessions are resumed within one client alone.
fn tls() -> domain::Result<ClientConfig> {
    static SHARED: LazyLock<Result<ClientConfig, String>> = LazyLock::new(|| read_tls().map_err(|e| e.to_string()));
    let shared = SHARED.as_ref().map_err(|error| {
        domain::Error::Internal(format!(
            "the certificates of public authorities could not be read ({error}); install the package ca-certificates, or \
             name a file of them in SSL_CERT_FILE"
        ))
    })?;
    let mut config = shared.clone();
    config.resumption = Resumption::default();
    Ok(config)
}

fn read_tls() -> Result<ClientConfig, rustls::Error> {
    let versions = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let verifier = versions.with_safe_default_protocol_versions()?.with_platform_verifier()?;
    let mut config = verifier.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn build(builder: ClientBuilder) -> domain::Result<Client> {
    builder.build().map_err(|error| domain::Error::Internal(format!("no HTTP client: {}", error.without_url())))
}

/// The answer, as far as it was received.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// Set once the headers were received.
    pub(crate) status: Option<StatusCode>,
    /// Requested backoff, if any.
    pub(crate) retry_after: Option<Duration>,
    /// All headers.
    pub(crate) headers: HeaderMap,
    /// The body, or its beginning when the exchange failed.
    pub(crate) body: Vec<u8>,
}

/// Appends a path to `base`.
pub(crate) fn under(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Builds `Authorization: Bearer …`, marked as sensitive so that it is not shown. Nothing when the token has characters
/// that a header cannot have.
pub(crate) fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Sends a request and reads the answer, both within `total` together.
///
/// The second part is `Some` when the answer is incomplete; the received part of it is in the first.
pub(crate) async fn exchange(
    request: RequestBuilder,
    total: Duration,
    max_answer_bytes: usize,
) -> (Exchange, Option<Unreachable>) {
    let mut got = Exchange::default();
    let whole = async {
        let response = request.send().await.map_err(classify)?;
        receive(response, max_answer_bytes, &mut got).await
    };
    let failure = match tokio::time::timeout(total, whole).await {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(_) => Some(Unreachable::Timeout),
    };
    (got, failure)
}

/// Takes the headers of an answer and reads its body.
pub(super) async fn receive(
    mut response: Response,
    max_answer_bytes: usize,
    got: &mut Exchange,
) -> Result<(), Unreachable> {
    got.status = Some(response.status());
    got.retry_after = retry_after(response.headers());
    got.headers = mem::take(response.headers_mut());
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        let room = max_answer_bytes - got.body.len();
        got.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            // Returning drops the connection: the rest is never read.
            return Err(Unreachable::AnswerTooLarge);
        }
    }
    Ok(())
}

/// Classifies an error of the HTTP client.
pub(super) fn classify(error: HttpError) -> Unreachable {
    let error = error.without_url();
    let class = if error.is_connect() {
        Unreachable::Connect
    } else if error.is_timeout() {
        Unreachable::Timeout
    } else if error.is_request() || error.is_body() || error.is_decode() {
        Unreachable::Closed
    } else {
        Unreachable::Other
    };
    tracing::debug!(class = class.as_str(), %error, "an exchange failed");
    class
}

/// Parses the backoff in seconds from a header (RFC 9110, 10.2.3; Slack and GitHub send no dates). At least one second,
/// so that there is no immediate retry, and at most an hour.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let digits = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(bounded_pause(digits.parse().unwrap_or(u64::MAX)))
}

/// The same for upstreams that may also send a date.
pub(super) fn retry_after_at(headers: &HeaderMap, now: Time) -> Option<Duration> {
    let date = || DateTime::parse_from_rfc2822(headers.get(RETRY_AFTER)?.to_str().ok()?.trim()).ok();
    retry_after(headers).or_else(|| {
        let secs = date()?.signed_duration_since(now).num_seconds();
        Some(bounded_pause(u64::try_from(secs).unwrap_or_default()))
    })
}

fn bounded_pause(secs: u64) -> Duration {
    Duration::from_secs(secs.clamp(1, 3_600))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_pause_is_a_number_of_seconds_within_bounds() {
        let cases = [
            ("30", Some(30)),
            (" 7 ", Some(7)),
            ("0", Some(1)),
            ("99999", Some(3_600)),
            ("99999999999999999999999", Some(3_600)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Fri, 21 Nov 2025 00:00:00 GMT", None),
        ];
        for (value, expected) in cases {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
    #[test]
    fn a_pause_may_also_end_at_a_date() {
        let now = Time::from_timestamp(1_763_683_200, 0).unwrap(); // Fri, 21 Nov 2025 00:00:00 GMT
        let cases = [
            ("30", Some(30)),
            ("Fri, 21 Nov 2025 00:00:40 GMT", Some(40)),
            ("Fri, 21 Nov 2025 00:00:00 GMT", Some(1)),
            ("Thu, 20 Nov 2025 00:00:00 GMT", Some(1)),
            ("Sat, 22 Nov 2025 00:00:00 GMT", Some(3_600)),
            ("-1", None),
            ("soon", None),
        ];
        for (value, expected) in cases {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            assert_eq!(retry_after_at(&headers, now), expected.map(Duration::from_secs), "{value}");
        }
    }
}
