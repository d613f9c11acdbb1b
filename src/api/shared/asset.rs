//! Files of ours for browsers: cacheable, with an entity tag, and compressed for clients that accept it.
//!
//! Not here: the files themselves, and their paths (`console`, `portal`).

use std::{
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    sync::OnceLock,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use poem::{
    Request, Response,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};

/// Size from which a body is worth compressing.
const WORTH_BYTES: usize = 1024;

/// Ending of the entity tag of the compressed form.
const GZIPPED: &str = "-gzip";

const VARY: (HeaderName, HeaderValue) = (header::VARY, HeaderValue::from_static("Accept-Encoding"));

/// Time for which a client may keep a file without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// It asks each time, and is told whether the file has changed.
    Revalidate,
    /// An hour.
    Hour,
    /// For ever: the name changes with the content.
    Immutable,
}

impl Caching {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Caching::Revalidate => "no-cache",
            Caching::Hour => "public, max-age=3600",
            Caching::Immutable => "public, max-age=31536000, immutable",
        })
    }
}

/// A file.
pub struct Asset {
    content_type: HeaderValue,
    /// Absent where the binary has the file compressed.
    body: Option<Bytes>,
    /// Entity tag without its quotes, which changes with the content (RFC 9110, 8.8.3).
    tag: String,
    caching: Caching,
    policy: Option<HeaderValue>,
    /// Compressed when it is first asked for, so that a process that shows no pages keeps none.
    gzip: OnceLock<Option<Bytes>>,
}

impl Asset {
    /// Creates a file.
    pub fn new(content_type: &str, body: impl Into<Bytes>, caching: Caching) -> Self {
        let body = body.into();
        Self { body: Some(body.clone()), ..Self::of((content_type, caching), &body, OnceLock::new()) }
    }

    /// Creates a file that is compressed already, in the format of gzip.
    pub fn packed(content_type: &str, gzip: impl Into<Bytes>, caching: Caching) -> Self {
        let gzip = gzip.into();
        Self::of((content_type, caching), &gzip, OnceLock::from(Some(gzip.clone())))
    }

    fn of((content_type, caching): (&str, Caching), tagged: &[u8], gzip: OnceLock<Option<Bytes>>) -> Self {
        let content_type = HeaderValue::try_from(content_type);
        let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        Self { content_type, body: None, tag: tag(tagged), caching, policy: None, gzip }
    }

    /// Returns the content, not compressed.
    ///
    /// # Errors
    /// When the compressed content is damaged.
    pub fn content(&self) -> io::Result<Bytes> {
        if let Some(body) = &self.body {
            return Ok(body.clone());
        }
        let gzip = self.gzip().map_or(&[][..], |gzip| gzip);
        let mut content = Vec::with_capacity(gzip.len() * 8);
        GzDecoder::new(gzip).read_to_end(&mut content)?;
        Ok(content.into())
    }

    /// The same file with a content security policy.
    #[must_use]
    pub fn with_policy(self, policy: &'static str) -> Self {
        Self { policy: Some(HeaderValue::from_static(policy)), ..self }
    }

    /// Answers a request for the file: GET or HEAD. A client that has it already gets 304 (RFC 9110, 13.1.2).
    pub fn answer(&self, request: &Request) -> Response {
        if let Some(refusal) = refuse_method(request) {
            return refusal;
        }
        let gzip = self.gzip().filter(|_| accepts_gzip(request));
        // A strong tag is that of one form.
        let etag = if gzip.is_some() { format!("\"{}{GZIPPED}\"", self.tag) } else { format!("\"{}\"", self.tag) };
        let etag = HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"\""));
        let common = [(header::CACHE_CONTROL, self.caching.header()), (header::ETAG, etag), VARY, NO_SNIFF];
        let mut response = Response::default();
        if request.header(header::IF_NONE_MATCH).is_some_and(|known| self.is_known(known)) {
            response.set_status(StatusCode::NOT_MODIFIED);
            response.headers_mut().extend(common);
            return response;
        }
        let headers = response.headers_mut();
        headers.extend(common);
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Some(policy) = &self.policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        if let Some(gzip) = gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response.set_body(gzip.clone());
            return response;
        }
        match self.content() {
            Ok(content) => response.set_body(content),
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into(),
        }
        response
    }

    /// A weak comparison (RFC 9110, 8.8.3.2), with the tags of both forms.
    fn is_known(&self, known: &str) -> bool {
        let mut tags = known.split(',').map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'));
        tags.any(|tag| tag == "*" || tag.strip_suffix(GZIPPED).unwrap_or(tag) == self.tag)
    }

    fn gzip(&self) -> Option<&Bytes> {
        self.gzip.get_or_init(|| compressed(self.body.as_deref()?)).as_ref()
    }
}

