//! Errors of the Linkbreakers dialect: one object, wrapped and unwrapped, with HTTP statuses and gRPC names.

use poem::http::StatusCode;
use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
    },
    domain::Error,
};

/// One error of a request.
#[derive(Clone, Debug, Object)]
pub struct ErrorDetail {
    /// Location of the error: a JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub field: String,
    /// Description of the error.
    pub message: String,
}

/// Error of a request.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorBody {
    /// HTTP status.
    pub code: i32,
    /// Name of the gRPC status, such as `NOT_FOUND`.
    pub code_type: String,
    /// Message for users.
    pub message: String,
    /// Every error of the request's content; empty for other errors.
    pub details: Vec<ErrorDetail>,
}

/// An error: wrapped, as the product's reference pages have it, and with the same members beside that, where its SDKs
/// read them.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase", example)]
pub struct ErrorResponse {
    /// The error.
    pub error: ErrorBody,
    /// The error's `code`.
    pub code: i32,
    /// The error's `codeType`.
    pub code_type: String,
    /// The error's `message`.
    pub message: String,
    /// The error's `details`.
    pub details: Vec<ErrorDetail>,
}

impl Example for ErrorResponse {
    fn example() -> Self {
        response(&Fault::Core(Error::invalid("/code", "is required")))
    }
}

/// Slack's error codes for an OAuth code that is wrong, used or expired: the caller's fault, unlike Slack's other
/// refusals.
const CODE_REFUSED: [&str; 2] = ["invalid_code", "code_already_used"];

/// The only table of Linkbreakers' errors.
fn kind_of(fault: &Fault) -> (u16, &'static str) {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(_) => (401, "UNAUTHENTICATED"),
            Error::Forbidden { .. } | Error::NotProven { .. } | Error::Session(_) => (403, "PERMISSION_DENIED"),
            Error::NotFound { .. } | Error::NotConnected { .. } => (404, "NOT_FOUND"),
            Error::Conflict { .. } => (409, "ALREADY_EXISTS"),
            Error::InUse { .. } => (409, "FAILED_PRECONDITION"),
            Error::Invalid(_) | Error::Issues(_) | Error::OAuthState(_) | Error::IdempotencyMismatch { .. } => {
                (400, "INVALID_ARGUMENT")
            }
            Error::FailedPrecondition { .. } | Error::Webhook(_) => (400, "FAILED_PRECONDITION"),
            Error::IdempotencyInFlight { .. } => (409, "ABORTED"),
            Error::Refused { code, .. } if CODE_REFUSED.contains(&code.as_str()) => (400, "INVALID_ARGUMENT"),
            // "Raised by another system": a retry would not help, so it is not UNAVAILABLE.
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
    let error = ErrorBody {
        code: i32::from(status),
        code_type: code_type.to_owned(),
        message: fault.to_string(),
        details: violations.map(|v| ErrorDetail { field: v.field, message: v.message }).collect(),
    };
    let ErrorBody { code, code_type, message, details } = error.clone();
    ErrorResponse { error, code, code_type, message, details }
}

/// Linkbreakers' error format.
pub struct LinkbreakersError;

impl ErrorShape for LinkbreakersError {
    type Body = ErrorResponse;

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request is malformed or invalid, or a precondition is not met"),
        (401, "The token is missing or invalid"),
        (403, "The caller lacks the permission"),
        (404, "The resource does not exist, or no Slack workspace is connected"),
        (405, "The path does not support this method"),
        (408, "The body did not arrive in time"),
        (409, "Conflict with another resource"),
        (413, "The body is larger than the limit"),
        (415, "The Content-Type is not JSON"),
        (500, "Internal error; the message has the id of the log entry"),
        (502, "Slack refused"),
        (503, "This service or Slack is unavailable; retry later"),
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
