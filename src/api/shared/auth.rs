//! Callers as a handler's argument: asking for one is the check.

use poem::Request;
use poem_openapi::{SecurityScheme, auth};

use super::{fault::Protocol, refusal::into_error};
use crate::{
    app::{App, Caller, teams::Identified},
    domain::{Error, ids::OrganisationId},
};

/// Names the organisation where a caller is a member of several.
pub const ORGANISATION: &str = "X-Organisation-Id";

/// A personal access token, or a JWT.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "bearerAuth", checker = "authenticate")]
pub struct Bearer(pub Caller);

async fn authenticate(request: &Request, bearer: auth::Bearer) -> poem::Result<Caller> {
    let app = request.data::<App>().ok_or_else(|| into_error(Error::Internal("a request came without App".into())))?;
    let wanted = match request.headers().get(ORGANISATION) {
        None => None,
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.parse::<OrganisationId>().ok());
            Some(id.ok_or_else(|| {
                into_error(Protocol::Parameter { name: ORGANISATION.to_owned(), reason: "must be a UUID".to_owned() })
            })?)
        }
    };
    app.authenticate(bearer.token.trim(), wanted).await.map_err(into_error)
}

/// A personal access token, or a JWT. The request names the organisation.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "bearerAuth", checker = "identify")]
pub struct Known(pub Identified);

async fn identify(request: &Request, bearer: auth::Bearer) -> poem::Result<Identified> {
    let app = request.data::<App>().ok_or_else(|| into_error(Error::Internal("a request came without App".into())))?;
    app.identify(bearer.token.trim()).await.map_err(into_error)
}
