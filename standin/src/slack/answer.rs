//! Answers of a method: Slack answers `ok: false` at HTTP 200 for everything but a rate limit.

use std::borrow::Cow;

use poem::Response;
use poem::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

/// A successful answer, already serialised.
pub(crate) struct Answer(Vec<u8>);

/// A refusal: Slack's error code and its details.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: Cow<'static, str>,
    pub(crate) retry_after: Option<u64>,
    fields: Map<String, Value>,
}

/// Result of a method.
pub(crate) type Outcome = Result<Answer, Refusal>;

impl Answer {
    /// Answers `ok: true` with these fields.
    pub(crate) fn ok(fields: Value) -> Self {
        let mut body = Map::new();
        body.insert("ok".to_owned(), Value::Bool(true));
        if let Value::Object(fields) = fields {
            body.extend(fields);
        }
        Self(serde_json::to_vec(&body).unwrap_or_default())
    }

    /// Answers with text that is JSON already.
    pub(crate) fn written(json: String) -> Self {
        Self(json.into_bytes())
    }

    pub(crate) fn into_response(self, scopes: Option<HeaderValue>) -> Response {
        write(StatusCode::OK, self.0, scopes)
    }
}

impl Refusal {
    /// Rate limited, with a delay.
    pub(crate) fn rate_limited(secs: u64) -> Self {
        Self { retry_after: Some(secs), ..Self::from("ratelimited") }
    }

    /// A token without one of these scopes.
    pub(crate) fn missing_scope(needed: &str, provided: &str) -> Self {
        Self::from("missing_scope").with("needed", json!(needed)).with("provided", json!(provided))
    }

    /// Adds a field to the answer.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// Adds the messages by which Slack explains an invalid argument.
    pub(crate) fn explained(self, messages: &[String]) -> Self {
        self.with("errors", json!(messages)).with("response_metadata", json!({"messages": messages}))
    }

    pub(crate) fn status(&self) -> StatusCode {
        if self.retry_after.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK }
    }

    pub(crate) fn into_response(self, scopes: Option<HeaderValue>) -> Response {
        let mut body = Map::new();
        body.insert("ok".to_owned(), Value::Bool(false));
        body.insert("error".to_owned(), Value::String(self.error.clone().into_owned()));
        let status = self.status();
        body.extend(self.fields);
        let mut response = write(status, serde_json::to_vec(&body).unwrap_or_default(), scopes);
        if let Some(secs) = self.retry_after {
            response.headers_mut().insert("retry-after", HeaderValue::from(secs));
        }
        response
    }
}

impl From<&'static str> for Refusal {
    fn from(error: &'static str) -> Self {
        Self { error: Cow::Borrowed(error), retry_after: None, fields: Map::new() }
    }
}

fn write(status: StatusCode, body: Vec<u8>, scopes: Option<HeaderValue>) -> Response {
    let mut response = Response::from(body);
    response.set_status(status);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    if let Some(scopes) = scopes {
        headers.insert("x-oauth-scopes", scopes);
    }
    response
}
