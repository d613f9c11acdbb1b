//! Callers of this dialect: `Authorization`, `x-access-token`, and for a browser that follows a link, a token in the
//! address.
//!
//! The first one that was sent is used. A team is chosen by the request, not by the credential.

use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    auth::{Bearer, BearerAuthorization},
    registry::Registry,
};
use url::form_urlencoded;

use crate::{
    api::shared::{auth, refusal::into_error},
    app::tenancy::teams::Identified,
    domain::{Error, error::AuthFailure},
};

const HEADER: &str = "x-access-token";
const QUERY: &str = "access_token";

/// Names of the security schemes in the document.
const BEARER: &str = "bearerAuth";
const IN_HEADER: &str = "accessToken";
const IN_QUERY: &str = "accessTokenInQuery";

/// A caller identified by a header.
pub struct Known(pub Identified);

/// A caller identified by a header or, because browsers cannot add our headers to a link, by the address.
pub struct KnownByLink(pub Identified);

/// A caller identified by a header, if one was sent; it then has to be valid.
pub struct Perhaps(pub Option<Identified>);

/// A credential as it was sent. `None` if it is present and unreadable.
type Credential<'a> = Option<&'a str>;

/// Returns the credential in the headers, if there is one.
fn in_headers(request: &Request) -> Result<Option<String>, Error> {
    let headers = request.headers();
    if headers.contains_key(header::AUTHORIZATION) {
        let bearer = <Bearer as BearerAuthorization>::from_request(request).ok();
        return readable(bearer.as_ref().map(|bearer| bearer.token.as_str())).map(Some);
    }
    let mut sent = headers.get_all(HEADER).iter();
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(token), None) => readable(token.to_str().ok()).map(Some),
        (Some(_), Some(_)) => Err(Error::Unauthenticated(AuthFailure::Invalid)),
    }
}

/// Returns the credential in the address, if there is one.
fn in_query(request: &Request) -> Result<Option<String>, Error> {
    let query = request.uri().query().unwrap_or_default();
    let sent = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == QUERY);
    sent.map(|(_, token)| readable(Some(&token))).transpose()
}

fn readable(sent: Credential<'_>) -> Result<String, Error> {
    let token = sent.map(str::trim).filter(|token| !token.is_empty());
    token.map(str::to_owned).ok_or(Error::Unauthenticated(AuthFailure::Invalid))
}

/// Identifies the sender of a credential; `None` if none was sent.
async fn identify(request: &Request, sent: Result<Option<String>, Error>) -> poem::Result<Option<Identified>> {
    let Some(credential) = sent.map_err(into_error)? else { return Ok(None) };
    auth::identified(request, &credential).await.map(Some).map_err(into_error)
}

fn missing() -> poem::Error {
    into_error(Error::Unauthenticated(AuthFailure::Missing))
}

macro_rules! caller {
    ($name:ident, $schemes:expr, $has_fallback:expr, $from:expr) => {
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                <auth::BearerToken as ApiExtractor>::register(registry);
                let scheme = auth::api_key("header", HEADER, "The same token in a separate header.");
                registry.create_security_scheme(IN_HEADER, scheme);
                let description = "The same token in the address, for links that a browser follows.";
                registry.create_security_scheme(IN_QUERY, auth::api_key("query", QUERY, description));
            }

            fn security_schemes() -> Vec<&'static str> {
                $schemes.to_vec()
            }

            fn has_security_fallback() -> bool {
                $has_fallback
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                $from(request).await
            }
        }
    };
}

caller!(Known, [BEARER, IN_HEADER], false, async |request| {
    identify(request, in_headers(request)).await?.map(Known).ok_or_else(missing)
});
caller!(KnownByLink, [BEARER, IN_HEADER, IN_QUERY], false, async |request| {
    let sent = in_headers(request).transpose().or_else(|| in_query(request).transpose());
    identify(request, sent.transpose()).await?.map(KnownByLink).ok_or_else(missing)
});
caller!(Perhaps, [BEARER, IN_HEADER], true, async |request| {
    identify(request, in_headers(request)).await.map(Perhaps)
});
