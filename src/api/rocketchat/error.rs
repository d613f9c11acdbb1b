//! Errors of the Rocket.Chat dialect: a message with its code in brackets, and the code by itself where the product
//! returns one.

use poem::http::StatusCode;
use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::{Value, json};

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        refusal::{ErrorShape, Occasion},
    },
    domain::{
        Error,
        error::{Noun, Violation},
        webhooks::{Way, WebhookRefusal, incoming_refusal::HookRefusal},
    },
};

/// Reason why a request was refused or failed. An unauthenticated caller gets `status` and `message`, all others get
/// `success` and `error`.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "Failure", skip_serializing_if_is_none, example)]
pub struct ErrorOut {
    /// `error`, for an unauthenticated caller.
    pub status: Option<String>,
    /// Message for an unauthenticated caller.
    pub message: Option<String>,
    /// Always false.
    pub success: Option<bool>,
    /// Message, with the code in brackets.
    pub error: Option<String>,
    /// Code of the error.
    #[oai(rename = "errorType")]
    pub error_type: Option<String>,
    /// Location of the error.
    pub details: Option<Any<Value>>,
}

impl Example for ErrorOut {
    fn example() -> Self {
        let fault = Fault::Core(WebhookRefusal::Unknown.into());
        RocketchatError::body(&fault, RocketchatError::status(&fault), Occasion::example())
    }
}

/// A rendered error: its status, its message, its code and further details.
struct Rendered {
    status: u16,
    error: String,
    code: Option<&'static str>,
    details: Option<Value>,
}

/// Renders a message without a code.
fn plain(status: u16, error: impl Into<String>) -> Rendered {
    Rendered { status, error: error.into(), code: None, details: None }
}

/// Renders a message with its code.
fn coded(reason: &str, code: &'static str) -> Rendered {
    let error = if reason.is_empty() { format!("[{code}]") } else { format!("{reason} [{code}]") };
    Rendered { status: 400, error, code: Some(code), details: None }
}

const INVALID_PARAMS: &str = "invalid-params";
const NOT_PERMITTED: &str = "User does not have the permissions required for this action [error-unauthorized]";

const NO_ROOM: &str = "The required \"roomId\" or \"roomName\" param provided does not match any channel";

/// The only table of Rocket.Chat's errors.
fn rendered(fault: &Fault) -> Rendered {
    match fault {
        Fault::Core(error) => match error {
            Error::Unauthenticated(_) => plain(401, ""),
            Error::Forbidden { .. } | Error::NotProven { .. } | Error::Session(_) => plain(403, NOT_PERMITTED),
            Error::Webhook(refusal) => refused(refusal),
            Error::Invalid(violations) => invalid(violations),
            Error::NotFound { noun: Noun::Channel, .. } => coded(NO_ROOM, "error-room-not-found"),
            Error::NotFound { .. } | Error::NotConnected { .. } => plain(404, fault.to_string()),
            Error::Conflict { .. }
            | Error::InUse { .. }
            | Error::Issues(_)
            | Error::FailedPrecondition { .. }
            | Error::OAuthState(_)
            | Error::IdempotencyMismatch { .. }
            | Error::IdempotencyInFlight { .. } => plain(400, fault.to_string()),
            Error::Refused { .. } => plain(502, fault.to_string()),
            Error::UpstreamUnavailable { .. } => plain(503, fault.to_string()),
            Error::RateLimited { .. } => Rendered {
                status: 429,
                ..coded("Error, too many requests. Please slow down.", "error-too-many-requests")
            },
            Error::Unavailable { .. } | Error::Storage(_) => plain(503, "Service Unavailable"),
            Error::Internal(_) => plain(500, "Internal server error"),
        },
        Fault::Protocol(protocol) => match protocol {
            Protocol::BodyViolations(_) | Protocol::Parameter { .. } => invalid(&fault.violations()),
            Protocol::MalformedJson { .. } | Protocol::UnreadableBody => plain(400, fault.to_string()),
            Protocol::BodyTimeout => plain(408, fault.to_string()),
            Protocol::BodyTooLarge { .. } => plain(413, fault.to_string()),
            Protocol::UnsupportedMediaType { .. } => plain(415, fault.to_string()),
            Protocol::RouteNotFound { .. } => plain(404, fault.to_string()),
            Protocol::MethodNotAllowed { .. } => plain(405, fault.to_string()),
        },
        Fault::Bug { .. } => plain(500, fault.to_string()),
    }
}

/// Renders the messages of the product's validator, one a line.
fn invalid(violations: &[Violation]) -> Rendered {
    let line = |violation: &Violation| match (violation.field.trim_start_matches('/'), violation.message.as_str()) {
        ("", message) => message.to_owned(),
        (field, "is required") => format!("must have required property '{field}'"),
        (field, message) => format!("{field} {message}"),
    };
    let lines: Vec<String> = violations.iter().map(line).collect();
    coded(&lines.join("\n "), INVALID_PARAMS)
}

