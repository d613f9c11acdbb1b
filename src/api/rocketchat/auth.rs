//! Callers of this dialect: a token and the id of its user, in two headers that are valid only together; or a bearer
//! token, as in the other dialects.

use poem::{Request, RequestBody, http::header::AUTHORIZATION};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    auth::{Bearer, BearerAuthorization},
    registry::Registry,
};

use crate::{
    api::shared::{
        auth::{self, ORGANISATION},
        refusal::into_error,
        services,
    },
    app::{Caller, tenancy::Tenancy},
    domain::{
        Error,
        error::AuthFailure,
        ids::{OrganisationId, UserId},
    },
};

const TOKEN: &str = "X-Auth-Token";
const USER: &str = "X-User-Id";

/// Names of the two headers' security schemes in the document.
pub const SCHEMES: &[&str] = &[AUTH_TOKEN, USER_ID];
const AUTH_TOKEN: &str = "authToken";
const USER_ID: &str = "userId";
const BEARER: &str = "bearerAuth";

/// A caller.
pub struct Known(pub Caller);

impl<'a> ApiExtractor<'a> for Known {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <auth::BearerToken as ApiExtractor>::register(registry);
        registry
            .create_security_scheme(AUTH_TOKEN, auth::api_key("header", TOKEN, "A personal access token, or a JWT."));
        registry.create_security_scheme(USER_ID, auth::api_key("header", USER, "The id of the token's user."));
    }

    fn security_schemes() -> Vec<&'static str> {
        [AUTH_TOKEN, USER_ID, BEARER].to_vec()
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        authenticate(request).await.map(Self).map_err(into_error)
    }
}

async fn authenticate(request: &Request) -> Result<Caller, Error> {
    let wanted = match header(request, ORGANISATION)? {
        None => None,
        Some(id) => Some(id.parse::<OrganisationId>().map_err(|_| Error::invalid(ORGANISATION, "must be a UUID"))?),
    };
    match (header(request, TOKEN)?, header(request, USER)?) {
        (Some(token), Some(user)) => {
            let user = user.parse::<UserId>();
            let check = async {
                let caller = services::service::<Tenancy>(request)?.authenticate(token, wanted).await?;
                let same = user.is_ok_and(|user| user == caller.user_id);
                if same { Ok(caller) } else { Err(Error::Unauthenticated(AuthFailure::Invalid)) }
            };
            auth::checked(request, &[token], check).await
        }
        (None, None) if request.headers().contains_key(AUTHORIZATION) => {
            let bearer = <Bearer as BearerAuthorization>::from_request(request);
            let bearer = bearer.map_err(|_| Error::Unauthenticated(AuthFailure::Invalid))?;
            auth::caller(request, bearer.token.trim(), wanted).await
        }
        _ => Err(Error::Unauthenticated(AuthFailure::Missing)),
    }
}

/// Returns a header; a repeated one is refused.
fn header<'a>(request: &'a Request, name: &str) -> Result<Option<&'a str>, Error> {
    let mut sent = request.headers().get_all(name).iter();
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str().map(str::trim) {
            Ok(text) if !text.is_empty() => Ok(Some(text)),
            _ => Err(Error::Unauthenticated(AuthFailure::Invalid)),
        },
        (Some(_), Some(_)) => Err(Error::Unauthenticated(AuthFailure::Invalid)),
    }
}
