//! The key of a channel's address: the credential of a sender that posts there. It is in the address, as the product's
//! users copy it, or in a header.

use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};
use url::form_urlencoded;

use crate::{
    api::shared::{auth::api_key, refusal::into_error},
    domain::{Error, error::AuthFailure, ids::ChannelId},
};

const HEADER: &str = "X-Telex-API-Key";
const QUERY: &str = "key";

/// Names of the security schemes in the document.
const IN_HEADER: &str = "channelKeyInHeader";
const IN_QUERY: &str = "channelKey";

/// The key of a request; `app` verifies it. In a handler it is the first argument, before the rest of the request is
/// read.
pub struct ChannelKey(pub String);

/// Returns the key of a request. The header takes precedence over the address; a repeated key counts as no key.
fn sent(request: &Request) -> Option<String> {
    let mut headers = request.headers().get_all(HEADER).iter().peekable();
    let found = if headers.peek().is_some() {
        let key = headers.next()?.to_str().ok()?.trim().to_owned();
        headers.next().is_none().then_some(key)
    } else {
        let query = request.uri().query().unwrap_or_default();
        let mut keys = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == QUERY);
        let key = keys.next()?.1.into_owned();
        keys.next().is_none().then_some(key)
    };
    found.filter(|key| !key.is_empty())
}

/// Returns the channel of an address. A malformed id is reported as an unknown channel.
///
/// # Errors
/// Same as for a wrong key.
pub fn channel(id: &str) -> Result<ChannelId, Error> {
    id.parse().map_err(|_| Error::Unauthenticated(AuthFailure::NotKeyed))
}

impl<'a> ApiExtractor<'a> for ChannelKey {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let description = "The key of the channel's address, as `getChannelWebhook` returns it.";
        registry.create_security_scheme(IN_QUERY, api_key("query", QUERY, description));
        let description = "The same key in a header.";
        registry.create_security_scheme(IN_HEADER, api_key("header", HEADER, description));
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![IN_QUERY, IN_HEADER]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        sent(request).map(Self).ok_or_else(|| into_error(Error::Unauthenticated(AuthFailure::NotKeyed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(query: &str, headers: &[&str]) -> Option<String> {
        let request = Request::builder().uri(format!("/v1/return/x?{query}").parse().unwrap());
        let request = headers.iter().fold(request, |request, key| request.header("x-telex-api-key", *key));
        sent(&request.finish())
    }

    #[test]
    fn a_key_is_sent_once_and_a_header_comes_first() {
        assert_eq!(key("key=a%20b&message=m", &[]).as_deref(), Some("a b"));
        assert_eq!(key("", &[" h "]).as_deref(), Some("h"));
        assert_eq!(key("key=q", &["h"]).as_deref(), Some("h"));
        for (query, headers) in [
            ("", &[][..]),
            ("key=", &[]),
            ("keys=a&Key=a", &[]),
            ("key=a&key=a", &[]),
            ("key=q", &[""]),
            ("key=q", &["h", "h"]),
            ("key=q", &["\u{e4}"]),
        ] {
            assert_eq!(key(query, headers), None, "{query} {headers:?}");
        }
    }

    #[test]
    fn a_malformed_id_is_reported_as_a_wrong_key() {
        assert!(channel("0199c0de-5a3b-7c41-9e2f-3b1d5a7c9e10").is_ok());
        assert!(matches!(channel("general"), Err(Error::Unauthenticated(AuthFailure::NotKeyed))));
    }
}
