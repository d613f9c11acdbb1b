//! Errors of the Botpress dialect: a type from the product's list, from which its client makes an error of that class,
//! and all issues of the request.

use poem::http::StatusCode;
use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
        word::{Vocabulary, Word},
    },
    domain::{
        Error,
        error::{Noun, Violation},
        registry::definition::{Issue, IssueKind, Rule},
    },
};

macro_rules! types {
    ($($name:ident = $status:literal),+ $(,)?) => {
        /// Types of errors that this dialect returns. The product's client knows further types, and no types beside
        /// those.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the product's names; docs/api-design/botpress.md has the case of each")]
        pub enum ErrorType { $($name),+ }

        impl ErrorType {
            fn status(self) -> u16 {
                match self { $(ErrorType::$name => $status),+ }
            }
        }

        impl Vocabulary for ErrorType {
            const NAME: &'static str = "ErrorType";
            const DESCRIPTION: &'static str = "Type of the error.";

            fn words() -> Vec<(&'static str, Self)> {
                vec![$((stringify!($name), ErrorType::$name)),+]
            }

            fn word(self) -> &'static str {
                match self { $(ErrorType::$name => stringify!($name)),+ }
            }
        }
    };
}

types! {
    Internal = 500,
    Unauthorized = 401,
    Forbidden = 403,
    PayloadTooLarge = 413,
    InvalidPayload = 400,
    UnsupportedMediaType = 415,
    MethodNotFound = 405,
    ResourceNotFound = 404,
    InvalidJsonSchema = 400,
    InvalidIdentifier = 400,
    InvalidDataFormat = 400,
    RelationConflict = 409,
    ReferenceConstraint = 409,
    ReferenceNotFound = 400,
    InvalidQuery = 400,
    AlreadyExists = 409,
    ResourceLockedConflict = 409,
    Runtime = 400,
    RateLimited = 429,
    QuotaExceeded = 403,
    LimitExceeded = 413,
    BreakingChanges = 400,
    OperationTimeout = 504,
}

/// One error of a request.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Issue", skip_serializing_if_is_none)]
pub struct IssueOut {
    /// Location of the error: a JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub path: String,
    /// Name of the violated rule, for programs.
    pub rule: String,
    /// Message for users. It begins with the location.
    pub message: String,
    /// Beginning of the value at the location. Never a secret.
    pub found: Option<String>,
}

/// Details of an error.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ErrorMetadata")]
pub struct Metadata {
    /// All errors, in the order of the body.
    pub issues: Vec<IssueOut>,
}

/// Reason why a request was refused or failed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Error", skip_serializing_if_is_none, example)]
pub struct ErrorOut {
    /// Id of the error in our log.
    pub id: String,
    /// HTTP status.
    pub code: i32,
    /// Type of the error.
    #[oai(rename = "type")]
    pub kind: Word<ErrorType>,
    /// Message for users; of several errors, the first.
    pub message: String,
    /// All errors of the request, for an invalid request.
    pub metadata: Option<Metadata>,
}

impl Example for ErrorOut {
    fn example() -> Self {
        let issue = Issue::new(Rule::MaxLength, "/title", "must NOT have more than 64 characters");
        let fault = Fault::Core(Error::Issues(vec![issue]));
        BotpressError::body(&fault, BotpressError::status(&fault), Occasion::example())
    }
}

/// The only table of Botpress's errors.
fn type_of(fault: &Fault) -> ErrorType {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(_) => ErrorType::Unauthorized,
            Error::Forbidden { .. } | Error::NotProven { .. } | Error::Session(_) => ErrorType::Forbidden,
            Error::NotFound { .. } | Error::NotConnected { .. } => ErrorType::ResourceNotFound,
            Error::Conflict { .. } => ErrorType::AlreadyExists,
            Error::InUse { .. } => ErrorType::ReferenceConstraint,
            Error::Invalid(violations) => match violations.iter().all(|violation| violation.field.starts_with('/')) {
                true => ErrorType::InvalidPayload,
                false => ErrorType::InvalidQuery,
            },
            Error::Issues(issues) => type_of_issues(issues),
            Error::FailedPrecondition { .. } | Error::Webhook(_) | Error::IdempotencyMismatch { .. } => {
                ErrorType::RelationConflict
            }
            Error::OAuthState(_) => ErrorType::InvalidPayload,
            Error::IdempotencyInFlight { .. } => ErrorType::ResourceLockedConflict,
            Error::Refused { .. } => ErrorType::Runtime,
            // The product has no other type that means a retry may succeed.
            Error::UpstreamUnavailable { .. } | Error::Unavailable { .. } | Error::Storage(_) => {
                ErrorType::OperationTimeout
            }
            Error::RateLimited { .. } => ErrorType::RateLimited,
            Error::Internal(_) => ErrorType::Internal,
        },
        Fault::Protocol(protocol) => match protocol {
            Protocol::MalformedJson { .. }
            | Protocol::BodyViolations(_)
            | Protocol::UnreadableBody
            | Protocol::BodyTimeout => ErrorType::InvalidPayload,
            Protocol::Parameter { .. } => ErrorType::InvalidQuery,
            Protocol::UnsupportedMediaType { .. } => ErrorType::UnsupportedMediaType,
            Protocol::BodyTooLarge { .. } => ErrorType::PayloadTooLarge,
            Protocol::RouteNotFound { .. } => ErrorType::ResourceNotFound,
            Protocol::MethodNotAllowed { .. } => ErrorType::MethodNotFound,
        },
        Fault::Bug { .. } => ErrorType::Internal,
    }
}

