//! Callers as arguments of a handler: the extractor authenticates.

use std::{future::Future, sync::Arc};

use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, SecurityScheme, auth,
    registry::{MetaSecurityScheme, Registry},
};

use super::{
    fault::Protocol,
    refusal::into_error,
    sender::Sender,
    services::service,
    session::{self, SessionCookie},
};
use crate::{
    app::{
        Caller,
        tenancy::{Tenancy, teams::Identified},
    },
    domain::{Result, ids::OrganisationId, tenancy::operator::Operator},
};

/// Header that names the organisation, for a caller who is a member of several.
pub const ORGANISATION: &str = "X-Organisation-Id";

/// Describes a credential in a header, in the address, or in a cookie. `place` is `header`, `query` or `cookie`.
pub fn api_key(place: &'static str, name: &'static str, description: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "apiKey",
        description: Some(description),
        name: Some(name),
        key_in: Some(place),
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}

/// A personal access token, or a JWT.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "bearerAuth", checker = "authenticate")]
pub struct BearerToken(pub Caller);

/// The bearer of a token or, without `Authorization`, of the cookie of a session.
pub struct Bearer(pub Caller);

impl<'a> ApiExtractor<'a> for Bearer {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <BearerToken as ApiExtractor>::register(registry);
        <SessionCookie as ApiExtractor>::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        let token = <BearerToken as ApiExtractor>::security_schemes();
        token.into_iter().chain(<SessionCookie as ApiExtractor>::security_schemes()).collect()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if !request.headers().contains_key(header::AUTHORIZATION)
            && let Some(session) = session::signed_in(request).await.map_err(into_error)?
        {
            return Ok(Self(session.caller));
        }
        BearerToken::from_request(request, body, options).await.map(|token| Self(token.0))
    }
}

/// Authenticates the caller of a request by a credential, and marks the sender as authenticated.
///
/// # Errors
/// As [`Tenancy::authenticate`], and [`Error::RateLimited`] after too many invalid credentials of the client.
pub async fn caller(request: &Request, credential: &str, wanted: Option<OrganisationId>) -> Result<Caller> {
    checked(request, &[credential], tenancy(request)?.authenticate(credential, wanted)).await
}

/// Identifies the caller of a request, without an organisation, and marks the sender as authenticated.
///
/// # Errors
/// As [`caller`].
pub async fn identified(request: &Request, credential: &str) -> Result<Identified> {
    checked(request, &[credential], tenancy(request)?.identify(credential)).await
}

/// Checks a credential of a request within the rate limit of invalid credentials.
///
/// # Errors
/// Those of `check`, and [`Error::RateLimited`].
pub async fn checked<T>(request: &Request, credential: &[&str], check: impl Future<Output = Result<T>>) -> Result<T> {
    let client = request.data::<Arc<Sender>>().and_then(|sender| sender.client);
    let outcome = tenancy(request)?.check_credential(client, credential, check).await?;
    known(request);
    Ok(outcome)
}

/// Marks the sender of a request as authenticated.
pub fn known(request: &Request) {
    if let Some(sender) = request.data::<Arc<Sender>>() {
        sender.is_known();
    }
}

fn tenancy(request: &Request) -> Result<&Tenancy> {
    service(request)
}

/// Reads the organisation that a request names.
///
/// # Errors
/// [`Protocol::Parameter`].
pub fn wanted(request: &Request) -> std::result::Result<Option<OrganisationId>, Protocol> {
    let Some(id) = request.headers().get(ORGANISATION) else { return Ok(None) };
    let id = id.to_str().ok().and_then(|id| id.parse::<OrganisationId>().ok());
    id.map(Some)
        .ok_or_else(|| Protocol::Parameter { name: ORGANISATION.to_owned(), reason: "must be a UUID".to_owned() })
}

async fn authenticate(request: &Request, bearer: auth::Bearer) -> poem::Result<Caller> {
    let wanted = wanted(request).map_err(into_error)?;
    caller(request, bearer.token.trim(), wanted).await.map_err(into_error)
}

/// A personal access token, or a JWT. The request names the organisation.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "bearerAuth", checker = "identify")]
pub struct Known(pub Identified);

async fn identify(request: &Request, bearer: auth::Bearer) -> poem::Result<Identified> {
    identified(request, bearer.token.trim()).await.map_err(into_error)
}

/// Name of the security scheme of operators in the document.
pub const OPERATOR_SCHEME: &str = "operatorAuth";

/// An operator's token. It opens the operations for operators alone, and these accept no other token.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "operatorAuth", checker = "authenticate_operator")]
pub struct OperatorToken(pub Operator);

async fn authenticate_operator(request: &Request, bearer: auth::Bearer) -> poem::Result<Operator> {
    let credential = bearer.token.trim();
    let check = async { tenancy(request)?.authenticate_operator(credential).await };
    checked(request, &[credential], check).await.map_err(into_error)
}

/// An operator: the bearer of their token or, without `Authorization`, of the cookie of their session.
pub struct OperatorBearer(pub Operator);

impl<'a> ApiExtractor<'a> for OperatorBearer {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <OperatorToken as ApiExtractor>::register(registry);
        <SessionCookie as ApiExtractor>::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        let token = <OperatorToken as ApiExtractor>::security_schemes();
        token.into_iter().chain(<SessionCookie as ApiExtractor>::security_schemes()).collect()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if !request.headers().contains_key(header::AUTHORIZATION)
            && let Some(operator) = session::operator(request).await.map_err(into_error)?
        {
            return Ok(Self(operator));
        }
        OperatorToken::from_request(request, body, options).await.map(|token| Self(token.0))
    }
}
