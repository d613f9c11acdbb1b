//! Errors of the native dialect: problem details (RFC 9457) with a stable code.

use std::collections::BTreeMap;

use poem::http::StatusCode;
use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
    },
    domain::{
        Error,
        error::{AuthFailure, Violation},
        registry::definition::Issue,
        tenancy::session::SessionRefusal,
        webhooks::WebhookRefusal,
    },
};

/// One error of a request.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ProblemError")]
pub struct ProblemError {
    /// Location of the error: a JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub pointer: String,
    /// Description of the error; it continues the pointer to a sentence.
    pub detail: String,
}

/// Reason why a request was refused or failed (RFC 9457).
#[derive(Clone, Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub struct Problem {
    /// Address of the documentation of this type of problem, relative to this server.
    #[oai(rename = "type")]
    pub kind: String,
    /// Title of the problem, the same for every problem of its type.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Explanation of this occurrence of the problem.
    pub detail: String,
    /// Path of the request.
    pub instance: Option<String>,
    /// Stable code of this type of problem, for programs. More codes may be added.
    pub code: String,
    /// Every error of the request.
    pub errors: Option<Vec<ProblemError>>,
    /// Id of the log entry, for an internal error.
    pub id: Option<Uuid>,
}

impl Example for Problem {
    fn example() -> Self {
        problem(&Fault::Core(Error::invalid("/name", "is required")), "/v1/channels")
    }
}

/// A type of problem: its stable code, its HTTP status and its title.
struct Kind {
    code: &'static str,
    status: u16,
    title: &'static str,
}

const fn kind(status: u16, code: &'static str, title: &'static str) -> Kind {
    Kind { code, status, title }
}

const INVALID: Kind = kind(400, "invalid", "Invalid request");
const FORBIDDEN: Kind = kind(403, "forbidden", "Forbidden");
const NOT_FOUND: Kind = kind(404, "not_found", "Not found");
const FAILED_PRECONDITION: Kind = kind(409, "failed_precondition", "Failed precondition");

/// Returns the problem of a refused webhook, and for an invalid request the member at fault.
fn refused(refusal: &WebhookRefusal) -> (Kind, Option<&'static str>) {
    match refusal {
        WebhookRefusal::NoChannel | WebhookRefusal::ChannelSign | WebhookRefusal::ChannelUnknown(_) => {
            (INVALID, Some("/channels"))
        }
        WebhookRefusal::NoUsername | WebhookRefusal::UserUnknown(_) | WebhookRefusal::PosterUnknown => {
            (INVALID, Some("/username"))
        }
        WebhookRefusal::Type | WebhookRefusal::EventUnknown => (INVALID, Some("/event")),
        WebhookRefusal::NoTargetRoom => (INVALID, Some("/targetChannel")),
        WebhookRefusal::NoUrls | WebhookRefusal::UrlRefused { .. } => (INVALID, Some("/urls")),
        WebhookRefusal::NoToken => (INVALID, Some("/token")),
        WebhookRefusal::NoId | WebhookRefusal::Hook(_) => (INVALID, None),
        WebhookRefusal::NotAllowed(_)
        | WebhookRefusal::NotYours(_)
        | WebhookRefusal::Hidden
        | WebhookRefusal::NotInChannel(_)
        | WebhookRefusal::NeedsAll
        | WebhookRefusal::PrivateNeedsAll(_) => (FORBIDDEN, None),
        WebhookRefusal::Unknown
        | WebhookRefusal::NothingToChange
        | WebhookRefusal::NoSuchOutgoing
        | WebhookRefusal::NotOutgoing
        | WebhookRefusal::NoSuchRun => (NOT_FOUND, None),
        WebhookRefusal::ScriptsFrozen | WebhookRefusal::RunWithoutData | WebhookRefusal::TooMany(_) => {
            (FAILED_PRECONDITION, None)
        }
    }
}

/// Returns the violations of a request's content, by their places in this dialect.
fn violations(fault: &Fault) -> Vec<Violation> {
    let issue = |issue: &Issue| Violation { field: issue.path.clone(), message: issue.says().to_owned() };
    match fault {
        Fault::Core(Error::Issues(issues)) => issues.iter().map(issue).collect(),
        Fault::Core(Error::Webhook(refusal)) => {
            let field = refused(refusal).1.map(str::to_owned);
            field.into_iter().map(|field| Violation { field, message: refusal.to_string() }).collect()
        }
        fault => fault.violations(),
    }
}

