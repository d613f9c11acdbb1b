//! JSON request bodies: read, parsed once, validated against the published document, then typed.
//!
//! In a handler the caller's argument precedes the body's, so that no body of an unauthenticated caller is read.

use std::sync::Arc;

use bytes::Bytes;
use poem::{PathPattern, Request, RequestBody, http::Method};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::ParseFromJSON,
};
use serde_json::Value;

use super::{
    fault::{Fault, Protocol},
    guard::Served,
    media::{self, Media},
    nul,
    refusal::into_error,
};
use crate::domain::{Error, error::Violation};

/// Size from which bodies are parsed and validated on a blocking thread.
const LONG_BYTES: usize = 64 << 10;

/// A JSON body; for an [`Option`], an optional one.
#[derive(Debug)]
pub struct Body<T> {
    /// Parsed value.
    pub value: T,
    /// Raw bytes, for fingerprints and signatures; empty if no body was sent.
    pub raw: Bytes,
}

impl<'a, T: ParseFromJSON + 'static> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: Media::Json.name(), schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: T::IS_REQUIRED })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let sent = read(request, body).await.map_err(into_error)?;
        let value = match &sent {
            Some(raw) => parse(request, raw).await,
            None if T::IS_REQUIRED => Err(broken("is required").into()),
            None => parsed(None),
        };
        Ok(Self { value: value.map_err(into_error)?, raw: sent.unwrap_or_default() })
    }
}

/// Reads the bytes; `None` if no body was sent.
async fn read(request: &Request, body: &mut RequestBody) -> Result<Option<Bytes>, Fault> {
    let limit = served(request)?.plumbing.body_limit_bytes;
    let sent = media::read(request, body, (&[Media::Json], limit), |_| {}).await?;
    Ok(sent.map(|(_, sent)| sent.whole()))
}

/// Reads bytes of any media type; none if no body was sent.
///
/// # Errors
/// [`Fault`] for a body that is too large or does not come.
pub async fn any_bytes(request: &Request, body: &mut RequestBody) -> Result<Bytes, Fault> {
    let limit = served(request)?.plumbing.body_limit_bytes;
    let sent = media::read(request, body, (&[Media::Anything], limit), |_| {}).await?;
    Ok(sent.map(|(_, sent)| sent.whole()).unwrap_or_default())
}

/// Reads JSON that the use case checks.
///
/// # Errors
/// As [`json`], and those of reading the body.
pub async fn any_json(request: &Request, body: &mut RequestBody) -> Result<Value, Fault> {
    let raw = read(request, body).await?.unwrap_or_default();
    let value = json(&raw)?;
    nul::check_json(&raw, &value)?;
    Ok(value)
}

/// Parses JSON that the use case checks.
///
/// # Errors
/// [`Protocol::MalformedJson`], or [`Protocol::BodyViolations`] for an empty body.
pub fn json(raw: &[u8]) -> Result<Value, Fault> {
    if raw.is_empty() {
        return Err(broken("is required").into());
    }
    Ok(serde_json::from_slice(raw).map_err(|error| malformed(&error))?)
}

/// Parses, validates and types a body. A long one gets a thread of its own, a few at a time, so that it delays no other
/// request.
async fn parse<T: ParseFromJSON + 'static>(request: &Request, raw: &Bytes) -> Result<T, Fault> {
    let (served, method) = (served(request)?, request.method());
    let pattern = request.data::<PathPattern>().map_or("", |pattern| &*pattern.0);
    if raw.len() < LONG_BYTES {
        return typed(served, (pattern, method), raw);
    }
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("a body was not checked: {error}"));
    let turn = served.plumbing.limits.long.clone().acquire_owned().await.map_err(|error| failed(&error))?;
    let (served, pattern, method, raw) = (served.clone(), pattern.to_owned(), method.clone(), raw.clone());
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        typed(&served, (&pattern, &method), &raw)
    });
    work.await.map_err(|error| failed(&error))?
}

fn typed<T: ParseFromJSON>(served: &Served, (pattern, method): (&str, &Method), raw: &[u8]) -> Result<T, Fault> {
    let value: Value = serde_json::from_slice(raw).map_err(|error| malformed(&error))?;
    nul::check_json(raw, &value)?;
    let operation = served.contract()?.path(pattern).and_then(|path| path.operation(method));
    let operation = operation.ok_or_else(|| Error::Internal(format!("{pattern} is not in the document")))?;
    operation.check_body(&value).map_err(Protocol::BodyViolations)?;
    parsed(Some(value))
}

fn parsed<T: ParseFromJSON>(value: Option<Value>) -> Result<T, Fault> {
    T::parse_from_json(value).map_err(|error| broken(&reason(error.message())).into())
}

fn served(request: &Request) -> Result<&Arc<Served>, Fault> {
    let served = request.data::<Arc<Served>>();
    served.ok_or_else(|| Error::Internal("a body was asked for outside the guard".into()).into())
}

fn malformed(error: &serde_json::Error) -> Protocol {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
    Protocol::MalformedJson { reason, line: error.line(), column: error.column() }
}

/// Makes a violation of the body as a whole.
fn broken(message: &str) -> Protocol {
    Protocol::BodyViolations(vec![Violation { field: String::new(), message: message.to_owned() }])
}

/// Returns the framework's reason, without its names for our types; it continues the name of the member to a sentence.
pub fn reason(message: &str) -> String {
    let message = message.split(" (occurred while parsing ").next().unwrap_or_default();
    if message.ends_with("expects an input value.") {
        return "is required".into();
    }
    let cause = message.strip_prefix("failed to parse \"").and_then(|rest| rest.split_once("\": "));
    match cause {
        Some((_, cause)) => format!("is not valid: {cause}"),
        None => format!("is not valid: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_does_not_name_our_types() {
        assert_eq!(reason(r#"Type "string(uuid)" expects an input value."#), "is required");
        assert_eq!(
            reason(r#"failed to parse "Uuid": too short (occurred while parsing "Thing")"#),
            "is not valid: too short"
        );
    }
}
