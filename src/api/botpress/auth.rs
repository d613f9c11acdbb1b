//! Callers of this dialect: a token, with a header that names the workspace. The extractor is the check, and counts as
//! a call of the workspace.

use std::sync::{Arc, OnceLock};

use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, SecurityScheme,
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
    app::{
        Caller,
        kernel::throttle::Room,
        registry::{ApiKey, NamedInstallation, Registry as Versions},
        tenancy::teams::Identified,
    },
    domain::{Error, Result, apps::app::App, error::AuthFailure},
};

/// The header that names a workspace.
pub const WORKSPACE: &str = "x-workspace-id";

/// The header that names an installation.
const BOT: &str = "x-bot-id";
/// The header that names a version.
const INTEGRATION: &str = "x-integration-id";

/// Request extension in which the remaining calls of a workspace are recorded.
pub type Noted = Arc<OnceLock<Room>>;

/// A member of the workspace that the request names.
pub struct Member(pub Caller);

/// A caller with a valid token. A workspace need not be named.
pub struct Anyone(pub Caller);

/// A caller with a valid token, for operations that name the workspace elsewhere in the request.
pub struct Person(pub Identified);

/// Returns the credential that a request sends.
fn credential(request: &Request) -> Result<String> {
    let why =
        if request.headers().contains_key(header::AUTHORIZATION) { AuthFailure::Invalid } else { AuthFailure::Missing };
    let bearer = <Bearer as BearerAuthorization>::from_request(request);
    Ok(bearer.map_err(|_| Error::Unauthenticated(why))?.token.trim().to_owned())
}

async fn identify(request: &Request) -> Result<Identified> {
    auth::identified(request, &credential(request)?).await
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

/// A key of a version: the credential of its code.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "integrationKeyAuth", checker = "hold_key")]
#[allow(dead_code, reason = "the scheme of the document; the extractor of the installation reads the key itself")]
pub struct HeldKey(pub ApiKey);

async fn hold_key(request: &Request, bearer: Bearer) -> poem::Result<ApiKey> {
    held_key(request, bearer.token.trim()).await.map_err(into_error)
}

async fn held_key(request: &Request, key: &str) -> Result<ApiKey> {
    auth::checked(request, &[key], service::<Versions>(request)?.authenticate_key(key)).await
}

/// An installation whose code holds a key of its version, and which it names by a header.
pub struct Emitter(pub App);

async fn emitter(request: &Request) -> Result<App> {
    let key = held_key(request, &credential(request)?).await?;
    let versions = service::<Versions>(request)?;
    let header = |name: &str| {
        let sent = request.headers().get(name).map(|sent| sent.to_str().unwrap_or("?").trim());
        sent.filter(|sent| !sent.is_empty())
    };
    let named = NamedInstallation { version: header(INTEGRATION), installation: header(BOT) };
    let app = versions.installation_of(&key, named).await?;
    note(request, versions.admit_installation(&app))?;
    Ok(app)
}

/// Counts the call against the workspace's rate limit.
fn admit(request: &Request, caller: &Caller) -> Result<()> {
    note(request, service::<Versions>(request)?.admit_call(caller))
}

/// Records the remaining calls for the headers of the response.
fn note(request: &Request, (room, admitted): (Room, Result<()>)) -> Result<()> {
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
    ($name:ident, $scheme:ident, $types:expr, $required:expr, $from:expr) => {
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = $types;
            const PARAM_IS_REQUIRED: bool = $required;

            type ParamType = String;
            type ParamRawType = String;

            fn register(registry: &mut Registry) {
                <$scheme as ApiExtractor>::register(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                <$scheme as ApiExtractor>::security_schemes()
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

caller!(Member, Known, HEADER, true, async |request| member(request).await.map(Member));
caller!(Anyone, Known, HEADER, false, async |request| anyone(request).await.map(|(_, caller)| Anyone(caller)));
caller!(Person, Known, &[ApiExtractorType::SecurityScheme], false, async |request| anyone(request)
    .await
    .map(|(who, _)| Person(who)));
caller!(Emitter, HeldKey, HEADER, false, async |request| emitter(request).await.map(Emitter));
