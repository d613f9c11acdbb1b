//! What goes wrong, in the words of the native dialect: problem details (RFC 9457) with a stable code.

use std::collections::BTreeMap;

use poem::http::StatusCode;
use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
    },
    domain::{Error, error::AuthFailure},
};

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ProblemError")]
pub struct ProblemError {
    /// Where: a JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub pointer: String,
    /// What is wrong with it; reads on after the pointer.
    pub detail: String,
}

/// Why a request was refused or failed (RFC 9457).
#[derive(Clone, Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub struct Problem {
    /// Where this kind of problem is explained, relative to this server.
    #[oai(rename = "type")]
    pub kind: String,
    /// What went wrong, the same for every problem of its kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// The path that was asked for.
    pub instance: Option<String>,
    /// The name of this kind of problem, for programs. More may be added.
    pub code: String,
    /// What is wrong with the request, one by one.
    pub errors: Option<Vec<ProblemError>>,
    /// For a failure on our side: the id under which it is in our log.
    pub id: Option<Uuid>,
}

impl Example for Problem {
    fn example() -> Self {
        problem(&Fault::Core(Error::invalid("/name", "is required")), "/v1/channels")
    }
}

/// A kind of problem: its stable name, its HTTP status, and what went wrong in a few words.
struct Kind {
    code: &'static str,
    status: u16,
    title: &'static str,
}

const fn kind(status: u16, code: &'static str, title: &'static str) -> Kind {
    Kind { code, status, title }
}

/// The one table of the native dialect's problems.
fn kind_of(fault: &Fault) -> Kind {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(why) => match why {
                AuthFailure::Missing => kind(401, "unauthenticated", "A token is needed"),
                AuthFailure::Invalid => kind(401, "token_invalid", "The token is not valid"),
                AuthFailure::Expired => kind(401, "token_expired", "The token has expired"),
                AuthFailure::Revoked => kind(401, "token_revoked", "The token was revoked"),
                AuthFailure::NotAMember => kind(401, "not_a_member", "Not a member of the organisation"),
                AuthFailure::NoWorkspace => kind(401, "no_organisation", "No organisation is named"),
                AuthFailure::NotSigned => kind(401, "signature_invalid", "The signature is missing or wrong"),
                AuthFailure::NotKeyed => kind(401, "key_invalid", "The address's key is missing or wrong"),
            },
            Error::Forbidden { .. } => kind(403, "forbidden", "A permission is missing"),
            Error::NotProven { .. } => kind(403, "not_proven", "Authority over the far end is not proved"),
            Error::NotFound { .. } => kind(404, "not_found", "Not found"),
            Error::NotConnected { .. } => kind(404, "not_connected", "Not connected"),
            Error::Conflict { .. } => kind(409, "conflict", "In conflict with another one"),
            Error::InUse { .. } => kind(409, "in_use", "Still in use"),
            Error::Invalid(_) | Error::Issues(_) => kind(400, "invalid", "The request breaks a rule"),
            Error::FailedPrecondition { .. } | Error::Webhook(_) => {
                kind(409, "failed_precondition", "Something must be done first")
            }
            Error::OAuthState(_) => kind(400, "oauth_state_invalid", "The OAuth state is not valid"),
            Error::IdempotencyMismatch { .. } => {
                kind(422, "idempotency_key_reused", "The Idempotency-Key was used with another payload")
            }
            Error::IdempotencyInFlight { .. } => {
                kind(409, "idempotency_in_flight", "The first request is still being processed")
            }
            Error::Refused { .. } => kind(502, "upstream_refused", "The far end refused"),
            Error::UpstreamUnavailable { retry_after: None, .. } => {
                kind(502, "upstream_unavailable", "The far end does not answer properly")
            }
            Error::UpstreamUnavailable { retry_after: Some(_), .. } => {
                kind(503, "upstream_busy", "The far end asks for patience")
            }
            Error::RateLimited { .. } => kind(429, "rate_limited", "Too many requests"),
            Error::Unavailable { .. } | Error::Storage(_) => kind(503, "unavailable", "Not available right now"),
            Error::Internal(_) => kind(500, "internal", "Something went wrong on our side"),
        },
        Fault::Protocol(protocol) => match protocol {
            Protocol::MalformedJson { .. } => kind(400, "malformed_json", "The body is not JSON"),
            Protocol::BodyViolations(_) => kind(400, "invalid", "The request breaks a rule"),
            Protocol::Parameter { .. } => kind(400, "invalid_parameter", "A parameter is not valid"),
            Protocol::UnsupportedMediaType { .. } => kind(415, "unsupported_media_type", "Unsupported media type"),
            Protocol::BodyTooLarge { .. } => kind(413, "body_too_large", "The body is too long"),
            Protocol::UnreadableBody => kind(400, "unreadable_body", "The body could not be read"),
            Protocol::BodyTimeout => kind(408, "body_timeout", "Request timeout"),
            Protocol::RouteNotFound { .. } => kind(404, "route_not_found", "There is no such path"),
            Protocol::MethodNotAllowed { .. } => kind(405, "method_not_allowed", "The method does not work here"),
        },
        Fault::Bug { .. } => kind(500, "internal", "Something went wrong on our side"),
    }
}

