//! Callers of this dialect: a token, with a header that names the workspace. The extractor is the check, and counts as
//! a call of the workspace.

use std::sync::{Arc, OnceLock};

use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    auth::{Bearer, BearerAuthorization},
    registry::{MetaParamIn, MetaSchemaRef, Registry},
    types::Type,
};

use crate::{
    api::shared::{
        auth::{self, Known},
        refusal::into_error,
        services::service,
    },
    app::{Caller, kernel::throttle::Room, registry::Registry as Versions, tenancy::teams::Identified},
    domain::{Error, Result, error::AuthFailure},
};

/// The header that names a workspace.
pub const WORKSPACE: &str = "x-workspace-id";
const BEARER: &str = "bearerAuth";

/// Request extension in which the remaining calls of a workspace are recorded.
pub type Noted = Arc<OnceLock<Room>>;

/// A member of the workspace that the request names.
pub struct Member(pub Caller);

/// A caller with a valid token. A workspace need not be named.
pub struct Anyone(pub Caller);

/// A caller with a valid token, for operations that name the workspace elsewhere in the request.
pub struct Person(pub Identified);

async fn identify(request: &Request) -> Result<Identified> {
    let why =
        if request.headers().contains_key(header::AUTHORIZATION) { AuthFailure::Invalid } else { AuthFailure::Missing };
    let bearer = <Bearer as BearerAuthorization>::from_request(request);
    let bearer = bearer.map_err(|_| Error::Unauthenticated(why))?;
    auth::identified(request, bearer.token.trim()).await
}

/// Returns the workspace that the request names. A repeated header is refused as ambiguous.
fn workspace(request: &Request) -> Result<Option<&str>> {
    let mut sent = request.headers().get_all(WORKSPACE).iter();
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => match one.to_str().map(str::trim) {
            Ok("") => Ok(None),
            Ok(one) => Ok(Some(one)),
            Err(_) => Err(Error::Unauthenticated(AuthFailure::NotAMember)),
        },
        (Some(_), Some(_)) => Err(Error::Unauthenticated(AuthFailure::NotAMember)),
    }
}

/// Counts the call against the workspace's rate limit.
fn admit(request: &Request, caller: &Caller) -> Result<()> {
    let (room, admitted) = service::<Versions>(request)?.admit_call(caller);
    if let Some(noted) = request.data::<Noted>() {
        let _ = noted.set(room);
    }
    admitted
}

async fn member(request: &Request) -> Result<Caller> {
    let who = identify(request).await?;
    let named = workspace(request)?.ok_or(Error::Unauthenticated(AuthFailure::NoWorkspace))?;
    let caller = service::<Versions>(request)?.enter_workspace(&who, named).await?;
    admit(request, &caller)?;
    Ok(caller)
}

async fn anyone(request: &Request) -> Result<(Identified, Caller)> {
    let (who, versions) = (identify(request).await?, service::<Versions>(request)?);
    let caller = match workspace(request)? {
        Some(named) => versions.enter_workspace(&who, named).await?,
        None => versions.enter_any_workspace(&who).await?,
    };
    admit(request, &caller)?;
    Ok((who, caller))
}

macro_rules! caller {
    ($name:ident, $types:expr, $required:expr, $from:expr) => {
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = $types;
            const PARAM_IS_REQUIRED: bool = $required;

            type ParamType = String;
            type ParamRawType = String;

            fn register(registry: &mut Registry) {
                <Known as ApiExtractor>::register(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![BEARER]
            }

            fn param_in() -> Option<MetaParamIn> {
                Some(MetaParamIn::Header)
            }

            fn param_schema_ref() -> Option<MetaSchemaRef> {
                Some(String::schema_ref())
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<String>,
            ) -> poem::Result<Self> {
                $from(request).await.map_err(into_error)
            }
        }
    };
}

const HEADER: &[ApiExtractorType] = &[ApiExtractorType::SecurityScheme, ApiExtractorType::Parameter];

caller!(Member, HEADER, true, async |request| member(request).await.map(Member));
caller!(Anyone, HEADER, false, async |request| anyone(request).await.map(|(_, caller)| Anyone(caller)));
caller!(Person, &[ApiExtractorType::SecurityScheme], false, async |request| anyone(request)
    .await
    .map(|(who, _)| Person(who)));
