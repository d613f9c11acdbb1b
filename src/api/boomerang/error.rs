//! Errors of the Boomerang dialect: the product's own codes, and otherwise the HTTP status.

use poem::http::StatusCode;
use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
        time::Timestamp,
    },
    domain::{
        Error,
        error::{AuthFailure, Noun, Upstream},
    },
};

/// Reason why a request was refused or failed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ErrorDetail", example)]
pub struct ErrorOut {
    /// Time of the error.
    pub timestamp: Timestamp,
    /// The product's own code of this kind of error; otherwise the HTTP status.
    pub code: i32,
    /// Name of this kind of error, for programs. More names may be added.
    pub reason: String,
    /// Explanation of this occurrence of the error.
    pub message: String,
    /// HTTP status with its name, such as `400 BAD_REQUEST`.
    pub status: String,
    /// Always null: the cause of an error is in our log.
    #[oai(nullable)]
    pub cause: Option<String>,
}

impl Example for ErrorOut {
    fn example() -> Self {
        let fault = Fault::Core(Error::not_found(Noun::Organisation, "acme"));
        error(&fault, BoomerangError::status(&fault), Occasion::example())
    }
}

/// A kind of error: its HTTP status, its code and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    status: u16,
    code: u16,
    reason: &'static str,
}

/// A kind of error with a code of the product's.
const fn coded(status: u16, code: u16, reason: &'static str) -> Kind {
    Kind { status, code, reason }
}

/// A kind of error without a code of the product's.
const fn plain(status: u16, reason: &'static str) -> Kind {
    Kind { status, code: status, reason }
}

/// The product's one error for every fault of an integration and its reference.
const fn invalid_ref(status: u16) -> Kind {
    coded(status, 1601, "ACTION_INVALID_REF")
}

/// The only table of Boomerang's errors.
fn kind_of(fault: &Fault) -> Kind {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(why) => match why {
                AuthFailure::Missing => plain(401, "TOKEN_MISSING"),
                AuthFailure::Invalid => plain(401, "TOKEN_INVALID"),
                AuthFailure::Expired => plain(401, "TOKEN_EXPIRED"),
                AuthFailure::Revoked => plain(401, "TOKEN_REVOKED"),
                AuthFailure::NotAMember => plain(401, "NOT_A_MEMBER"),
                AuthFailure::NoWorkspace => plain(401, "TEAM_MISSING"),
                AuthFailure::NotSigned => plain(401, "SIGNATURE_INVALID"),
                AuthFailure::NotKeyed => plain(401, "KEY_INVALID"),
                AuthFailure::SessionEnded => plain(401, "TOKEN_INVALID"),
            },
            Error::Forbidden { .. } | Error::Session(_) => plain(403, "PERMISSION_DENIED"),
            Error::NotProven { .. } => plain(403, "INTEGRATION_UNAUTHORIZED"),
            Error::NotFound { noun, .. } => match noun {
                Noun::Organisation => coded(400, 1101, "TEAM_INVALID_REF"),
                Noun::Workflow => coded(400, 1201, "WORKFLOW_INVALID_REFERENCE"),
                Noun::GithubInstallation => invalid_ref(404),
                Noun::Member
                | Noun::Token
                | Noun::Invitation
                | Noun::Channel
                | Noun::Connection
                | Noun::SlackLink
                | Noun::Route
                | Noun::Integration
                | Noun::Setting
                | Noun::Event
                | Noun::Delivery
                | Noun::Destination
                | Noun::Secret
                | Noun::ApiKey
                | Noun::Interface
                | Noun::Action
                | Noun::Installation => plain(404, "NOT_FOUND"),
            },
            Error::NotConnected { noun: Noun::GithubInstallation } => invalid_ref(400),
            Error::NotConnected { .. } => plain(404, "NOT_CONNECTED"),
            Error::Conflict { .. } => plain(409, "CONFLICT"),
            Error::InUse { .. } => plain(409, "IN_USE"),
            Error::Invalid(_) | Error::Issues(_) => plain(400, "VALUE_INVALID"),
            Error::FailedPrecondition { .. } | Error::Webhook(_) => plain(400, "FAILED_PRECONDITION"),
            Error::OAuthState(_) => plain(400, "INTEGRATION_INVALID_STATE"),
            Error::IdempotencyMismatch { .. } => plain(409, "IDEMPOTENCY_KEY_REUSED"),
            Error::IdempotencyInFlight { .. } => plain(409, "IDEMPOTENCY_IN_FLIGHT"),
            Error::Refused { upstream, .. } => match upstream {
                Upstream::Github => invalid_ref(400),
                Upstream::Slack => plain(400, "SLACK_REFUSED"),
                Upstream::App => plain(400, "APP_REFUSED"),
            },
            Error::UpstreamUnavailable { upstream, .. } => match upstream {
                Upstream::Github => invalid_ref(400),
                Upstream::Slack => plain(503, "SLACK_UNAVAILABLE"),
                Upstream::App => plain(503, "APP_UNAVAILABLE"),
            },
            Error::RateLimited { .. } | Error::Unavailable { .. } | Error::Storage(_) => {
                plain(503, "SERVICE_UNAVAILABLE")
            }
            Error::Internal(_) => plain(500, "INTERNAL_SERVER_ERROR"),
        },
        Fault::Protocol(protocol) => match protocol {
            Protocol::MalformedJson { .. } => plain(400, "BODY_NOT_JSON"),
            Protocol::BodyViolations(_) => plain(400, "BODY_INVALID"),
            Protocol::Parameter { .. } => plain(400, "PARAMETER_INVALID"),
            Protocol::UnreadableBody => plain(400, "BODY_UNREADABLE"),
            Protocol::BodyTimeout => plain(408, "BODY_TIMEOUT"),
            Protocol::BodyTooLarge { .. } => plain(413, "BODY_TOO_LARGE"),
            Protocol::UnsupportedMediaType { .. } => plain(415, "MEDIA_TYPE_UNSUPPORTED"),
            Protocol::RouteNotFound { .. } => plain(404, "PATH_NOT_FOUND"),
            Protocol::MethodNotAllowed { .. } => plain(405, "METHOD_NOT_ALLOWED"),
        },
        Fault::Bug { .. } => plain(500, "INTERNAL_SERVER_ERROR"),
    }
}

