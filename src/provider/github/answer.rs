//! Classification of GitHub's answers, independent of the request (GitHub: "Rate limits for the REST API",
//! "Troubleshooting the REST API", "Using pagination in the REST API").
//!
//! GitHub refuses with a status and a `message`. A 403 may also be a rate limit, which its headers show.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{HeaderMap, LINK},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    domain::{Error, ambient::Time, error::Upstream},
    provider::{
        http::{Exchange, Unreachable},
        redact,
    },
};

/// Backoff for a rate limit without a duration (GitHub: "wait for at least one minute").
const DEFAULT_PAUSE: Duration = Duration::from_secs(60);
/// Maximum backoff in seconds: GitHub counts by the hour.
const MAX_PAUSE: u64 = 3_600;

/// Reason for which a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Refused by GitHub.
    Refused {
        /// The status.
        status: StatusCode,
        /// GitHub's message, as far as it can be shown.
        words: String,
    },
    /// GitHub could not be reached, limited the rate, or did not answer properly.
    Unavailable {
        /// Reason in words, safe to show.
        reason: &'static str,
        /// Requested backoff.
        retry_after: Option<Duration>,
    },
}

impl Failure {
    pub(super) fn unreachable(reason: Unreachable) -> Self {
        Failure::Unavailable { reason: reason.as_str(), retry_after: None }
    }

    fn rate_limited(pause: Duration) -> Self {
        Failure::Unavailable { reason: "rate limited", retry_after: Some(pause) }
    }

    /// Returns the status of a refusal.
    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Failure::Refused { status, .. } => Some(*status),
            Failure::Unavailable { .. } => None,
        }
    }

    /// Reports a refusal because the installation is suspended. Only GitHub's message says so.
    pub(super) fn is_suspended(&self) -> bool {
        matches!(self, Failure::Refused { status: StatusCode::FORBIDDEN, words } if mentions(words, "suspended"))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { words, .. } => Error::Refused { upstream: Upstream::Github, code: words },
            Failure::Unavailable { reason, retry_after } => {
                Error::UpstreamUnavailable { upstream: Upstream::Github, reason: reason.to_owned(), retry_after }
            }
        }
    }
}

/// Body of GitHub's refusal.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// Classifies an answer by its status and headers, even where the rest of it is missing.
pub(super) fn reached(exchange: &Exchange, failure: Option<Unreachable>, now: Time) -> Result<StatusCode, Failure> {
    match exchange.status {
        Some(StatusCode::TOO_MANY_REQUESTS) => {
            return Err(Failure::rate_limited(pause(exchange, now).unwrap_or(DEFAULT_PAUSE)));
        }
        Some(StatusCode::FORBIDDEN) => {
            if let Some(pause) = pause(exchange, now) {
                return Err(Failure::rate_limited(pause));
            }
        }
        Some(status) if status.is_server_error() => {
            let reason = Unreachable::ServerError.as_str();
            return Err(Failure::Unavailable { reason, retry_after: exchange.retry_after });
        }
        Some(status) if status.is_redirection() => return Err(Failure::unreachable(Unreachable::Redirected)),
        _ => {}
    }
    match (exchange.status, failure) {
        (Some(status), None) => Ok(status),
        (_, failure) => Err(Failure::unreachable(failure.unwrap_or(Unreachable::Other))),
    }
}

/// Classifies a complete answer: success or failure.
pub(super) fn succeeded(exchange: &Exchange, failure: Option<Unreachable>, now: Time) -> Result<(), Failure> {
    let status = reached(exchange, failure, now)?;
    if status.is_success() {
        return Ok(());
    }
    // A refusal without GitHub's message is another server's, such as a proxy's or a wrong address's: to take its 404
    // for "this is gone" would be a mistake with consequences.
    let refusal: Refusal = parse(exchange)?;
    if status == StatusCode::FORBIDDEN && mentions(&refusal.message, "rate limit") {
        return Err(Failure::rate_limited(DEFAULT_PAUSE));
    }
    Err(Failure::Refused { status, words: shown(&refusal.message, status) })
}

/// Parses the body of an answer.
pub(super) fn parse<T: DeserializeOwned>(exchange: &Exchange) -> Result<T, Failure> {
    serde_json::from_slice(&exchange.body).map_err(|_| Failure::unreachable(Unreachable::NotJson))
}

