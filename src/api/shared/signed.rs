//! Bodies that are passed on unchanged. The only credential of a provider's own request is its signature of the bytes:
//! it is verified while they are read, and before anything is parsed.

use std::marker::PhantomData;

use bytes::Bytes;
use poem::{Request, RequestBody, http::HeaderValue};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaParamIn, MetaRequest, MetaSchemaRef, Registry},
    types::Type,
};

use super::{
    fault::Fault,
    media::{self, Media},
    nul,
    refusal::into_error,
};
use crate::{
    app::tenancy::signatures::{SignatureCheck, Verified},
    domain::{Error, error::AuthFailure},
};

/// A kind of body that is passed on unchanged.
pub trait Inbound: Send + Sync + 'static {
    /// Accepted media types.
    const MEDIA: &'static [Media];

    /// Maximum size of the body, in bytes, in place of the other requests' limit.
    const LIMIT_BYTES: usize;

    /// True if the body is required; for the document alone.
    const REQUIRED: bool = true;

    /// True to refuse text with the character U+0000 here; otherwise the use case refuses it, or keeps it.
    const CHECKS_TEXT: bool = true;

    /// Begins to verify the signature, for signed bodies. Without a well-formed signature no body is read.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::FailedPrecondition`] if the provider is not configured.
    fn signature(_request: &Request) -> Result<Option<SignatureCheck>, Error> {
        Ok(None)
    }

    /// Type of the body, for the document alone: nothing is validated against it.
    type Schema: Type;

    /// Returns the schema of the body; that of [`Inbound::Schema`] unless it depends on the media type.
    fn schema(_media: Media) -> MetaSchemaRef {
        Self::Schema::schema_ref()
    }

    /// Registers the schemas that [`Inbound::schema`] refers to.
    fn register(registry: &mut Registry) {
        Self::Schema::register(registry);
    }
}

/// A raw body, byte for byte.
pub struct Raw<I> {
    /// The bytes; empty if no body was sent.
    pub bytes: Bytes,
    /// Media type by the Content-Type.
    pub media: Option<Media>,
    verified: Option<Verified>,
    kind: PhantomData<fn() -> I>,
}

impl<I> Raw<I> {
    /// Makes an empty body.
    pub fn nothing() -> Self {
        Self { bytes: Bytes::new(), media: None, verified: None, kind: PhantomData }
    }

    /// Returns the proof of its provider's signature.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for bodies that are not signed.
    pub fn verified(&self) -> Result<Verified, Error> {
        self.verified.ok_or(Error::Unauthenticated(AuthFailure::NotSigned))
    }
}

impl<'a, I: Inbound> ApiExtractor<'a> for Raw<I> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        I::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let media = |media: &Media| MetaMediaType { content_type: media.name(), schema: I::schema(*media) };
        Some(MetaRequest { description: None, content: I::MEDIA.iter().map(media).collect(), required: I::REQUIRED })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        read(request, body).await.map_err(into_error)
    }
}

async fn read<I: Inbound>(request: &Request, body: &mut RequestBody) -> Result<Raw<I>, Fault> {
    let mut check = I::signature(request)?;
    let each = |bytes: &[u8]| check.iter_mut().for_each(|check| check.update(bytes));
    let sent = media::read(request, body, (I::MEDIA, I::LIMIT_BYTES), each).await?;
    let verified = check.map(SignatureCheck::finish).transpose()?;
    let sent = sent.map(|(media, sent)| (media, sent.whole()));
    if let Some((media, bytes)) = sent.as_ref().filter(|_| I::CHECKS_TEXT) {
        nul::check_raw(*media, bytes)?;
    }
    let (media, bytes) = sent.map_or((None, Bytes::new()), |(media, bytes)| (Some(media), bytes));
    Ok(Raw { bytes, media, verified, kind: PhantomData })
}

/// A raw header that is part of a signature. In a handler it precedes the body: a request without it is
/// unauthenticated, and its body is not read.
#[derive(Clone, Debug)]
pub struct SignatureHeader(HeaderValue);

