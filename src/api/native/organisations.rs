//! Organisations.

use poem_openapi::{OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{
    Answer, Created, Refused, Tag,
    wire::{FrameAncestorsOut, List, OrganisationIn, OrganisationOut, OrganisationPatch},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::tenancy::Tenancy,
    domain::page::Page,
};

/// The operations.
pub struct Organisations;

#[OpenApi(tag = "Tag::Organisations")]
impl Organisations {
    /// List organisations
    ///
    /// Lists the organisations of which the caller's user is a member. A personal access token lists its own
    /// organisation alone.
    #[oai(path = "/v1/organisations", method = "get", operation_id = "listOrganisations")]
    async fn list_organisations(&self, tenancy: Service<'_, Tenancy>, caller: Bearer) -> Answer<List<OrganisationOut>> {
        let items = tenancy.list_organisations(&caller.0).await?;
        Ok(Json(List::of(Page { items, next: None })))
    }

    /// Create an organisation
    ///
    /// Creates an organisation with the caller as its owner. A taken slug is a conflict.
    #[oai(path = "/v1/organisations", method = "post", operation_id = "createOrganisation")]
    async fn create_organisation(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        body: Body<OrganisationIn>,
    ) -> Result<Created<OrganisationOut>, Refused> {
        let OrganisationIn { slug, name } = body.value;
        Ok(Created::Created(Json(tenancy.create_organisation(&caller.0, &slug, name.as_deref()).await?.into())))
    }

    /// Get an organisation
    ///
    /// Returns an organisation of which the caller is a member.
    #[oai(path = "/v1/organisations/:id", method = "get", operation_id = "getOrganisation")]
    async fn get_organisation(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
    ) -> Answer<OrganisationOut> {
        Ok(Json(tenancy.get_organisation(&caller.0, id.0.into()).await?.into()))
    }

    /// Rename an organisation
    ///
    /// Changes the name; the slug cannot be changed, because it is part of addresses.
    #[oai(path = "/v1/organisations/:id", method = "patch", operation_id = "updateOrganisation")]
    async fn update_organisation(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        body: Body<OrganisationPatch>,
    ) -> Answer<OrganisationOut> {
        Ok(Json(tenancy.update_organisation(&caller.0, id.0.into(), &body.value.name).await?.into()))
    }

    /// Get the frame ancestors
    ///
    /// Returns the origins whose pages may show the organisation's portal in a frame.
    #[oai(path = "/v1/organisations/:id/frame-ancestors", method = "get", operation_id = "getFrameAncestors")]
    async fn get_frame_ancestors(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
    ) -> Answer<FrameAncestorsOut> {
        Ok(Json(tenancy.get_frame_ancestors(&caller.0, id.0.into()).await?.into()))
    }

    /// Set the frame ancestors
    ///
    /// Sets the origins whose pages may show the organisation's portal in a frame: https, or http on loopback. It holds for
    /// portal sessions that are created afterwards.
    #[oai(path = "/v1/organisations/:id/frame-ancestors", method = "put", operation_id = "putFrameAncestors")]
    async fn put_frame_ancestors(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        body: Body<FrameAncestorsOut>,
    ) -> Answer<FrameAncestorsOut> {
        Ok(Json(tenancy.put_frame_ancestors(&caller.0, id.0.into(), &body.value.origins).await?.into()))
    }
}
