//! Keys as credentials: the key of a channel's address, by which a sender posts there, and the API key of an integration,
//! by which it posts too and manages its own settings. A key is in the address, as the product's users copy it, or in a
//! header.

use poem::{Request, RequestBody, http::header};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};
use url::form_urlencoded;

use crate::{
    api::shared::{
        auth::{self, Known, api_key},
        refusal::into_error,
        services::service,
    },
    app::apps::{Apps, keys::SettingsCaller},
    domain::{Error, Result, apps::key::is_key, error::AuthFailure, ids::ChannelId},
};

const HEADER: &str = "X-Telex-API-Key";
const QUERY: &str = "key";

/// Names of the security schemes in the document.
const IN_HEADER: &str = "channelKeyInHeader";
const IN_QUERY: &str = "channelKey";
const OF_INTEGRATION: &str = "integrationKey";

/// The key of a request; `app` verifies it. In a handler it is the first argument, before the rest of the request is
/// read.
pub struct ChannelKey(pub String);

impl ChannelKey {
    /// Returns true for the API key of an integration, by its form.
    pub fn is_of_integration(&self) -> bool {
        is_key(&self.0)
    }
}

/// Returns the key in the header, if the header is there; a repeated one counts as no key.
fn in_header(request: &Request) -> Option<Option<String>> {
    let mut headers = request.headers().get_all(HEADER).iter();
    let key = headers.next()?.to_str().ok().map(|key| key.trim().to_owned());
    Some(key.filter(|key| headers.next().is_none() && !key.is_empty()))
}

/// Returns the key of a request. The header takes precedence over the address; a repeated key counts as no key.
fn sent(request: &Request) -> Option<String> {
    let found = if let Some(key) = in_header(request) {
        key
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
pub fn channel(id: &str) -> Result<ChannelId> {
    id.parse().map_err(|_| no_key())
}

fn no_key() -> Error {
    Error::Unauthenticated(AuthFailure::NotKeyed)
}

impl<'a> ApiExtractor<'a> for ChannelKey {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let description = "The key of the channel's address, as `getChannelWebhook` returns it, or the API key of an \
                           integration that is active in the channel.";
        registry.create_security_scheme(IN_QUERY, api_key("query", QUERY, description));
        let description = "The same key in a header.";
        registry.create_security_scheme(IN_HEADER, api_key("header", HEADER, description));
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![IN_QUERY, IN_HEADER]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        sent(request).map(Self).ok_or_else(|| into_error(no_key()))
    }
}

/// Caller of an integration's settings: a member, or the integration itself by its API key, in the header or as the bearer
/// token. The key counts where a token is sent beside it.
pub struct SettingsKeeper(pub SettingsCaller);

/// Returns the API key of an integration, if the request has one; an unusable header counts as an empty one.
fn integration_key(request: &Request) -> Option<String> {
    if let Some(key) = in_header(request) {
        return Some(key.unwrap_or_default());
    }
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && is_key(token)).then(|| token.to_owned())
}

/// Identifies the integration of the request's path by its key, within the rate limit of wrong ones.
async fn identified(request: &Request, key: &str) -> Result<SettingsCaller> {
    // By their places: the framework names them itself.
    let (organisation, integration): (String, String) = request.path_params().map_err(|_| no_key())?;
    let check = async {
        let id = integration.parse().map_err(|_| no_key())?;
        service::<Apps>(request)?.identify_app_at(key, &organisation, id).await
    };
    auth::checked(request, &[&organisation, &integration, key], check).await
}

impl<'a> ApiExtractor<'a> for SettingsKeeper {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Known as ApiExtractor>::register(registry);
        let description =
            "The API key of the integration whose settings these are. It is accepted as a bearer token, too.";
        registry.create_security_scheme(OF_INTEGRATION, api_key("header", HEADER, description));
    }

    fn security_schemes() -> Vec<&'static str> {
        <Known as ApiExtractor>::security_schemes().into_iter().chain([OF_INTEGRATION]).collect()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        match integration_key(request) {
            Some(key) => identified(request, &key).await.map(Self).map_err(into_error),
            None => Known::from_request(request, body, options).await.map(|who| Self(SettingsCaller::Member(who.0))),
        }
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
    fn the_key_of_an_integration_is_in_its_header_or_a_bearer_token() {
        let key = format!("tlx_{}", "k".repeat(43));
        let found = |headers: &[(&str, &str)]| {
            let request = Request::builder();
            integration_key(
                &headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).finish(),
            )
        };
        let bearer = |token: &str| format!("bearer {token}");
        assert_eq!(found(&[("x-telex-api-key", " k ")]).as_deref(), Some("k"));
        assert_eq!(found(&[("authorization", &bearer(&key))]).as_ref(), Some(&key));
        assert_eq!(found(&[("authorization", "Bearer tl_1"), ("x-telex-api-key", &key)]).as_ref(), Some(&key));
        assert_eq!(found(&[("x-telex-api-key", "k"), ("x-telex-api-key", "k")]).as_deref(), Some(""));
        for token in ["Bearer tl_1", "Bearer tlx_1", &format!("Basic {key}"), &key] {
            assert_eq!(found(&[("authorization", token)]), None, "{token}");
        }
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_malformed_id_is_reported_as_a_wrong_key() {
        assert!(channel("0199c0de-5a3b-7c41-9e2f-3b1d5a7c9e10").is_ok());
        assert!(matches!(channel("general"), Err(Error::Unauthenticated(AuthFailure::NotKeyed))));
    }
}
