//! Every failure of a request: refusals of the core, and violations of HTTP.
//!
//! A dialect renders a [`Fault`] in its own body (`refusal`); it never sees a framework error.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::{
    self,
    error::{AuthFailure, Noun, StateFailure, Upstream, Violation},
    registry::definition::{Issue, Rule},
    tenancy::session::SessionRefusal,
};

/// A violation of HTTP or of the published document, detected before any rule of the domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Protocol {
    /// The body is not JSON.
    #[error("the body is not JSON: {reason} at line {line}, column {column}")]
    MalformedJson {
        /// Reason given by the parser.
        reason: String,
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
    },
    /// The body is JSON, and violates the published document. All violations are listed.
    #[error("{}", listed(.0))]
    BodyViolations(Vec<Violation>),
    /// A parameter in the path, query or headers is missing or malformed.
    #[error("the parameter {name} {reason}")]
    Parameter {
        /// Public name of the parameter.
        name: String,
        /// Description of the fault; it continues the name to a sentence.
        reason: String,
    },
    /// The content type is missing, or not supported by this operation.
    #[error("send the body as {supported}, not {}", .got.as_deref().unwrap_or("without a Content-Type"))]
    UnsupportedMediaType {
        /// Content type of the request.
        got: Option<String>,
        /// Supported content types.
        supported: String,
    },
    /// The body exceeds the operation's limit.
    #[error("the body is longer than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The body ended early or could not be read.
    #[error("the body ended early or could not be read")]
    UnreadableBody,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time: send it without pauses")]
    BodyTimeout,
    /// The path is unknown.
    #[error("there is nothing at {path}")]
    RouteNotFound {
        /// Requested path.
        path: String,
    },
    /// The path does not support the method.
    #[error("this path takes {} only", .allow.join(", "))]
    MethodNotAllowed {
        /// Supported methods (RFC 9110, 10.2.1).
        allow: Vec<&'static str>,
    },
}

/// Every failure of a request. Its text is safe to show.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// An error of the core.
    #[error("{}", shown(.0))]
    Core(domain::Error),
    /// A violation of HTTP.
    #[error("{0}")]
    Protocol(Protocol),
    /// A bug of ours. The id is in the log beside the cause.
    #[error("something went wrong on our side; it is in our log as {id}")]
    Bug {
        /// Id that the caller may quote.
        id: Uuid,
    },
}

impl From<std::io::Error> for Protocol {
    /// Classifies a failure to read a body.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::TimedOut => Protocol::BodyTimeout,
            _ => Protocol::UnreadableBody,
        }
    }
}

impl From<domain::Error> for Fault {
    fn from(error: domain::Error) -> Self {
        Fault::Core(error)
    }
}

impl From<Protocol> for Fault {
    fn from(protocol: Protocol) -> Self {
        Fault::Protocol(protocol)
    }
}

