//! An organisation's integrations.

use poem_openapi::{OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{
    Created, One, Refused, Several, Tag, one, several,
    wire::{Envelope, InstalledOut, IntegrationIn, IntegrationOut, IntegrationPatch, ListedOut},
};
use crate::{
    api::shared::{auth::Known, body::Body, services::Service},
    app::apps::Apps,
};

/// The operations.
pub struct Integrations;

#[OpenApi(tag = "Tag::Integrations")]
impl Integrations {
    /// Create a new integration for the organization
    ///
    /// The integration is available to all of the organisation's channels, and active in none of them until it is
    /// added.
    #[oai(path = "/organisations/:organisationId/integrations", method = "post", operation_id = "createIntegration")]
    async fn create_integration(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        body: Body<IntegrationIn>,
    ) -> Result<Created<Envelope<InstalledOut>>, Refused> {
        let made = apps.create_integration(&who.0, &organisation.0, body.value.into()).await?;
        Ok(Created::Created(Json(Envelope::new(201, "Integration app created successfully", made.into()))))
    }

    /// Get integrations for an organization
    ///
    /// Returns the integrations that came with the service, those that were installed, and custom ones.
    #[oai(
        path = "/organisations/:organisationId/integrations",
        method = "get",
        operation_id = "listOrganisationIntegrations"
    )]
    async fn list_organisation_integrations(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
    ) -> Several<ListedOut> {
        let found = apps.list_organisation_integrations(&who.0, &organisation.0).await?;
        several("Integrations retrieved successfully.", found)
    }

    /// Update an organization's integration
    ///
    /// Fields that are absent from the request stay unchanged.
    #[oai(
        path = "/organisations/:organisationId/integrations/:integrationId",
        method = "patch",
        operation_id = "updateIntegration"
    )]
    async fn update_integration(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        /// The integration's id.
        #[oai(name = "integrationId")]
        integration: Path<Uuid>,
        body: Body<IntegrationPatch>,
    ) -> One<IntegrationOut> {
        let change = body.value.into();
        let changed = apps.update_integration(&who.0, &organisation.0, integration.0, change).await?;
        one("Integrations updated successfully", changed)
    }

    /// Delete an organization's integration
    ///
    /// Deletes its settings with it, and returns the deleted integration.
    #[oai(
        path = "/organisations/:organisationId/integrations/:integrationId",
        method = "delete",
        operation_id = "deleteIntegration"
    )]
    async fn delete_integration(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        /// The integration's id.
        #[oai(name = "integrationId")]
        integration: Path<Uuid>,
    ) -> One<IntegrationOut> {
        let gone = apps.delete_integration(&who.0, &organisation.0, integration.0).await?;
        one("Integrations deleted successfully", gone)
    }
}
