//! What goes wrong, in Botpress's words: a type of its list, from which its client makes an error of that class, and all
//! that is wrong beside it.

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
        /// The types of errors that are given here. The product's client knows more, and none beside those.
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
            const DESCRIPTION: &'static str = "What kind of error it is.";

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

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Issue", skip_serializing_if_is_none)]
pub struct IssueOut {
    /// Where: a JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub path: String,
    /// The rule that is broken; programs may act on it.
    pub rule: String,
    /// What is wrong, for people. It begins with the place.
    pub message: String,
    /// What was found there, cut. Never a secret.
    pub found: Option<String>,
}

/// More about an error.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ErrorMetadata")]
pub struct Metadata {
    /// All that is wrong, in the order of the body.
    pub issues: Vec<IssueOut>,
}

/// Why a request was refused or failed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Error", skip_serializing_if_is_none, example)]
pub struct ErrorOut {
    /// By which it is found again in our log.
    pub id: String,
    /// The HTTP status.
    pub code: i32,
    /// What kind of error it is.
    #[oai(rename = "type")]
    pub kind: Word<ErrorType>,
    /// What went wrong, for people. Where several things are wrong, the first one.
    pub message: String,
    /// All that is wrong with the request, where it is about that.
    pub metadata: Option<Metadata>,
}

impl Example for ErrorOut {
    fn example() -> Self {
        let issue = Issue::new(Rule::MaxLength, "/title", "must NOT have more than 64 characters");
        let fault = Fault::Core(Error::Issues(vec![issue]));
        BotpressError::body(&fault, BotpressError::status(&fault), Occasion::example())
    }
}

/// The one table of Botpress's errors.
fn type_of(fault: &Fault) -> ErrorType {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(_) => ErrorType::Unauthorized,
            Error::Forbidden { .. } | Error::NotProven { .. } => ErrorType::Forbidden,
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
            // The product has no other type that says to try again.
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
        IssueKind::LimitExceeded => ErrorType::LimitExceeded,
        IssueKind::QuotaExceeded => ErrorType::QuotaExceeded,
        IssueKind::ReferenceNotFound => ErrorType::ReferenceNotFound,
        IssueKind::BreakingChanges => ErrorType::BreakingChanges,
        IssueKind::AlreadyExists => ErrorType::AlreadyExists,
        IssueKind::Forbidden => ErrorType::Forbidden,
    }
}

/// All that is wrong with a request, where it is about that.
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
        let message = match field.is_empty() || field.starts_with('/') {
            true => format!("request/body{field} {message}"),
            false => format!("request/query/{field} {message}"),
        };
        IssueOut { path: field, rule: "invalid".to_owned(), message, found: None }
    };
    fault.violations().into_iter().map(out).collect()
}

/// The first sentence of those that belong to the type, or what the fault says.
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
                Noun::ApiKey => "Integration API key",
                Noun::Member
                | Noun::Token
                | Noun::Invitation
                | Noun::Channel
                | Noun::SlackLink
                | Noun::GithubInstallation
                | Noun::Subscription
                | Noun::Workflow
                | Noun::Setting
                | Noun::Event
                | Noun::Delivery
                | Noun::Destination => return fault.to_string(),
            };
            format!("{noun} {id:?} doesn't exist")
        }
        (fault, None) => fault.to_string(),
    }
}

/// The shape of Botpress's errors.
pub struct BotpressError;

impl ErrorShape for BotpressError {
    type Body = ErrorOut;

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request is malformed or breaks a rule; `metadata.issues` has all that is wrong"),
        (401, "There is no token or workspace, or not a good one"),
        (403, "The caller may not, or the name or version is not the caller's to change, or a quota is used up"),
        (404, "It does not exist, or it is another workspace's"),
        (405, "The path does not take this method"),
        (408, "The body did not arrive in time"),
        (409, "It is there already, still in use, or in conflict with another one"),
        (413, "The body is too long, or a limit is passed"),
        (415, "The body is not JSON by its Content-Type"),
        (429, "Too many calls of the workspace; come back after `Retry-After`"),
        (500, "Something went wrong on our side; `id` is in our log"),
        (504, "We are not available right now; try again later"),
    ];

    fn status(fault: &Fault) -> StatusCode {
        // The product has no type for it, and its list is closed.
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

/// The time, and what tells it from others of the same second.
fn mark(Occasion { now, mark, .. }: &Occasion<'_>) -> String {
    format!("err_{}x{:08X}", now.format("%Y%m%d%H%M%S"), u32::from_be_bytes(*mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_documented_and_every_type_given() {
        let mut given = Vec::new();
        for fault in Fault::samples() {
            let status = BotpressError::status(&fault).as_u16();
            assert!(BotpressError::STATUSES.iter().any(|(documented, _)| *documented == status), "{fault:?}");
            given.push(type_of(&fault));
        }
        for rule in [
            Rule::JsonSchema,
            Rule::Identifier,
            Rule::Interface,
            Rule::Limit,
            Rule::Quota,
            Rule::BreakingChange,
            Rule::Taken,
            Rule::Reserved,
        ] {
            given.push(type_of(&Fault::Core(Error::Issues(vec![Issue::new(rule, "/x", "is wrong")]))));
        }
        for (word, kind) in ErrorType::words() {
            assert!(given.contains(&kind), "{word} is never given");
        }
    }
}
