//! Logging in, and the caller's own profile. There are no passwords here: a token takes the place of one.

use poem::Request;
use poem_openapi::{OpenApi, payload::Json};

use super::{
    Answer, Tag,
    auth::Known,
    wire::users::{LoggedInOut, LoginIn, MeOut},
};
use crate::{
    api::shared::{auth, body::Body, services::Service},
    app::tenancy::Tenancy,
};

/// The operations.
pub struct Users;

#[OpenApi(tag = "Tag::Users")]
impl Users {
    /// Log in
    ///
    /// Takes a personal access token in place of the password, or as `resume`, and returns it as `authToken` with the id of
    /// its user: what the two headers of the other operations hold. A name that is sent has to be the user's.
    #[oai(path = "/api/v1/login", method = "post", operation_id = "logIn")]
    async fn log_in(
        &self,
        tenancy: Service<'_, Tenancy>,
        request: &Request,
        body: Body<LoginIn>,
    ) -> Answer<LoggedInOut> {
        let (name, token) = body.value.credentials()?;
        let member = auth::checked(request, &[&token], tenancy.log_in(name.as_deref(), &token)).await?;
        Ok(Json(LoggedInOut::new(token, member)))
    }

    /// Get the caller's own profile
    ///
    /// Returns the user of the credential.
    #[oai(path = "/api/v1/me", method = "get", operation_id = "getOwnProfile")]
    async fn get_own_profile(&self, tenancy: Service<'_, Tenancy>, caller: Known) -> Answer<MeOut> {
        Ok(Json(tenancy.get_own_profile(&caller.0).await?.into()))
    }
}
