//! JSON request bodies: read, parsed once, held against the published document, then typed.
//!
//! In a handler the caller's argument stands before the body's, so that nothing is read for somebody unknown.

use bytes::Bytes;
use poem::{PathPattern, Request, RequestBody};
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
    refusal::into_error,
};
use crate::domain::{Error, error::Violation};

/// A JSON body.
#[derive(Debug)]
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// The very bytes, for fingerprints and signatures.
    pub raw: Bytes,
}

/// A JSON body that may be left out.
#[derive(Debug)]
pub struct OptionalBody<T> {
    /// What it says, where it was sent.
    pub value: Option<T>,
    /// The very bytes; empty when nothing was sent.
    pub raw: Bytes,
}

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(meta::<T>(true))
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let raw = read(request, body).await.map_err(into_error)?;
        let raw = raw.ok_or_else(|| into_error(broken("is required")))?;
        let value = parse(request, &raw).map_err(into_error)?;
        Ok(Self { value, raw })
    }
}

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for OptionalBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(meta::<T>(false))
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Some(raw) = read(request, body).await.map_err(into_error)? else {
            return Ok(Self { value: None, raw: Bytes::new() });
        };
        let value = parse(request, &raw).map_err(into_error)?;
        Ok(Self { value: Some(value), raw })
    }
}

fn meta<T: ParseFromJSON>(required: bool) -> MetaRequest {
    let content = vec![MetaMediaType { content_type: Media::Json.name(), schema: T::schema_ref() }];
    MetaRequest { description: None, content, required }
}

/// Reads the bytes; `None` when nothing was sent.
async fn read(request: &Request, body: &mut RequestBody) -> Result<Option<Bytes>, Fault> {
    let limit = served(request)?.plumbing.body_limit_bytes;
    let sent = media::read(request.headers(), body, &[Media::Json], limit).await?;
    Ok(sent.map(|(_, bytes)| bytes))
}

/// Reads JSON that somebody else checks.
///
/// # Errors
/// [`Protocol::MalformedJson`], or [`Protocol::BodyViolations`] where nothing was sent.
pub fn json(raw: &[u8]) -> Result<Value, Fault> {
    if raw.is_empty() {
        return Err(broken("is required").into());
    }
    Ok(serde_json::from_slice(raw).map_err(|error| malformed(&error))?)
}

fn parse<T: ParseFromJSON>(request: &Request, raw: &[u8]) -> Result<T, Fault> {
    let value: Value = serde_json::from_slice(raw).map_err(|error| malformed(&error))?;
    let pattern = request.data::<PathPattern>().map_or("", |pattern| &*pattern.0);
    let operation = served(request)?.contract.path(pattern).and_then(|path| path.operation(request.method()));
    let operation = operation.ok_or_else(|| Error::Internal(format!("{pattern} is not in the document")))?;
    operation.check_body(&value).map_err(Protocol::BodyViolations)?;
    T::parse_from_json(Some(value)).map_err(|error| broken(&reason(error.message())).into())
}

fn served(request: &Request) -> Result<&Served, Fault> {
    let served = request.data::<std::sync::Arc<Served>>();
    served.map(AsRef::as_ref).ok_or_else(|| Error::Internal("a body was asked for outside the guard".into()).into())
}

fn malformed(error: &serde_json::Error) -> Protocol {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
    Protocol::MalformedJson { reason, line: error.line(), column: error.column() }
}

/// One thing that is wrong with the body as a whole.
fn broken(message: &str) -> Protocol {
    Protocol::BodyViolations(vec![Violation { field: String::new(), message: message.to_owned() }])
}

/// The framework's reason, without its names for our types; reads on after the name of what is wrong.
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
