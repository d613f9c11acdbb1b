//! Installed integrations of an organisation, and installation from the registry.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{InstallIn, InstalledOut, Limit, List, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::registry::Registry,
};

/// The operations.
pub struct Installations;

#[OpenApi(tag = "Tag::Integrations")]
impl Installations {
    /// Install a version from the registry
    ///
    /// Installs one of the organisation's own versions, or a published version of any workspace. The integration
    /// receives the messages of the channels in which it is switched on, at its address; its settings are the
    /// properties of its configuration.
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
    /// Lists those installed by a descriptor and those installed from the registry.
    #[oai(path = "/v1/integrations", method = "get", operation_id = "listInstalledIntegrations")]
    async fn list_installed_integrations(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<InstalledOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(registry.list_installed_integrations(&caller.0, page).await?)))
    }

    /// Uninstall an integration
    ///
    /// Deletes an installed integration with its settings; its pending deliveries fail.
    #[oai(path = "/v1/integrations/:id", method = "delete", operation_id = "uninstallIntegration")]
    async fn uninstall_integration(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The integration's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        registry.uninstall_integration(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }
}
