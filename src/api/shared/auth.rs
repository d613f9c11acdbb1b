//! Callers as arguments of a handler: the extractor authenticates.

use std::{future::Future, sync::Arc};

use poem::Request;
use poem_openapi::{SecurityScheme, auth, registry::MetaSecurityScheme};

use super::{fault::Protocol, refusal::into_error, sender::Sender, services::service};
use crate::{
    app::{
        Caller,
        tenancy::{Tenancy, teams::Identified},
    },
    domain::{Result, ids::OrganisationId},
};

/// Header that names the organisation, for a caller who is a member of several.
pub const ORGANISATION: &str = "X-Organisation-Id";

/// Describes a credential in a header or in the address. `place` is `header` or `query`.
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
pub struct Bearer(pub Caller);

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
    let sender = request.data::<Arc<Sender>>();
    let client = sender.and_then(|sender| sender.client);
    let outcome = tenancy(request)?.check_credential(client, credential, check).await?;
    if let Some(sender) = sender {
        sender.is_known();
    }
    Ok(outcome)
}

fn tenancy(request: &Request) -> Result<&Tenancy> {
    service(request)
}

async fn authenticate(request: &Request, bearer: auth::Bearer) -> poem::Result<Caller> {
    let wanted = match request.headers().get(ORGANISATION) {
        None => None,
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.parse::<OrganisationId>().ok());
            Some(id.ok_or_else(|| {
                into_error(Protocol::Parameter { name: ORGANISATION.to_owned(), reason: "must be a UUID".to_owned() })
            })?)
        }
    };
    caller(request, bearer.token.trim(), wanted).await.map_err(into_error)
}

/// A personal access token, or a JWT. The request names the organisation.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "bearerAuth", checker = "identify")]
pub struct Known(pub Identified);

async fn identify(request: &Request, bearer: auth::Bearer) -> poem::Result<Identified> {
    identified(request, bearer.token.trim()).await.map_err(into_error)
}
