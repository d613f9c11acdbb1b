//! What an organisation has installed, and what it installs from the registry.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{InstallIn, InstalledOut, List, cursor},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::registry::Registry,
    domain::page::PageRequest,
};

/// The operations.
pub struct Installations;

#[OpenApi(tag = "Tag::Integrations")]
impl Installations {
    /// Install a version from the registry
    ///
    /// One of the organisation's own, or a published one of anybody's. It gets the messages of the channels in which it
    /// is switched on, at its address; what can be set are the properties of its configuration.
    #[oai(path = "/v1/integrations", method = "post", operation_id = "installRegistryIntegration")]
    async fn install_registry_integration(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        body: Body<InstallIn>,
    ) -> Result<Created<InstalledOut>, Refused> {
        let installed = registry.install_registry_integration(&caller.0, body.value.wanted()?).await?;
        Ok(Created::Created(Json(installed.into())))
    }

    /// List installed integrations
    ///
    /// Those that were installed by a descriptor, and those from the registry.
    #[oai(path = "/v1/integrations", method = "get", operation_id = "listInstalledIntegrations")]
    async fn list_installed_integrations(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<InstalledOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(registry.list_installed_integrations(&caller.0, page).await?)))
    }

    /// Uninstall an integration
    ///
    /// With its settings; what still waited for it fails.
    #[oai(path = "/v1/integrations/:id", method = "delete", operation_id = "uninstallIntegration")]
    async fn uninstall_integration(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The integration.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        registry.uninstall_integration(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }
}