/// Error of a read of an installation: the product does not distinguish an unknown installation from an unreadable one.
pub fn of_looking(error: Error) -> Error {
    match error {
        Error::NotFound { noun: noun @ Noun::GithubInstallation, .. } => Error::NotConnected { noun },
        other => other,
    }
}

fn error(fault: &Fault, status: StatusCode, occasion: Occasion<'_>) -> ErrorOut {
    let Kind { code, reason, .. } = kind_of(fault);
    let words = status.canonical_reason().unwrap_or_default().to_ascii_uppercase().replace([' ', '-'], "_");
    ErrorOut {
        timestamp: occasion.now.into(),
        code: i32::from(code),
        reason: reason.to_owned(),
        message: fault.to_string(),
        status: format!("{} {words}", status.as_u16()),
        cause: None,
    }
}

/// Boomerang's error format.
pub struct BoomerangError;

impl ErrorShape for BoomerangError {
    type Body = ErrorOut;

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request, the team or the reference is invalid, or GitHub or Slack refused"),
        (401, "The credential is missing or invalid"),
        (403, "The caller lacks the permission, or the proof of authority at GitHub"),
        (404, "The resource does not exist, or belongs to another team"),
        (405, "The path does not support this method"),
        (408, "The body did not arrive in time"),
        (409, "The installation belongs to another team"),
        (413, "The body is larger than the limit"),
        (415, "The body is of another media type, or compressed"),
        (500, "Internal error; the message has the id of the log entry"),
        (503, "This service or Slack is unavailable; retry later"),
    ];

    fn status(fault: &Fault) -> StatusCode {
        StatusCode::from_u16(kind_of(fault).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(fault: &Fault, status: StatusCode, occasion: Occasion<'_>) -> ErrorOut {
        error(fault, status, occasion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_fields(error: Error) -> (u16, u16, &'static str) {
        let Kind { status, code, reason } = kind_of(&Fault::Core(error));
        (status, code, reason)
    }

    #[test]
    fn every_status_is_documented() {
        for fault in Fault::samples() {
            let status = BoomerangError::status(&fault).as_u16();
            assert!(BoomerangError::STATUSES.iter().any(|(documented, _)| *documented == status), "{fault:?}");
        }
    }

    #[test]
    fn who_looks_at_an_installation_is_told_the_same_of_all() {
        for (error, status, code, reason) in [
            (of_looking(Error::not_found(Noun::GithubInstallation, "x")), 400, 1601, "ACTION_INVALID_REF"),
            (of_looking(Error::not_found(Noun::Organisation, "x")), 400, 1101, "TEAM_INVALID_REF"),
        ] {
            assert_eq!(kind_fields(error.clone()), (status, code, reason), "{error}");
        }
    }
}
