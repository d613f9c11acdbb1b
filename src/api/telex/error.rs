//! Errors of the Telex dialect: the product's envelope, with the product's message where it has one, and the particular
//! cause in `error`.

use std::borrow::Cow;

use poem::http::StatusCode;
use poem_openapi::{Object, types::Example};

use super::wire::Failed;
use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
        word::Word,
    },
    domain::{
        Error,
        error::{AuthFailure, Noun},
    },
};

/// Reason why a request was refused or failed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Error", example)]
pub struct ErrorOut {
    /// Always `error`.
    pub status: Word<Failed>,
    /// HTTP status.
    pub status_code: i32,
    /// Title of the error, the same for every error of its kind.
    pub message: String,
    /// Explanation of this occurrence of the error. All faults of a request are listed.
    pub error: String,
}

impl Example for ErrorOut {
    fn example() -> Self {
        let fault = Fault::Core(Error::not_found(Noun::Organisation, "acme"));
        TelexError::body(&fault, TelexError::status(&fault), Occasion::example())
    }
}

/// Slack's error codes for an OAuth code that is wrong, used or expired: the caller's fault, unlike Slack's other
/// refusals.
const CODE_REFUSED: [&str; 2] = ["invalid_code", "code_already_used"];

/// The product's messages for an unusable `json_url`, for an existing connection, and for the other errors.
const JSON_URL: &str = "Invalid JSON URL supplied.";
const EXISTS: &str = "Integration app already exists.";
const INVALID: &str = "Invalid request.";
const UNAUTHORIZED: &str = "Unauthorized.";
const FORBIDDEN: &str = "Forbidden.";
const COLLIDES: &str = "Conflict.";
const BUG: &str = "Internal server error.";

type Kind = (u16, Cow<'static, str>);

const fn plain(status: u16, message: &'static str) -> Kind {
    (status, Cow::Borrowed(message))
}

/// The only table of Telex's errors.
fn kind_of(fault: &Fault) -> Kind {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(_) => plain(401, UNAUTHORIZED),
            Error::Forbidden { .. } | Error::NotProven { .. } | Error::Session(_) => plain(403, FORBIDDEN),
            Error::NotFound { noun, .. } | Error::NotConnected { noun } => (404, not_found(*noun).into()),
            Error::Conflict { noun: Noun::SlackLink, .. } => plain(409, EXISTS),
            Error::Conflict { .. }
            | Error::InUse { .. }
            | Error::IdempotencyMismatch { .. }
            | Error::IdempotencyInFlight { .. } => plain(409, COLLIDES),
            Error::Invalid(_) => invalid(fault),
            Error::Issues(_) | Error::FailedPrecondition { .. } | Error::OAuthState(_) | Error::Webhook(_) => {
                plain(400, INVALID)
            }
            Error::Refused { code, .. } if CODE_REFUSED.contains(&code.as_str()) => plain(400, INVALID),
            Error::Refused { upstream, .. } => (502, format!("{upstream} refused.").into()),
            Error::UpstreamUnavailable { upstream, .. } => (503, format!("{upstream} is not available.").into()),
            Error::RateLimited { .. } => plain(429, "Too many requests."),
            Error::Unavailable { .. } | Error::Storage(_) => plain(503, "Service unavailable."),
            Error::Internal(_) => plain(500, BUG),
        },
        Fault::Protocol(protocol) => match protocol {
            Protocol::BodyViolations(_) => invalid(fault),
            Protocol::MalformedJson { .. } | Protocol::Parameter { .. } | Protocol::UnreadableBody => {
                plain(400, INVALID)
            }
            Protocol::BodyTimeout => plain(408, "Request timeout."),
            Protocol::BodyTooLarge { .. } => plain(413, "Request body too large."),
            Protocol::UnsupportedMediaType { .. } => plain(415, "Unsupported media type."),
            Protocol::RouteNotFound { .. } => plain(404, "Path not found."),
            Protocol::MethodNotAllowed { .. } => plain(405, "Method not allowed."),
        },
        Fault::Bug { .. } => plain(500, BUG),
    }
}

/// Chooses the product's own message if the address of the document is the only fault.
fn invalid(fault: &Fault) -> Kind {
    let violations = fault.violations();
    let is_about_the_address = !violations.is_empty() && violations.iter().all(|one| one.field == "/json_url");
    plain(400, if is_about_the_address { JSON_URL } else { INVALID })
}

fn not_found(noun: Noun) -> String {
    let noun = noun.to_string();
    let mut letters = noun.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(" not found.".chars()).collect()
}

/// Error for a sender that posts by an address: a wrong key, a deleted channel and one that never existed are
/// indistinguishable.
pub fn of_key(error: Error) -> Error {
    match error {
        Error::NotFound { noun: Noun::Organisation | Noun::Channel, .. } | Error::Unauthenticated(_) => {
            Error::Unauthenticated(AuthFailure::NotKeyed)
        }
        other => other,
    }
}

/// Telex's error format.
pub struct TelexError;

impl ErrorShape for TelexError {
    type Body = ErrorOut;

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request or the JSON document is malformed or invalid, or Slack refused the code"),
        (401, "The credential is missing or invalid"),
        (403, "The caller lacks the permission"),
        (404, "The resource does not exist, or belongs to another organisation"),
        (405, "The path does not support this method"),
        (408, "The body did not arrive in time"),
        (409, "The resource exists already, or conflicts with another one"),
        (413, "The body is larger than the limit"),
        (415, "The Content-Type is not JSON"),
        (429, "Too many messages with one key; retry after `Retry-After`"),
        (500, "Internal error; `error` has the id of the log entry"),
        (502, "Slack refused"),
        (503, "This service or Slack is unavailable; retry later"),
    ];

    fn status(fault: &Fault) -> StatusCode {
        StatusCode::from_u16(kind_of(fault).0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(fault: &Fault, _: StatusCode, _: Occasion<'_>) -> ErrorOut {
        let (status, message) = kind_of(fault);
        ErrorOut {
            status: Word(Failed),
            status_code: i32::from(status),
            message: message.into_owned(),
            error: fault.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_documented() {
        for fault in Fault::samples() {
            let status = TelexError::status(&fault).as_u16();
            assert!(TelexError::STATUSES.iter().any(|(documented, _)| *documented == status), "{fault:?}");
        }
    }

    #[test]
    fn an_address_does_not_tell_whether_its_channel_is_there() {
        for error in [
            Error::not_found(Noun::Channel, "x"),
            Error::Unauthenticated(AuthFailure::Missing),
            Error::Unauthenticated(AuthFailure::NotKeyed),
        ] {
            assert!(matches!(of_key(error), Error::Unauthenticated(AuthFailure::NotKeyed)));
        }
        let busy = of_key(Error::Unavailable { what: "the database" });
        assert!(matches!(busy, Error::Unavailable { .. }));
    }
}