fn type_of_issues(issues: &[Issue]) -> ErrorType {
    match Issue::kind_of(issues) {
        IssueKind::InvalidPayload => ErrorType::InvalidPayload,
        IssueKind::InvalidJsonSchema => ErrorType::InvalidJsonSchema,
        IssueKind::InvalidIdentifier => ErrorType::InvalidIdentifier,
        IssueKind::InvalidDataFormat => ErrorType::InvalidDataFormat,
        IssueKind::LimitExceeded => ErrorType::LimitExceeded,
        IssueKind::QuotaExceeded => ErrorType::QuotaExceeded,
        IssueKind::ReferenceNotFound => ErrorType::ReferenceNotFound,
        IssueKind::BreakingChanges => ErrorType::BreakingChanges,
        IssueKind::AlreadyExists => ErrorType::AlreadyExists,
        IssueKind::Forbidden => ErrorType::Forbidden,
    }
}

/// Returns all errors of a request, for an invalid request.
fn issues(fault: &Fault) -> Vec<IssueOut> {
    if let Fault::Core(Error::Issues(issues)) = fault {
        let out = |issue: &Issue| IssueOut {
            path: issue.path.clone(),
            rule: issue.rule.as_str().to_owned(),
            message: issue.message.clone(),
            found: issue.found.clone(),
        };
        return issues.iter().map(out).collect();
    }
    let out = |Violation { field, message }: Violation| {
        let message = match field.as_str() {
            body if body.is_empty() || body.starts_with('/') => format!("request/body{body} {message}"),
            header if header.starts_with("x-") => format!("request/headers/{header} {message}"),
            parameter => format!("request/query/{parameter} {message}"),
        };
        IssueOut { path: field, rule: "invalid".to_owned(), message, found: None }
    };
    fault.violations().into_iter().map(out).collect()
}

/// Returns the message of the first issue of the error's type, or the fault's own message.
fn message(fault: &Fault, issues: &[IssueOut]) -> String {
    if let Fault::Core(Error::Issues(all)) = fault {
        let kind = Issue::kind_of(all);
        let first = all.iter().find(|issue| issue.rule.kind() == kind).or_else(|| all.first());
        return first.map(|issue| issue.message.clone()).unwrap_or_default();
    }
    match (fault, issues.first()) {
        (_, Some(first)) => first.message.clone(),
        (Fault::Core(Error::NotFound { noun, id }), None) => {
            let noun = match noun {
                Noun::Integration => "Integration",
                Noun::Organisation => "Workspace",
                Noun::Interface => "Interface",
                Noun::Installation => "Bot",
                Noun::Action => "Action",
                Noun::ApiKey => "Integration API key",
                Noun::Member
                | Noun::Token
                | Noun::Invitation
                | Noun::Channel
                | Noun::Connection
                | Noun::SlackLink
                | Noun::GithubInstallation
                | Noun::Route
                | Noun::Workflow
                | Noun::Setting
                | Noun::Event
                | Noun::Delivery
                | Noun::Destination
                | Noun::Secret => return fault.to_string(),
            };
            format!("{noun} {id:?} doesn't exist")
        }
        (fault, None) => fault.to_string(),
    }
}

/// Botpress's error format.
pub struct BotpressError;

impl ErrorShape for BotpressError {
    type Body = ErrorOut;

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request is malformed or invalid; `metadata.issues` lists every error"),
        (401, "The token or the workspace is missing or invalid"),
        (
            403,
            "The caller lacks the permission, the name or version cannot be changed by the caller, or a quota is used up",
        ),
        (404, "The resource does not exist, or belongs to another workspace"),
        (405, "The path does not support this method"),
        (408, "The body did not arrive in time"),
        (409, "The resource exists already, is in use, or conflicts with another one"),
        (413, "The body is too large, or exceeds a limit"),
        (415, "The Content-Type is not JSON"),
        (429, "Too many calls of the workspace; retry after `Retry-After`"),
        (500, "Internal error; the log entry has the same `id`"),
        (504, "This service is unavailable; retry later"),
    ];

    fn status(fault: &Fault) -> StatusCode {
        // The product has no type for a timeout, and its list is closed.
        if matches!(fault, Fault::Protocol(Protocol::BodyTimeout)) {
            return StatusCode::REQUEST_TIMEOUT;
        }
        StatusCode::from_u16(type_of(fault).status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(fault: &Fault, status: StatusCode, occasion: Occasion<'_>) -> ErrorOut {
        let kind = type_of(fault);
        let issues = issues(fault);
        ErrorOut {
            id: mark(&occasion),
            code: i32::from(status.as_u16()),
            kind: Word(kind),
            message: message(fault, &issues),
            metadata: if issues.is_empty() { None } else { Some(Metadata { issues }) },
        }
    }

    fn mark(occasion: &Occasion<'_>) -> Option<String> {
        Some(mark(occasion))
    }
}

/// Makes the error's id: the time, with a suffix that distinguishes errors of the same second.
fn mark(Occasion { now, mark, .. }: &Occasion<'_>) -> String {
    format!("err_{}x{:08X}", now.format("%Y%m%d%H%M%S"), u32::from_be_bytes(*mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::error_tables;

    #[test]
    fn every_status_is_documented_and_every_type_given() {
        let mut given = Vec::new();
        for fault in Fault::samples() {
            let status = BotpressError::status(&fault).as_u16();
            assert!(BotpressError::STATUSES.iter().any(|(documented, _)| *documented == status), "{fault:?}");
            given.push(type_of(&fault));
        }
        for rule in error_tables::RULES {
            given.push(type_of(&Fault::Core(Error::Issues(vec![Issue::new(rule, "/x", "is wrong")]))));
        }
        for (word, kind) in ErrorType::words() {
            assert!(given.contains(&kind), "{word} is never given");
        }
    }
}
