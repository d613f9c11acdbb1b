//! JSON request bodies: read up to a limit, parsed once, held against the published document, then typed.
//!
//! In a handler the caller's argument stands before the body's, so that nothing is read for somebody unknown.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use poem::{
    PathPattern, Request, RequestBody,
    http::{HeaderMap, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::ParseFromJSON,
};
use serde_json::Value;

use super::{
    fault::{Fault, Protocol},
    guard::Served,
    refusal::into_error,
};
use crate::domain::{Error, error::Violation};

/// The one media type of request bodies.
pub const JSON: &str = "application/json";

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
    let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
    MetaRequest { description: None, content, required }
}

/// Reads the bytes; `None` when nothing was sent.
async fn read(request: &Request, body: &mut RequestBody) -> Result<Option<Bytes>, Fault> {
    let limit = served(request)?.plumbing.body_limit_bytes;
    let body = body.take().map_err(|error| Error::Internal(format!("a body was read twice: {error}")))?;
    let headers = request.headers();
    if body.is_empty() {
        return Ok(None);
    }
    check_media_type(headers)?;
    let too_large = || Fault::Protocol(Protocol::BodyTooLarge { limit_bytes: limit });
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut frames = body.into_bytes_stream();
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|_| Protocol::UnreadableBody)?;
        if first.len().max(all.len()) + frame.len() > limit {
            return Err(too_large());
        }
        // Nearly every body is one frame: that is kept as it came, without a copy.
        if all.is_empty() && first.is_empty() {
            first = frame;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&frame);
    }
    let raw = if all.is_empty() { first } else { all.freeze() };
    Ok(if raw.is_empty() { None } else { Some(raw) })
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

/// `application/json`, or anything that says of itself that it is JSON; UTF-8, and not compressed.
fn check_media_type(headers: &HeaderMap) -> Result<(), Protocol> {
    let refused = |got: Option<String>| Err(Protocol::UnsupportedMediaType { got, supported: JSON });
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(encoding) = text(header::CONTENT_ENCODING).filter(|e| !e.trim().eq_ignore_ascii_case("identity")) {
        return refused(Some(format!("in the Content-Encoding {encoding}")));
    }
    let Some(content_type) = text(header::CONTENT_TYPE) else { return refused(None) };
    if is_json(&content_type) { Ok(()) } else { refused(Some(content_type.into_owned())) }
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let ends_in_json = || essence.len() > 5 && essence.is_char_boundary(essence.len() - 5);
    let json = essence.eq_ignore_ascii_case(JSON)
        || (ends_in_json() && essence.contains('/') && essence[essence.len() - 5..].eq_ignore_ascii_case("+json"));
    let utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
        }
        Some(_) | None => true,
    };
    json && parts.all(utf8)
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
    fn what_counts_as_json() {
        for yes in
            ["application/json", "Application/JSON; charset=UTF-8", "application/cloudevents+json;charset=\"utf-8\""]
        {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["", "json", "+json", "text/plain", "application/jsonp", "application/json; charset=latin1", "é+jsn"]
        {
            assert!(!is_json(no), "{no}");
        }
    }

    #[test]
    fn a_reason_does_not_name_our_types() {
        assert_eq!(reason(r#"Type "string(uuid)" expects an input value."#), "is required");
        assert_eq!(
            reason(r#"failed to parse "Uuid": too short (occurred while parsing "Thing")"#),
            "is not valid: too short"
        );
    }
}