impl Fault {
    /// Returns the time after which a retry may succeed, if it is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Fault::Core(domain::Error::UpstreamUnavailable { retry_after, .. }) => *retry_after,
            Fault::Core(domain::Error::RateLimited { retry_after }) => Some(*retry_after),
            Fault::Core(
                domain::Error::Unavailable { .. }
                | domain::Error::Storage(_)
                | domain::Error::IdempotencyInFlight { .. },
            ) => Some(Duration::from_secs(1)),
            Fault::Core(_) | Fault::Protocol(_) | Fault::Bug { .. } => None,
        }
    }

    /// Returns the violations of the request's content, for an invalid request.
    pub fn violations(&self) -> Vec<Violation> {
        match self {
            Fault::Core(domain::Error::Invalid(violations)) | Fault::Protocol(Protocol::BodyViolations(violations)) => {
                violations.clone()
            }
            Fault::Protocol(Protocol::Parameter { name, reason }) => {
                vec![Violation { field: name.clone(), message: reason.clone() }]
            }
            Fault::Core(_) | Fault::Protocol(_) | Fault::Bug { .. } => Vec::new(),
        }
    }

    /// Returns the reason why the caller is not authenticated, for such a failure.
    pub fn auth_failure(&self) -> Option<AuthFailure> {
        match self {
            Fault::Core(domain::Error::Unauthenticated(why)) => Some(*why),
            Fault::Core(_) | Fault::Protocol(_) | Fault::Bug { .. } => None,
        }
    }

    /// Returns one fault of every kind. The published examples and the tests of the dialects are made from them.
    pub fn samples() -> Vec<Fault> {
        use domain::Error;
        let id = "0199c0de-5a3b-7c41-9e2f-3b1d5a7c9e10";
        let violation = || vec![Violation { field: "/name".into(), message: "is required".into() }];
        let core = [
            Error::Unauthenticated(AuthFailure::Missing),
            Error::Forbidden { permission: "channels:manage".into() },
            Error::NotProven {
                upstream: Upstream::Github,
                message: "prove that you administer the GitHub installation: open the link of the GitHub card".into(),
            },
            Error::not_found(Noun::Channel, id),
            Error::NotConnected { noun: Noun::SlackLink },
            Error::Conflict { noun: Noun::Channel, message: "there is a channel named \"alerts\" already".into() },
            Error::Invalid(violation()),
            Error::FailedPrecondition { message: "choose a Slack channel first".into() },
            Error::OAuthState(StateFailure::Unknown),
            Error::IdempotencyMismatch { key: "order-17".into() },
            Error::IdempotencyInFlight { key: "order-17".into() },
            Error::Refused { upstream: Upstream::Slack, code: "channel_not_found".into() },
            Error::UpstreamUnavailable { upstream: Upstream::Slack, reason: "timeout".into(), retry_after: None },
            Error::Unavailable { what: "the database" },
            Error::RateLimited { retry_after: Duration::from_secs(3) },
            Error::Unauthenticated(AuthFailure::Invalid),
            Error::Unauthenticated(AuthFailure::Expired),
            Error::Unauthenticated(AuthFailure::Revoked),
            Error::Unauthenticated(AuthFailure::NotAMember),
            Error::Unauthenticated(AuthFailure::NotSigned),
            Error::Unauthenticated(AuthFailure::NotKeyed),
            Error::Unauthenticated(AuthFailure::NoWorkspace),
            Error::Issues(vec![Issue::new(Rule::MaxLength, "/title", "must NOT have more than 64 characters")]),
            Error::InUse { noun: Noun::Integration, message: "teams 1.0.0 is installed in 2 places".into() },
            Error::UpstreamUnavailable {
                upstream: Upstream::Slack,
                reason: "rate limited".into(),
                retry_after: Some(Duration::from_secs(30)),
            },
            Error::Unauthenticated(AuthFailure::SessionEnded),
            Error::Session(SessionRefusal::Origin),
            Error::Session(SessionRefusal::CsrfToken),
            Error::Session(SessionRefusal::Page),
        ];
        let protocol = [
            Protocol::MalformedJson { reason: "expected value".into(), line: 1, column: 10 },
            Protocol::BodyViolations(violation()),
            Protocol::Parameter { name: "limit".into(), reason: "must be 1 to 250".into() },
            Protocol::UnsupportedMediaType { got: Some("text/plain".into()), supported: "application/json".into() },
            Protocol::BodyTooLarge { limit_bytes: 1 << 20 },
            Protocol::UnreadableBody,
            Protocol::BodyTimeout,
            Protocol::RouteNotFound { path: "/v1/nothing".into() },
            Protocol::MethodNotAllowed { allow: vec!["GET", "HEAD"] },
        ];
        let bug = Fault::Bug { id: Uuid::from_u128(0x0199_c0de_5a3b_7c41_9e2f_3b1d_5a7c_9e10) };
        core.map(Fault::Core).into_iter().chain(protocol.map(Fault::Protocol)).chain([bug]).collect()
    }
}

/// Returns the text for a caller: that of an internal error is only logged.
fn shown(error: &domain::Error) -> String {
    match error {
        domain::Error::Internal(_) => "something went wrong on our side".into(),
        error => error.to_string(),
    }
}

fn listed(violations: &[Violation]) -> String {
    let one = |v: &Violation| match v.field.as_str() {
        "" => format!("the body {}", v.message),
        field => format!("{field} {}", v.message),
    };
    violations.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_keeps_its_text_to_itself() {
        let fault = Fault::Core(domain::Error::Internal("password=hunter2".into()));
        assert!(!fault.to_string().contains("hunter2"));
    }

    #[test]
    fn every_violation_is_reported() {
        let fault = Fault::Protocol(Protocol::BodyViolations(vec![
            Violation { field: String::new(), message: "must be an object".into() },
            Violation { field: "/a/0".into(), message: "is required".into() },
        ]));
        assert_eq!(fault.to_string(), "the body must be an object; /a/0 is required");
        assert_eq!(fault.violations().len(), 2);
    }
}
