//! What goes wrong, in Linkbreakers' words: one wrapped object, statuses of HTTP and names of gRPC.

use poem::http::StatusCode;
use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
    },
    domain::Error,
};

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Object)]
pub struct ErrorDetail {
    /// Where: a JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// What went wrong.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The HTTP status.
    pub code: i32,
    /// The name of the gRPC status, such as `NOT_FOUND`.
    pub code_type: String,
    /// What went wrong, for people.
    pub message: String,
    /// What is wrong with the request, one by one; empty where it is about something else.
    pub details: Vec<ErrorDetail>,
}

/// A wrapped error.
#[derive(Clone, Debug, Object)]
#[oai(example)]
pub struct ErrorResponse {
    /// What went wrong.
    pub error: ErrorBody,
}

impl Example for ErrorResponse {
    fn example() -> Self {
        response(&Fault::Core(Error::invalid("/code", "is required")))
    }
}

/// Slack's words for an OAuth code that is wrong, used or too old: the caller's doing, unlike its other refusals.
const CODE_REFUSED: [&str; 2] = ["invalid_code", "code_already_used"];

/// The one table of Linkbreakers' errors.
fn kind_of(fault: &Fault) -> (u16, &'static str) {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(_) => (401, "UNAUTHENTICATED"),
            Error::Forbidden { .. } | Error::NotProven { .. } => (403, "PERMISSION_DENIED"),
            Error::NotFound { .. } | Error::NotConnected { .. } => (404, "NOT_FOUND"),
            Error::Conflict { .. } => (409, "ALREADY_EXISTS"),
            Error::InUse { .. } => (409, "FAILED_PRECONDITION"),
            Error::Invalid(_) | Error::Issues(_) | Error::OAuthState(_) | Error::IdempotencyMismatch { .. } => {
                (400, "INVALID_ARGUMENT")
            }
            Error::FailedPrecondition { .. } | Error::Webhook(_) => (400, "FAILED_PRECONDITION"),
            Error::IdempotencyInFlight { .. } => (409, "ABORTED"),
            Error::Refused { code, .. } if CODE_REFUSED.contains(&code.as_str()) => (400, "INVALID_ARGUMENT"),
            // "Raised by another system": to try again would not help, so it is not UNAVAILABLE.
            Error::Refused { .. } => (502, "UNKNOWN"),
            Error::UpstreamUnavailable { .. }
            | Error::RateLimited { .. }
            | Error::Unavailable { .. }
            | Error::Storage(_) => (503, "UNAVAILABLE"),
            Error::Internal(_) => (500, "INTERNAL"),
        },
        Fault::Protocol(protocol) => match protocol {
            Protocol::MalformedJson { .. }
            | Protocol::BodyViolations(_)
            | Protocol::Parameter { .. }
            | Protocol::UnreadableBody => (400, "INVALID_ARGUMENT"),
            Protocol::BodyTimeout => (408, "DEADLINE_EXCEEDED"),
            Protocol::BodyTooLarge { .. } => (413, "INVALID_ARGUMENT"),
            Protocol::UnsupportedMediaType { .. } => (415, "INVALID_ARGUMENT"),
            Protocol::RouteNotFound { .. } => (404, "NOT_FOUND"),
            Protocol::MethodNotAllowed { .. } => (405, "UNIMPLEMENTED"),
        },
        Fault::Bug { .. } => (500, "INTERNAL"),
    }
}

fn response(fault: &Fault) -> ErrorResponse {
    let (status, code_type) = kind_of(fault);
    let violations = fault.violations().into_iter();
    ErrorResponse {
        error: ErrorBody {
            code: i32::from(status),
            code_type: code_type.to_owned(),
            message: fault.to_string(),
            details: violations.map(|v| ErrorDetail { field: v.field, message: v.message }).collect(),
        },
    }
}

/// The shape of Linkbreakers' errors.
pub struct LinkbreakersError;

impl ErrorShape for LinkbreakersError {
    type Body = ErrorResponse;

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request is malformed or breaks a rule, or something must be done first"),
        (401, "There is no token, or not a good one"),
        (403, "The caller lacks the permission"),
        (404, "It does not exist, or no Slack workspace is connected"),
        (405, "The path does not take this method"),
        (408, "The body did not arrive in time"),
        (409, "In conflict with another one"),
        (413, "The body is too long"),
        (415, "The body is not JSON by its Content-Type"),
        (500, "Something went wrong on our side; the message has the id that is in our log"),
        (502, "Slack refused"),
        (503, "We or Slack are not available right now; try again later"),
    ];

    fn status(fault: &Fault) -> StatusCode {
        StatusCode::from_u16(kind_of(fault).0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(fault: &Fault, _: StatusCode, _: Occasion<'_>) -> ErrorResponse {
        response(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_documented() {
        for fault in Fault::samples() {
            let status = LinkbreakersError::status(&fault).as_u16();
            assert!(LinkbreakersError::STATUSES.iter().any(|(documented, _)| *documented == status), "{fault:?}");
        }
    }
}
