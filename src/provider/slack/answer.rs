//! Classification of Slack's answers, independent of the method (Slack API: "Evaluating responses", "Rate limits").
//!
//! Slack answers `ok: false` and a code at HTTP 200 for nearly every error; 429 is a rate limit; 5xx is a failure of
//! Slack's.

use std::{borrow::Cow, time::Duration};

use reqwest::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    domain::{
        Error,
        error::Upstream,
        slack::{Outcome, classify},
    },
    provider::{
        http::{Exchange, Unreachable},
        redact,
    },
};

/// Backoff for a rate limit without a duration.
pub(super) const DEFAULT_PAUSE: Duration = Duration::from_secs(30);

/// Reason for which a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackFailure {
    /// Refused by Slack.
    #[error("Slack refused: {code}")]
    Refused {
        /// Slack's error code.
        code: String,
    },
    /// Slack could not be reached, limited the rate, or did not answer properly.
    #[error("Slack could not be reached or did not answer properly: {reason}")]
    Unavailable {
        /// Reason in words, safe to show.
        reason: &'static str,
        /// Requested backoff.
        retry_after: Option<Duration>,
    },
}

impl SlackFailure {
    /// Classifies the failure.
    pub fn outcome(&self) -> Outcome {
        match self {
            SlackFailure::Refused { code } => classify(code),
            SlackFailure::Unavailable { .. } => Outcome::Retry,
        }
    }

    pub(super) fn unreachable(reason: Unreachable) -> Self {
        SlackFailure::Unavailable { reason: reason.as_str(), retry_after: None }
    }
}

impl From<SlackFailure> for Error {
    fn from(failure: SlackFailure) -> Self {
        match failure {
            SlackFailure::Refused { code } => Error::Refused { upstream: Upstream::Slack, code },
            SlackFailure::Unavailable { reason, retry_after } => {
                Error::UpstreamUnavailable { upstream: Upstream::Slack, reason: reason.to_owned(), retry_after }
            }
        }
    }
}

/// Members common to all answers.
#[derive(Deserialize)]
struct Envelope<'a> {
    ok: bool,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

/// Classification of a complete answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// `ok: true`, at a successful status.
    Yes,
    /// `ok: false` with this code.
    No(String),
    /// Rate limited, with this backoff.
    Later(Duration),
    /// Not an answer of the Web API.
    Nonsense(Unreachable),
}

/// Reads the members common to all methods. Where the status alone is decisive, it counts even if the rest of the
/// answer is missing.
pub(super) fn read(exchange: &Exchange, failure: Option<Unreachable>) -> Said {
    let pause = || exchange.retry_after.unwrap_or(DEFAULT_PAUSE);
    match (exchange.status, failure) {
        (Some(StatusCode::TOO_MANY_REQUESTS), _) => return Said::Later(pause()),
        (Some(status), _) if status.is_server_error() => return Said::Nonsense(Unreachable::ServerError),
        (Some(status), _) if status.is_redirection() => return Said::Nonsense(Unreachable::Redirected),
        (_, Some(failure)) => return Said::Nonsense(failure),
        _ => {}
    }
    match serde_json::from_slice::<Envelope<'_>>(&exchange.body) {
        Ok(Envelope { ok: true, .. }) if exchange.status.is_some_and(|status| status.is_success()) => Said::Yes,
        Ok(Envelope { ok: false, error: Some(code) }) if is_code(&code) => match code.as_ref() {
            "ratelimited" | "rate_limited" => Said::Later(pause()),
            _ => Said::No(code.into_owned()),
        },
        _ => Said::Nonsense(Unreachable::NotJson),
    }
}

/// Classifies the answer of a method without a result.
pub(super) fn succeeded(exchange: &Exchange, failure: Option<Unreachable>) -> Result<(), SlackFailure> {
    match read(exchange, failure) {
        Said::Yes => Ok(()),
        Said::No(code) => Err(SlackFailure::Refused { code }),
        Said::Later(pause) => {
            Err(SlackFailure::Unavailable { reason: "it asked for a pause", retry_after: Some(pause) })
        }
        Said::Nonsense(reason) => Err(SlackFailure::unreachable(reason)),
    }
}

/// Parses the answer of a method with a result.
pub(super) fn parse<T: DeserializeOwned>(exchange: &Exchange, failure: Option<Unreachable>) -> Result<T, SlackFailure> {
    succeeded(exchange, failure)?;
    serde_json::from_slice(&exchange.body).map_err(|_| SlackFailure::unreachable(Unreachable::NotJson))
}

/// Accepts the form of Slack's codes; anything else is not shown as one.
fn is_code(code: &str) -> bool {
    (1..=100).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
        && redact(code) == code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Said {
        let status = Some(StatusCode::from_u16(status).unwrap());
        read(&Exchange { status, body: body.into(), ..Exchange::default() }, None)
    }

    #[test]
    fn the_status_and_the_envelope_decide() {
        let nonsense = || Said::Nonsense(Unreachable::NotJson);
        let cases = [
            (200, r#"{"ok":true,"x":[1]}"#, Said::Yes),
            (200, r#"{"ok":false,"error":"not_in_channel"}"#, Said::No("not_in_channel".into())),
            (404, r#"{"ok":false,"error":"unknown_method"}"#, Said::No("unknown_method".into())),
            (200, r#"{"ok":false,"error":"ratelimited"}"#, Said::Later(DEFAULT_PAUSE)),
            (429, "", Said::Later(DEFAULT_PAUSE)),
            (429, r#"{"ok":true}"#, Said::Later(DEFAULT_PAUSE)),
            (500, r#"{"ok":true}"#, Said::Nonsense(Unreachable::ServerError)),
            (302, r#"{"ok":true}"#, Said::Nonsense(Unreachable::Redirected)),
            (404, r#"{"ok":true}"#, nonsense()),
            (200, r#"{"ok":false}"#, nonsense()),
            (200, r#"{"ok":false,"error":"<script>"}"#, nonsense()),
            (200, r#"{"ok":false,"error":"xoxb-1-secret"}"#, nonsense()),
            (200, r#"{"ok":"true"}"#, nonsense()),
            (200, "[true]", nonsense()),
            (200, "<html>", nonsense()),
            (200, "", nonsense()),
        ];
        for (status, body, expected) in cases {
            assert_eq!(said(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_body_that_is_deep_or_not_text_is_only_nonsense() {
        assert_eq!(said(200, &"[".repeat(100_000)), Said::Nonsense(Unreachable::NotJson));
        let body = b"{\"ok\":false,\"error\":\"\xff\"}".into();
        let exchange = Exchange { status: Some(StatusCode::OK), body, ..Exchange::default() };
        assert_eq!(read(&exchange, None), Said::Nonsense(Unreachable::NotJson));
    }

    #[test]
    fn a_status_that_says_enough_needs_no_body() {
        let read = |status: Option<u16>| {
            let status = status.map(|status| StatusCode::from_u16(status).unwrap());
            let exchange = Exchange { status, retry_after: Some(Duration::from_secs(7)), ..Exchange::default() };
            read(&exchange, Some(Unreachable::Timeout))
        };
        assert_eq!(read(Some(429)), Said::Later(Duration::from_secs(7)));
        assert_eq!(read(Some(503)), Said::Nonsense(Unreachable::ServerError));
        assert_eq!(read(Some(200)), Said::Nonsense(Unreachable::Timeout));
        assert_eq!(read(None), Said::Nonsense(Unreachable::Timeout));
    }
}
