//! Error responses: [`ErrorShape`] is a dialect's error format, [`Refusal`] the error type of its handlers.
//!
//! A refusal carries its [`Fault`] unrendered to the guard, which knows the request and writes the response.

use std::marker::PhantomData;

use poem::{
    Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::{ToJSON, Type},
};
use serde_json::Value;

use super::fault::{Fault, Protocol};
use crate::domain::{self, ambient::Time, error::AuthFailure};

/// A dialect's error format and its choice of statuses.
pub trait ErrorShape: Send + Sync + 'static {
    /// The documented body.
    type Body: Type + ToJSON;

    /// Media type of the body.
    const CONTENT_TYPE: &'static str = "application/json";

    /// `WWW-Authenticate` challenge of a 401 (RFC 9110, 11.6.1).
    const CHALLENGE: &'static str = "Bearer";

    /// Every status that [`ErrorShape::status`] may return, with its description for the document.
    const STATUSES: &'static [(u16, &'static str)];

    /// The status of a fault.
    fn status(fault: &Fault) -> StatusCode;

    /// The body of a fault.
    fn body(fault: &Fault, status: StatusCode, occasion: Occasion<'_>) -> Self::Body;

    /// Returns the id by which a body can be found in our log, for a format that has one. Every refusal is then logged.
    fn mark(_: &Occasion<'_>) -> Option<String> {
        None
    }
}

/// Facts of the request that an error body may contain beside the fault.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// Requested path.
    pub path: &'a str,
    /// The time.
    pub now: Time,
    /// Random bytes that distinguish it from other errors.
    pub mark: [u8; 4],
}

impl Occasion<'static> {
    /// The occasion of the published examples.
    pub fn example() -> Self {
        let now = Time::from_timestamp(1_795_000_000, 0).unwrap_or_default();
        Self { path: "/v1/example", now, mark: [0x67, 0xBE, 0x4B, 0x5D] }
    }
}

/// A fault on its way to the caller in the format `S`. Handlers return `Result<_, Refusal<S>>` and use `?`.
pub struct Refusal<S> {
    fault: Fault,
    shape: PhantomData<fn() -> S>,
}

impl<S, F: Into<Fault>> From<F> for Refusal<S> {
    fn from(fault: F) -> Self {
        Self { fault: fault.into(), shape: PhantomData }
    }
}

// Not a `ResponseError`: that would render it here, without the request.
impl<S: ErrorShape> From<Refusal<S>> for poem::Error {
    fn from(refusal: Refusal<S>) -> Self {
        carry::<S>(refusal.fault)
    }
}

/// Wraps a fault in the framework's error, for extractors that do not know their dialect's format.
pub fn into_error(fault: impl Into<Fault>) -> poem::Error {
    poem::Error::new(fault.into(), StatusCode::INTERNAL_SERVER_ERROR)
}

fn carry<S: ErrorShape>(fault: Fault) -> poem::Error {
    let status = S::status(&fault);
    poem::Error::new(fault, status)
}

impl<S: ErrorShape> ApiResponse for Refusal<S> {
    fn meta() -> MetaResponses {
        let response = |&(status, description): &(u16, &'static str)| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            headers: Vec::new(),
            content: vec![MetaMediaType { content_type: S::CONTENT_TYPE, schema: S::Body::schema_ref() }],
        };
        MetaResponses { responses: S::STATUSES.iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        S::Body::register(registry);
    }
}

/// Renders a fault in the format `S`, with its headers.
pub fn render<S: ErrorShape>(fault: &Fault, occasion: Occasion<'_>) -> Response {
    let status = S::status(fault);
    let body = S::body(fault, status, occasion).to_json_string();
    let mut response = Response::builder().status(status).body(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(S::CONTENT_TYPE));
    if let Some(why) = fault.auth_failure() {
        // RFC 6750, 3.1: no error code when nothing was sent.
        let challenge = match why {
            AuthFailure::Missing => S::CHALLENGE.to_owned(),
            AuthFailure::Invalid
            | AuthFailure::Expired
            | AuthFailure::Revoked
            | AuthFailure::NotAMember
            | AuthFailure::NoWorkspace
            | AuthFailure::NotSigned
            | AuthFailure::NotKeyed
            | AuthFailure::SessionEnded => {
                format!("{} error=\"invalid_token\"", S::CHALLENGE)
            }
        };
        set(headers, header::WWW_AUTHENTICATE, challenge);
    } else if status == StatusCode::UNAUTHORIZED {
        set(headers, header::WWW_AUTHENTICATE, S::CHALLENGE.to_owned());
    }
    if let Fault::Protocol(Protocol::MethodNotAllowed { allow }) = fault {
        set(headers, header::ALLOW, allow.join(", "));
    }
    if let Some(wait) = fault.retry_after() {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}

fn set(headers: &mut header::HeaderMap, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Returns the published example of an error status: a sample that has it, in the format `S`.
pub fn example<S: ErrorShape>(status: u16) -> Option<Value> {
    let fault = Fault::samples().into_iter().find(|fault| S::status(fault).as_u16() == status)?;
    S::body(&fault, S::status(&fault), Occasion::example()).to_json()
}

/// Returns the cause of an internal fault: it is logged, and not shown to the caller.
pub fn internal_cause(fault: &Fault) -> Option<&str> {
    match fault {
        Fault::Core(domain::Error::Internal(cause)) => Some(cause),
        Fault::Core(_) | Fault::Protocol(_) | Fault::Bug { .. } => None,
    }
}
