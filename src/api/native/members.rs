//! Members of an organisation.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{Limit, List, MemberIn, MemberOut, MemberPatch, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::tenancy::Tenancy,
};

/// The operations.
pub struct Members;

#[OpenApi(tag = "Tag::Members")]
impl Members {
    /// List members
    ///
    /// Lists the members of the organisation with their roles.
    #[oai(path = "/v1/organisations/:id/members", method = "get", operation_id = "listMembers")]
    async fn list_members(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<MemberOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(tenancy.list_members(&caller.0, id.0.into(), page).await?)))
    }

    /// Add a member
    ///
    /// A caller cannot grant a permission that they do not hold. A member named by `userId` or `subject` is invited:
    /// the membership takes effect once that subject accepts it by a JWT of its own, or its issuer asserts it.
    #[oai(path = "/v1/organisations/:id/members", method = "post", operation_id = "addMember")]
    async fn add_member(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        body: Body<MemberIn>,
    ) -> Result<Created<MemberOut>, Refused> {
        let member = tenancy.add_member(&caller.0, id.0.into(), body.value.into()).await?;
        Ok(Created::Created(Json(member.into())))
    }

    /// Get a member
    ///
    /// Returns a user's role and permissions in the organisation.
    #[oai(path = "/v1/organisations/:id/members/:user_id", method = "get", operation_id = "getMember")]
    async fn get_member(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        /// The user's id.
        user_id: Path<Uuid>,
    ) -> Answer<MemberOut> {
        Ok(Json(tenancy.get_member(&caller.0, id.0.into(), user_id.0.into()).await?.into()))
    }

    /// Change a member
    ///
    /// Sets the role, or individual permissions. Only owners may change owners. A new subject takes effect once it
    /// accepts.
    #[oai(path = "/v1/organisations/:id/members/:user_id", method = "patch", operation_id = "updateMember")]
    async fn update_member(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        /// The user's id.
        user_id: Path<Uuid>,
        body: Body<MemberPatch>,
    ) -> Answer<MemberOut> {
        let member = tenancy.update_member(&caller.0, id.0.into(), user_id.0.into(), body.value.into()).await?;
        Ok(Json(member.into()))
    }

    /// Remove a member
    ///
    /// Removes a user from the organisation; their tokens stop working. Only owners may remove owners, and the last
    /// owner cannot be removed.
    #[oai(path = "/v1/organisations/:id/members/:user_id", method = "delete", operation_id = "removeMember")]
    async fn remove_member(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        /// The user's id.
        user_id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        tenancy.remove_member(&caller.0, id.0.into(), user_id.0.into()).await?;
        Ok(Done::Done)
    }
}