/// Returns GitHub's message where it is short, plain and without a secret; otherwise only the status.
pub(super) fn shown(words: &str, status: StatusCode) -> String {
    let plain = |b: u8| b == b' ' || (b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
    if (1..=200).contains(&words.len()) && words.bytes().all(plain) && redact(words) == words {
        words.to_owned()
    } else {
        format!("HTTP {}", status.as_u16())
    }
}

/// Reports a next page: by the `Link` header or, without one, by the list's own total.
pub(super) fn has_next(headers: &HeaderMap, on_page: usize, seen: usize, total: Option<usize>) -> bool {
    if headers.contains_key(LINK) {
        let names_next = |link: &str| link.contains(r#"rel="next""#);
        return headers.get_all(LINK).iter().any(|link| link.to_str().is_ok_and(names_next));
    }
    on_page > 0 && total.is_some_and(|total| seen < total)
}

fn mentions(words: &str, what: &str) -> bool {
    words.to_ascii_lowercase().contains(what)
}

/// Returns the backoff that the headers request.
fn pause(exchange: &Exchange, now: Time) -> Option<Duration> {
    let header = |name: &str| exchange.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if exchange.retry_after.is_some() {
        return exchange.retry_after;
    }
    if header("x-ratelimit-remaining") != Some("0") {
        return None;
    }
    let reset = header("x-ratelimit-reset").and_then(|reset| reset.parse::<i64>().ok());
    let secs = reset.map(|reset| u64::try_from(reset.saturating_sub(now.timestamp())).unwrap_or_default());
    Some(secs.map_or(DEFAULT_PAUSE, |secs| Duration::from_secs(secs.clamp(1, MAX_PAUSE))))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn exchange(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Exchange {
        let header = |&(name, value): &(_, _)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        Exchange {
            status: StatusCode::from_u16(status).ok(),
            headers: headers.iter().map(header).collect(),
            body: body.into(),
            ..Exchange::default()
        }
    }

    fn read(exchange: &Exchange, failure: Option<Unreachable>) -> Result<(), Failure> {
        succeeded(exchange, failure, Time::from_timestamp(NOW, 0).unwrap())
    }

    fn refused(status: u16, words: &str) -> Result<(), Failure> {
        Err(Failure::Refused { status: StatusCode::from_u16(status).unwrap(), words: words.into() })
    }

    #[test]
    fn the_status_and_the_message_decide() {
        let nonsense = || Err(Failure::unreachable(Unreachable::NotJson));
        let cases = [
            (200, "{}", Ok(())),
            (204, "", Ok(())),
            (404, r#"{"message":"Not Found","documentation_url":"x"}"#, refused(404, "Not Found")),
            (401, r#"{"message":"Bad credentials"}"#, refused(401, "Bad credentials")),
            (403, r#"{"message":"Must have admin rights."}"#, refused(403, "Must have admin rights.")),
            (422, r#"{"message":"<script>"}"#, refused(422, "HTTP 422")),
            (422, r#"{"message":"ghs_abc is wrong"}"#, refused(422, "HTTP 422")),
            (422, r#"{"message":""}"#, refused(422, "HTTP 422")),
            (
                403,
                r#"{"message":"You have exceeded a secondary rate limit."}"#,
                Err(Failure::rate_limited(DEFAULT_PAUSE)),
            ),
            (429, "", Err(Failure::rate_limited(DEFAULT_PAUSE))),
            (500, "{}", Err(Failure::unreachable(Unreachable::ServerError))),
            (301, "{}", Err(Failure::unreachable(Unreachable::Redirected))),
            (404, "<html>", nonsense()),
            (404, "", nonsense()),
            (404, r#"{"message":404}"#, nonsense()),
            (403, "[]", nonsense()),
        ];
        for (status, body, expected) in cases {
            assert_eq!(read(&exchange(status, &[], body), None), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_rate_limit_is_known_by_its_headers() {
        let later = |secs| Err(Failure::rate_limited(Duration::from_secs(secs)));
        let remaining = |n| ("x-ratelimit-remaining", n);
        let reset = |at| ("x-ratelimit-reset", at);
        let no = r#"{"message":"no"}"#;
        for (status, headers, expected) in [
            (403, vec![remaining("0"), reset("1800000090")], later(90)),
            (429, vec![remaining("0"), reset("1800000090")], later(90)),
            (403, vec![remaining("0"), reset("1799999999")], later(1)),
            (403, vec![remaining("0"), reset("1900000000")], later(3_600)),
            (403, vec![remaining("0"), reset("soon")], later(60)),
            (403, vec![remaining("0")], later(60)),
            (403, vec![remaining("17"), reset("1800000090")], refused(403, "no")),
            (404, vec![remaining("0"), reset("1800000090")], refused(404, "no")),
            (200, vec![remaining("0"), reset("1800000090")], Ok(())),
        ] {
            assert_eq!(read(&exchange(status, &headers, no), None), expected, "{status} {headers:?}");
        }
        let mut limited = exchange(403, &[remaining("0"), reset("1800000090")], no);
        limited.retry_after = Some(Duration::from_secs(7));
        assert_eq!(read(&limited, None), later(7));
    }

    #[test]
    fn half_an_answer_is_invalid_unless_the_status_is_decisive() {
        let half = |status| read(&exchange(status, &[], "{"), Some(Unreachable::Timeout));
        assert_eq!(half(200), Err(Failure::unreachable(Unreachable::Timeout)));
        assert_eq!(half(404), Err(Failure::unreachable(Unreachable::Timeout)));
        assert_eq!(half(429), Err(Failure::rate_limited(DEFAULT_PAUSE)));
        assert_eq!(half(503), Err(Failure::unreachable(Unreachable::ServerError)));
    }

    #[test]
    fn the_link_header_or_the_count_shows_more_pages() {
        let link = |value: &'static str| HeaderMap::from_iter([(LINK, HeaderValue::from_static(value))]);
        let next = link(r#"<https://evil.example/?page=2>; rel="next", <https://x/?page=9>; rel="last""#);
        let last = link(r#"<https://x/?page=1>; rel="first", <https://x/?page=1>; rel="prev""#);
        for (headers, page, seen, total, expected) in [
            (&next, 100, 100, Some(150), true),
            (&next, 0, 0, None, true),
            (&last, 50, 50, Some(150), false),
            (&HeaderMap::new(), 100, 100, Some(150), true),
            (&HeaderMap::new(), 50, 150, Some(150), false),
            (&HeaderMap::new(), 0, 100, Some(150), false),
            (&HeaderMap::new(), 100, 100, None, false),
        ] {
            assert_eq!(has_next(headers, page, seen, total), expected, "{headers:?} {page} {seen} {total:?}");
        }
    }
}