/// The only table of the native dialect's problems.
fn kind_of(fault: &Fault) -> Kind {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(why) => match why {
                AuthFailure::Missing => kind(401, "unauthenticated", "Token required"),
                AuthFailure::Invalid => kind(401, "token_invalid", "Invalid token"),
                AuthFailure::Expired => kind(401, "token_expired", "Token expired"),
                AuthFailure::Revoked => kind(401, "token_revoked", "Token revoked"),
                AuthFailure::NotAMember => kind(401, "not_a_member", "Not a member of the organisation"),
                AuthFailure::NoWorkspace => kind(401, "no_organisation", "Organisation required"),
                AuthFailure::NotSigned => kind(401, "signature_invalid", "Invalid signature"),
                AuthFailure::NotKeyed => kind(401, "key_invalid", "Invalid channel key"),
                AuthFailure::SessionEnded => kind(401, "session_ended", "Session ended"),
            },
            Error::Forbidden { .. } => FORBIDDEN,
            Error::NotProven { .. } => kind(403, "not_proven", "Authority at the provider not proved"),
            Error::NotFound { .. } => NOT_FOUND,
            Error::NotConnected { .. } => kind(404, "not_connected", "Not connected"),
            Error::Conflict { .. } => kind(409, "conflict", "Conflict"),
            Error::InUse { .. } => kind(409, "in_use", "In use"),
            Error::Invalid(_) | Error::Issues(_) => INVALID,
            Error::FailedPrecondition { .. } => FAILED_PRECONDITION,
            Error::Webhook(refusal) => refused(refusal).0,
            Error::Session(why) => match why {
                SessionRefusal::Origin => kind(403, "origin_not_allowed", "Origin not allowed"),
                SessionRefusal::CsrfToken => kind(403, "csrf_token_invalid", "Invalid CSRF token"),
                SessionRefusal::Page => kind(403, "page_not_allowed", "Outside the pages of the session"),
            },
            Error::OAuthState(_) => kind(400, "oauth_state_invalid", "Invalid OAuth state"),
            Error::IdempotencyMismatch { .. } => {
                kind(422, "idempotency_key_reused", "Idempotency-Key reused with another payload")
            }
            Error::IdempotencyInFlight { .. } => {
                kind(409, "idempotency_in_flight", "Idempotent request still in flight")
            }
            Error::Refused { .. } => kind(502, "upstream_refused", "Refused by upstream"),
            Error::UpstreamUnavailable { retry_after: None, .. } => {
                kind(502, "upstream_unavailable", "Upstream unavailable")
            }
            Error::UpstreamUnavailable { retry_after: Some(_), .. } => {
                kind(503, "upstream_busy", "Upstream rate limited")
            }
            Error::RateLimited { .. } => kind(429, "rate_limited", "Rate limited"),
            Error::Unavailable { .. } | Error::Storage(_) => kind(503, "unavailable", "Service unavailable"),
            Error::Internal(_) => kind(500, "internal", "Internal server error"),
        },
        Fault::Protocol(protocol) => match protocol {
            Protocol::MalformedJson { .. } => kind(400, "malformed_json", "Malformed JSON"),
            Protocol::BodyViolations(_) => kind(400, "invalid", "Invalid request"),
            Protocol::Parameter { .. } => kind(400, "invalid_parameter", "Invalid parameter"),
            Protocol::UnsupportedMediaType { .. } => kind(415, "unsupported_media_type", "Unsupported media type"),
            Protocol::BodyTooLarge { .. } => kind(413, "body_too_large", "Content too large"),
            Protocol::UnreadableBody => kind(400, "unreadable_body", "Unreadable body"),
            Protocol::BodyTimeout => kind(408, "body_timeout", "Request timeout"),
            Protocol::RouteNotFound { .. } => kind(404, "route_not_found", "Path not found"),
            Protocol::MethodNotAllowed { .. } => kind(405, "method_not_allowed", "Method not allowed"),
        },
        Fault::Bug { .. } => kind(500, "internal", "Internal server error"),
    }
}

fn problem(fault: &Fault, path: &str) -> Problem {
    let Kind { code, status, title } = kind_of(fault);
    let errors = violations(fault).into_iter();
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

/// Renders the page that the `type` URIs of problems lead to.
pub fn page() -> String {
    let kinds: BTreeMap<_, _> = Fault::samples().iter().map(kind_of).map(|kind| (kind.code, kind)).collect();
    let row = |Kind { code, status, title }: &Kind| {
        format!("<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td><td>{title}</td></tr>")
    };
    PAGE.replace("{{rows}}", &kinds.values().map(row).collect::<String>())
}

const PAGE: &str = include_str!("problems.html");

/// The native dialect's error format.
pub struct NativeError;

impl ErrorShape for NativeError {
    type Body = Problem;

    const CONTENT_TYPE: &'static str = "application/problem+json";

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request is malformed or invalid; `errors` lists every fault"),
        (401, "The token is missing or invalid"),
        (403, "The caller lacks the permission"),
        (404, "The resource does not exist, or belongs to another organisation"),
        (405, "The path does not support this method"),
        (408, "The body did not arrive in time"),
        (409, "Conflict with another resource, or a precondition that is not met"),
        (413, "The body is larger than the limit"),
        (415, "The Content-Type is not JSON"),
        (422, "The Idempotency-Key was used with another payload"),
        (429, "Too many requests or invalid credentials; retry after `Retry-After`"),
        (500, "Internal error; the log entry has the same `id`"),
        (502, "The upstream refused, or did not answer properly"),
        (503, "Unavailable; retry after `Retry-After`"),
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
