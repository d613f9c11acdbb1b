//! Sessions of browsers in the portal, and the links that open them.

use poem::{Request, http::header::SET_COOKIE};
use poem_openapi::{
    OpenApi,
    payload::{Json, Response},
};

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{PortalSessionIn, PortalSessionOut, SessionIn, SessionOut, SignInOptionsOut},
};
use crate::{
    api::shared::{
        auth::{self, Bearer},
        body::Body,
        services::Service,
        session::{self, SessionCookie},
    },
    app::{
        kernel::Base,
        tenancy::{Tenancy, operators::BrowserSession, sign_in::SignIn},
    },
};

/// The operations.
pub struct Sessions;

#[OpenApi(tag = "Tag::Sessions")]
impl Sessions {
    /// Create a session
    ///
    /// Signs a browser in with a personal access token, or with an operator's: the response sets a cookie that only this
    /// service reads, and says of which kind the session is. The session holds no more than the token, ends with it, and
    /// ends after 12 hours. Over plain http it is possible on loopback only; elsewhere the response is 409.
    #[oai(path = "/v1/sessions", method = "post", operation_id = "createSession")]
    async fn create_session(
        &self,
        tenancy: Service<'_, Tenancy>,
        base: Service<'_, Base>,
        request: &Request,
        body: Body<SessionIn>,
    ) -> Result<Response<Created<SessionOut>>, Refused> {
        session::refuse_foreign_origin(request, base.public_url())?;
        let token = body.value.token;
        let opened = auth::checked(request, &[&token], tenancy.create_session(&token)).await?;
        let cookie = session::browser_cookie(&opened, base.ambient().now(), base.public_url());
        Ok(Response::new(Created::Created(Json(opened.into()))).header(SET_COOKIE, cookie))
    }

    /// Get the session
    ///
    /// Returns the session of the cookie: the member, the organisation and the permissions, or the operator; and the CSRF
    /// token. Without a session, or after its end, the response is 401.
    #[oai(path = "/v1/session", method = "get", operation_id = "getSession")]
    async fn get_session(&self, tenancy: Service<'_, Tenancy>, session: SessionCookie) -> Answer<SessionOut> {
        Ok(Json(match session.0 {
            BrowserSession::Member(signed_in) => {
                let organisation = tenancy.get_session_organisation(&signed_in).await?;
                (*signed_in, organisation).into()
            }
            BrowserSession::Operator(signed_in) => signed_in.into(),
        }))
    }

    /// End the session
    ///
    /// Signs the browser out: the session ends, and its cookie is removed.
    #[oai(path = "/v1/session", method = "delete", operation_id = "deleteSession")]
    async fn delete_session(
        &self,
        tenancy: Service<'_, Tenancy>,
        base: Service<'_, Base>,
        session: SessionCookie,
    ) -> Result<Response<Done>, Refused> {
        tenancy.delete_session(&session.0).await?;
        Ok(Response::new(Done::Done).header(SET_COOKIE, session::removed(&session.0, base.public_url())))
    }

    /// Get the ways to sign in
    ///
    /// Returns the ways by which a browser may sign in to the portal.
    #[oai(path = "/v1/sign-in-options", method = "get", operation_id = "getSignInOptions")]
    async fn get_sign_in_options(&self, sign_in: Service<'_, SignIn>) -> Answer<SignInOptionsOut> {
        Ok(Json(sign_in.provider_name().into()))
    }

    /// Create a portal session
    ///
    /// Creates a link that signs a browser in as the caller, with no more permissions than the caller has. It can be opened
    /// once, within five minutes, and the session ends after an hour; it is limited to `pages`, if they are given. If the
    /// organisation lists origins that may frame the portal, the session can be used in a frame there. Over plain http it is
    /// possible on loopback only; elsewhere the response is 409.
    #[oai(path = "/v1/portal-sessions", method = "post", operation_id = "createPortalSession")]
    async fn create_portal_session(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        body: Body<PortalSessionIn>,
    ) -> Result<Created<PortalSessionOut>, Refused> {
        let link = tenancy.create_portal_session(&caller.0, body.value.into()).await?;
        Ok(Created::Created(Json(link.into())))
    }
}