fn problem(fault: &Fault, path: &str) -> Problem {
    let Kind { code, status, title } = kind_of(fault);
    let errors = fault.violations().into_iter();
    let errors: Vec<_> = errors.map(|v| ProblemError { pointer: v.field, detail: v.message }).collect();
    Problem {
        kind: format!("/problems#{code}"),
        title: title.to_owned(),
        status,
        detail: fault.to_string(),
        instance: Some(path).filter(|path| !path.is_empty()).map(str::to_owned),
        code: code.to_owned(),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
        id: match fault {
            Fault::Bug { id } => Some(*id),
            Fault::Core(_) | Fault::Protocol(_) => None,
        },
    }
}

/// The page that the types of problems lead to.
pub fn page() -> String {
    let kinds: BTreeMap<_, _> = Fault::samples().iter().map(kind_of).map(|kind| (kind.code, kind)).collect();
    let row = |Kind { code, status, title }: &Kind| {
        format!("<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td><td>{title}</td></tr>")
    };
    PAGE.replace("{{rows}}", &kinds.values().map(row).collect::<String>())
}

const PAGE: &str = include_str!("problems.html");

/// The shape of the native dialect's errors.
pub struct NativeError;

impl ErrorShape for NativeError {
    type Body = Problem;

    const CONTENT_TYPE: &'static str = "application/problem+json";

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request is malformed or breaks a rule; `errors` lists them all"),
        (401, "There is no token, or not a good one"),
        (403, "The caller lacks the permission"),
        (404, "It does not exist, or it is another organisation's"),
        (405, "The path does not take this method"),
        (408, "The body did not arrive in time"),
        (409, "In conflict with another one, or something must be done first"),
        (413, "The body is too long"),
        (415, "The body is not JSON by its Content-Type"),
        (422, "The Idempotency-Key was used with another payload"),
        (429, "Too many requests, or too many wrong credentials; try again after `Retry-After`"),
        (500, "Something went wrong on our side; `id` is in our log"),
        (502, "The far end refused, or did not answer properly"),
        (503, "Not available right now; try again after `Retry-After`"),
    ];

    fn status(fault: &Fault) -> StatusCode {
        StatusCode::from_u16(kind_of(fault).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(fault: &Fault, _: StatusCode, occasion: Occasion<'_>) -> Problem {
        problem(fault, occasion.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_documented() {
        for fault in Fault::samples() {
            let status = NativeError::status(&fault).as_u16();
            assert!(NativeError::STATUSES.iter().any(|(documented, _)| *documented == status), "{fault:?}");
        }
    }

    #[test]
    fn every_type_of_problem_is_explained() {
        let page = page();
        for fault in Fault::samples() {
            let code = problem(&fault, "").code;
            assert!(page.contains(&format!("id=\"{code}\"")), "{code}");
        }
    }
}
