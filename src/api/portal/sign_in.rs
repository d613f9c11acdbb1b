//! Signing in by an identity provider: the browser is sent there, and comes back.

use poem::{
    Request, Response,
    http::{StatusCode, header},
};
use url::Url;

use super::{page_response, parameter, sent};
use crate::{
    api::shared::{
        asset::refuse_method,
        page::{self, escape},
        services::service,
        session,
    },
    app::{
        kernel::Base,
        tenancy::{
            portal_sessions::PORTAL,
            sign_in::{BEGIN, SignIn, SignedInBy},
        },
    },
    domain::{
        Error, Result,
        error::{AuthFailure, StateFailure},
        tenancy::organisation::Organisation,
    },
};

/// Sends the browser to the provider, with a cookie that binds the answer to it.
pub(super) async fn begin(request: &Request) -> Response {
    if let Some(refusal) = refuse_method(request) {
        return refusal;
    }
    let begun = async {
        let (sign_in, base): (&SignIn, &Base) = (service(request)?, service(request)?);
        let begun = sign_in.begin_sign_in(parameter(request, "organisation").as_deref()).await?;
        Ok((begun.url, session::ticket(&begun.ticket, base.public_url())))
    };
    match begun.await {
        Ok((url, cookie)) => sent(url.as_str(), &cookie),
        Err(error) => refused(&error, None),
    }
}

/// Takes the provider's answer. The ticket is used up, whatever it was.
pub(super) async fn complete(request: &Request) -> Response {
    if let Some(refusal) = refuse_method(request) {
        return refusal;
    }
    let base: Result<&Base> = service(request);
    let public_url = base.map(|base| base.public_url().clone()).ok();
    match completed(request).await {
        Ok(SignedInBy::Session(opened)) => {
            let cookie = base_cookie(request, &opened);
            let mut response = cookie.map_or_else(|error| refused(&error, None), |cookie| sent(PORTAL, &cookie));
            forget(&mut response, public_url.as_ref());
            response
        }
        Ok(SignedInBy::Several(organisations)) => {
            let mut response = choice(&organisations);
            forget(&mut response, public_url.as_ref());
            response
        }
        Err(error) => refused(&error, public_url.as_ref()),
    }
}

async fn completed(request: &Request) -> Result<SignedInBy> {
    let (sign_in, base): (&SignIn, &Base) = (service(request)?, service(request)?);
    let unknown = || Error::OAuthState(StateFailure::Unknown);
    let ticket = session::sent_ticket(request, base.public_url()).ok_or_else(unknown)?;
    let state = parameter(request, "state").ok_or_else(unknown)?;
    let code = parameter(request, "code").ok_or(Error::Unauthenticated(AuthFailure::Missing))?;
    sign_in.complete_sign_in(&ticket, &state, &code).await
}

fn base_cookie(request: &Request, opened: &crate::app::tenancy::sessions::OpenedSession) -> Result<String> {
    let base: &Base = service(request)?;
    Ok(session::cookie(opened, base.ambient().now(), base.public_url()))
}

fn forget(response: &mut Response, public_url: Option<&Url>) {
    let cookie = public_url.map(session::removed_ticket).and_then(|cookie| cookie.parse().ok());
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Page for a member of several organisations.
fn choice(organisations: &[Organisation]) -> Response {
    let one = |organisation: &Organisation| {
        let (slug, name) = (organisation.slug.as_str(), escape(&organisation.name));
        format!("<li><a href=\"{BEGIN}?organisation={slug}\">{name} ({slug})</a></li>")
    };
    let list: String = organisations.iter().map(one).collect();
    let title = "Choose an organisation";
    let html = page::html_with(title, "You are a member of several organisations.", &format!("<ul>{list}</ul>"));
    page_response(StatusCode::OK, html)
}

fn refused(error: &Error, public_url: Option<&Url>) -> Response {
    let (status, text) = match error {
        Error::Unauthenticated(AuthFailure::NotAMember) => (
            StatusCode::FORBIDDEN,
            "You are signed in at the identity provider, and no organisation here has you as a member. Ask an \
             administrator to add you with the e-mail address that the provider has verified."
                .to_owned(),
        ),
        Error::Unauthenticated(AuthFailure::Missing) => {
            (StatusCode::BAD_REQUEST, "The identity provider did not sign you in.".to_owned())
        }
        Error::Unauthenticated(_) => {
            (StatusCode::BAD_REQUEST, "The identity provider's answer is not valid any more. Sign in again.".to_owned())
        }
        Error::OAuthState(_) => (
            StatusCode::BAD_REQUEST,
            "This browser did not ask to sign in, it asked too long ago, or it does not keep cookies. Sign in again."
                .to_owned(),
        ),
        Error::FailedPrecondition { .. } | Error::Invalid(_) => (StatusCode::BAD_REQUEST, page::sentence(error)),
        other => (StatusCode::SERVICE_UNAVAILABLE, page::sentence(other)),
    };
    let html = page::html_leading("You are not signed in", &text, ("Sign in", "/portal/sign-in"));
    let mut response = page_response(status, html);
    forget(&mut response, public_url);
    response
}