fn refused(refusal: &WebhookRefusal) -> Rendered {
    match refusal {
        WebhookRefusal::NotAllowed(Way::Incoming) => coded("Unauthorized", "not_authorized"),
        WebhookRefusal::NotAllowed(Way::Outgoing) => coded("", "not_authorized"),
        WebhookRefusal::NotYours(Way::Incoming) => coded("Invalid integration", "error-invalid-integration"),
        WebhookRefusal::NotYours(Way::Outgoing) => coded("Invalid integration", "invalid_integration"),
        WebhookRefusal::Hidden => plain(400, "not-authorized"),
        WebhookRefusal::Unknown => plain(400, "The integration does not exists."),
        WebhookRefusal::NothingToChange => plain(400, "No integration found."),
        WebhookRefusal::Type => plain(400, "Invalid integration type."),
        WebhookRefusal::NoChannel => coded("Invalid channel", "error-invalid-channel"),
        WebhookRefusal::ChannelSign => {
            coded("Invalid channel. Start with @ or #", "error-invalid-channel-start-with-chars")
        }
        WebhookRefusal::NoUsername => coded("Invalid username", "error-invalid-username"),
        WebhookRefusal::ScriptsFrozen => plain(400, "integration-scripts-disabled"),
        WebhookRefusal::UserUnknown(Way::Incoming) => coded("Invalid user", "error-invalid-user"),
        WebhookRefusal::UserUnknown(Way::Outgoing) => {
            coded("Invalid user (did you delete the `rocket.cat` user?)", "error-invalid-user")
        }
        WebhookRefusal::PosterUnknown => coded("Invalid Post As User", "error-invalid-post-as-user"),
        WebhookRefusal::ChannelUnknown(_) => coded("Invalid room", "error-invalid-room"),
        WebhookRefusal::NotInChannel(_) | WebhookRefusal::PrivateNeedsAll(_) => {
            coded("Invalid Channel", "error-invalid-channel")
        }
        WebhookRefusal::EventUnknown => coded("Invalid event type", "error-invalid-event-type"),
        WebhookRefusal::NoTargetRoom => coded("Invalid Target Room", "error-invalid-targetRoom"),
        WebhookRefusal::NoUrls => coded("Invalid URLs", "error-invalid-urls"),
        WebhookRefusal::UrlRefused { why, .. } => coded(&format!("Invalid URLs: {why}"), "error-invalid-urls"),
        WebhookRefusal::NeedsAll => {
            coded("Invalid permission for required Integration creation.", "error-invalid-permissions")
        }
        WebhookRefusal::NoToken => {
            let details = Some(json!({"method": "updateOutgoingIntegration"}));
            Rendered { details, ..coded("Invalid token", "error-invalid-token") }
        }
        WebhookRefusal::NoId => plain(400, "Invalid integration id."),
        WebhookRefusal::NoSuchOutgoing => coded("Invalid integration", "error-invalid-integration"),
        WebhookRefusal::NotOutgoing => plain(400, "integration-type-must-be-outgoing"),
        WebhookRefusal::NoSuchRun => coded("Invalid Integration History", "error-invalid-integration-history"),
        WebhookRefusal::RunWithoutData => plain(400, "history-data-must-be-defined"),
        WebhookRefusal::TooMany(_) => plain(400, refusal.to_string()),
        WebhookRefusal::Hook(refusal) => unposted(refusal),
    }
}

/// Renders a refusal for a sender: a code by itself, with the explanation beside it.
fn unposted(refusal: &HookRefusal) -> Rendered {
    let status = match refusal {
        HookRefusal::Unknown => 404,
        HookRefusal::PosterGone => 401,
        HookRefusal::Disabled => 503,
        HookRefusal::Post(fault) => {
            return Rendered { details: Some(json!({"reason": fault.to_string()})), ..plain(400, fault.code()) };
        }
        HookRefusal::Payload(_)
        | HookRefusal::Override
        | HookRefusal::ScriptsDisabled
        | HookRefusal::Script(_)
        | HookRefusal::ScriptContent
        | HookRefusal::NoTarget
        | HookRefusal::NoSubscriber => 400,
    };
    plain(status, refusal.to_string())
}

/// Rocket.Chat's error format.
pub struct RocketchatError;

impl ErrorShape for RocketchatError {
    type Body = ErrorOut;

    const CHALLENGE: &'static str = "X-Auth-Token";

    const STATUSES: &'static [(u16, &'static str)] = &[
        (400, "The request is malformed or invalid, or the integration does not exist"),
        (401, "The credential is missing or invalid"),
        (403, "The caller lacks the permission"),
        (404, "The resource does not exist"),
        (405, "The path does not support this method"),
        (408, "The body did not arrive in time"),
        (413, "The body is larger than the limit"),
        (415, "The Content-Type is not JSON"),
        (429, "Too many requests; retry after `Retry-After`"),
        (500, "Internal error; `error` has the id of the log entry"),
        (502, "The upstream refused"),
        (503, "The integration is switched off, or this service is unavailable"),
    ];

    fn status(fault: &Fault) -> StatusCode {
        StatusCode::from_u16(rendered(fault).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(fault: &Fault, status: StatusCode, _: Occasion<'_>) -> ErrorOut {
        if status == StatusCode::UNAUTHORIZED {
            let message = "You must be logged in to do this.".to_owned();
            return ErrorOut { status: Some("error".to_owned()), message: Some(message), ..ErrorOut::default() };
        }
        let Rendered { error, code, details, .. } = rendered(fault);
        ErrorOut {
            success: Some(false),
            error: Some(error),
            error_type: code.map(str::to_owned),
            details: details.map(Any),
            ..ErrorOut::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_documented() {
        for fault in Fault::samples() {
            let status = RocketchatError::status(&fault).as_u16();
            assert!(RocketchatError::STATUSES.iter().any(|(documented, _)| *documented == status), "{fault:?}");
        }
    }
}