const NO_SNIFF: (HeaderName, HeaderValue) = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// Refuses every method but GET and HEAD, with `Allow`.
pub fn refuse_method(request: &Request) -> Option<Response> {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return None;
    }
    let mut refusal = Response::builder().status(StatusCode::METHOD_NOT_ALLOWED).finish();
    refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    Some(refusal)
}

fn tag(body: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, body);
    let mut tag = String::new();
    for byte in &digest.as_ref()[..12] {
        _ = write!(tag, "{byte:02x}");
    }
    tag
}

/// Compresses a body; `None` where that saves nothing.
fn compressed(body: &[u8]) -> Option<Bytes> {
    if body.len() < WORTH_BYTES {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
    encoder.write_all(body).ok()?;
    let gzip = encoder.finish().ok()?;
    (gzip.len() < body.len()).then(|| gzip.into())
}

/// Returns true if a client accepts gzip (RFC 9110, 12.5.3).
fn accepts_gzip(request: &Request) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = accepted.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let is_refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()) == Some(0.0);
        matches!(name.trim(), "gzip" | "x-gzip" | "*") && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(&str, &str)]) -> Request {
        headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value)).finish()
    }

    #[tokio::test]
    async fn a_long_file_is_compressed_for_those_who_accept_it() {
        let text = "tieline ".repeat(1000);
        let asset = Asset::new("text/plain", text.clone(), Caching::Immutable).with_policy("default-src 'none'");
        for accepted in ["gzip", "br, gzip;q=0.5", "*", "x-gzip"] {
            let response = asset.answer(&asked(&[("accept-encoding", accepted)]));
            assert_eq!(response.header("content-encoding"), Some("gzip"), "{accepted}");
            assert_eq!(response.header("vary"), Some("Accept-Encoding"));
            let body = response.into_body().into_bytes().await.unwrap();
            let mut plain = String::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut plain).unwrap();
            assert!(plain == text && body.len() < text.len() / 10);
        }
        for refused in ["", "br", "gzip;q=0", "identity"] {
            let response = asset.answer(&asked(&[("accept-encoding", refused)]));
            assert_eq!(response.header("content-encoding"), None, "{refused}");
            assert_eq!(response.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(response.header("content-security-policy"), Some("default-src 'none'"));
            assert_eq!(response.into_body().into_string().await.unwrap(), text);
        }
        let short = Asset::new("text/plain", "short", Caching::Hour);
        assert_eq!(short.answer(&asked(&[("accept-encoding", "gzip")])).header("content-encoding"), None);
    }

    #[tokio::test]
    async fn a_file_that_is_compressed_already_is_sent_in_both_forms() {
        let text = "tieline ".repeat(1000);
        let packed = Asset::packed("text/plain", compressed(text.as_bytes()).unwrap(), Caching::Revalidate);
        let gzip = packed.answer(&asked(&[("accept-encoding", "gzip")]));
        let plain = packed.answer(&asked(&[]));
        assert_ne!(gzip.header("etag"), plain.header("etag"), "a strong tag is that of one form");
        for response in [&gzip, &plain] {
            let known = [("if-none-match", response.header("etag").unwrap())];
            assert_eq!(packed.answer(&asked(&known)).status(), StatusCode::NOT_MODIFIED);
        }
        assert_eq!(gzip.header("content-encoding"), Some("gzip"));
        assert_eq!(plain.into_body().into_string().await.unwrap(), text);
    }

    #[tokio::test]
    async fn a_file_is_sent_once() {
        let asset = Asset::new("text/plain", "text", Caching::Revalidate);
        let etag = asset.answer(&asked(&[])).header("etag").unwrap().to_owned();
        for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let response = asset.answer(&asked(&[("if-none-match", &known)]));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(response.header("etag"), Some(etag.as_str()));
            assert!(response.into_body().into_bytes().await.unwrap().is_empty());
        }
        assert_eq!(asset.answer(&asked(&[("if-none-match", "\"x\"")])).status(), StatusCode::OK);
        let posted = Request::builder().method(Method::POST).finish();
        assert_eq!(asset.answer(&posted).header("allow"), Some("GET, HEAD"));
    }
}