impl SignatureHeader {
    /// Returns its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<'a> ApiExtractor<'a> for SignatureHeader {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(String::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        let mut sent = request.headers().get_all(options.name).iter();
        match (sent.next(), sent.next()) {
            (Some(value), None) => Ok(Self(value.clone())),
            // Of two headers, the verified one would be ambiguous.
            (None | Some(_), _) => Err(into_error(Error::Unauthenticated(AuthFailure::NotSigned))),
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::{Body, http::StatusCode};

    use super::*;
    use crate::api::shared::fault::{Fault, Protocol};

    struct Hook;

    impl Inbound for Hook {
        const MEDIA: &'static [Media] = &[Media::Json, Media::Form];
        const LIMIT_BYTES: usize = 200;

        type Schema = String;
    }

    fn fault(error: poem::Error) -> Fault {
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR, "the guard renders it");
        error.downcast::<Fault>().unwrap()
    }

    async fn raw(content_type: &str, body: impl Into<Body>) -> Result<(Option<Media>, String), Fault> {
        let request = Request::builder().content_type(content_type).body(body);
        let (request, mut body) = request.split();
        let raw = Raw::<Hook>::from_request(&request, &mut body, ExtractParamOptions::default()).await;
        raw.map(|raw| (raw.media, String::from_utf8(raw.bytes.to_vec()).unwrap())).map_err(fault)
    }

    async fn signature(values: &[&str]) -> Result<Vec<u8>, Fault> {
        let builder = Request::builder();
        let request = values.iter().fold(builder, |request, value| request.header("x-signature", *value)).finish();
        let options = ExtractParamOptions { name: "X-Signature", ..ExtractParamOptions::default() };
        let header = SignatureHeader::from_request(&request, &mut RequestBody::default(), options).await;
        header.map(|header| header.as_bytes().to_vec()).map_err(fault)
    }

    /// Makes a body in chunks, without an announced length.
    fn pieces(text: &str) -> Body {
        let pieces: Vec<_> = text.as_bytes().chunks(50).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        Body::from_bytes_stream(futures_util::stream::iter(pieces))
    }

    #[tokio::test]
    async fn a_body_comes_as_it_was_sent() {
        let (json, form) = (Some(Media::Json), Some(Media::Form));
        let long = "x".repeat(200);
        for (content_type, media, body) in [
            ("application/json", json, "{ not json"),
            ("application/vnd.it+json; charset=utf-8", json, "[1,  2]"),
            ("application/x-www-form-urlencoded", form, "a=%zz&a"),
            ("application/json", None, ""),
            ("application/json", json, &long),
        ] {
            assert_eq!(raw(content_type, body.to_owned()).await.unwrap(), (media, body.to_owned()));
            assert_eq!(raw(content_type, pieces(body)).await.unwrap(), (media, body.to_owned()));
        }
    }

    #[tokio::test]
    async fn a_body_has_its_own_limit_and_media_types() {
        let long = "x".repeat(201);
        for body in [Body::from(long.clone()), pieces(&long)] {
            let fault = raw("application/json", body).await.unwrap_err();
            assert!(matches!(fault, Fault::Protocol(Protocol::BodyTooLarge { limit_bytes: 200 })), "{fault}");
        }
        let reported = raw("text/plain", "{}").await.unwrap_err().to_string();
        let wanted = "application/json or application/x-www-form-urlencoded";
        assert_eq!(reported, format!("send the body as {wanted}, not text/plain"));
    }

    #[tokio::test]
    async fn a_signature_is_there_once() {
        assert_eq!(signature(&["v0=\u{e4}"]).await.unwrap(), "v0=\u{e4}".as_bytes());
        for values in [&[][..], &["a", "a"]] {
            let fault = signature(values).await.unwrap_err();
            assert_eq!(fault.auth_failure(), Some(AuthFailure::NotSigned));
        }
    }
}
