//! Invitations to organisations, from the invited subject's side. Members are added in `members`.

use poem::Request;
use poem_openapi::{OpenApi, SecurityScheme, auth, param::Path, payload::Json};
use uuid::Uuid;

use super::{
    Answer, Done, Refused, Tag,
    wire::{InvitationOut, InvitationsOut, MemberOut},
};
use crate::{
    api::shared::{
        refusal::into_error,
        services::{Service, service},
    },
    app::tenancy::{Tenancy, invitations::Subject},
};

/// A caller with a JWT, not a personal access token; its subject need not be a member of any organisation.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "bearerAuth", checker = "identify")]
pub struct Invited(pub Subject);

async fn identify(request: &Request, bearer: auth::Bearer) -> poem::Result<Subject> {
    let tenancy = service::<Tenancy>(request).map_err(into_error)?;
    tenancy.identify_subject(bearer.token.trim()).await.map_err(into_error)
}

/// The operations.
pub struct Invitations;

#[OpenApi(tag = "Tag::Invitations")]
impl Invitations {
    /// List invitations
    ///
    /// Lists the memberships that organisations offer to the JWT's subject, newest first. A membership takes effect
    /// once it is accepted.
    #[oai(path = "/v1/invitations", method = "get", operation_id = "listInvitations")]
    async fn list_invitations(&self, tenancy: Service<'_, Tenancy>, who: Invited) -> Answer<InvitationsOut> {
        let data = tenancy.list_invitations(&who.0).await?.into_iter().map(InvitationOut::from).collect();
        Ok(Json(InvitationsOut { data }))
    }

    /// Accept an invitation
    ///
    /// Makes the subject a member of the organisation.
    #[oai(path = "/v1/invitations/:id/accept", method = "post", operation_id = "acceptInvitation")]
    async fn accept_invitation(
        &self,
        tenancy: Service<'_, Tenancy>,
        who: Invited,
        /// The invitation's id.
        id: Path<Uuid>,
    ) -> Answer<MemberOut> {
        Ok(Json(tenancy.accept_invitation(&who.0, id.0.into()).await?.into()))
    }

    /// Decline an invitation
    ///
    /// Deletes the invitation. A member that was given the subject by mistake stays a member without it.
    #[oai(path = "/v1/invitations/:id/decline", method = "post", operation_id = "declineInvitation")]
    async fn decline_invitation(
        &self,
        tenancy: Service<'_, Tenancy>,
        who: Invited,
        /// The invitation's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        tenancy.decline_invitation(&who.0, id.0.into()).await?;
        Ok(Done::Done)
    }
}
