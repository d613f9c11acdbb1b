//! Settings of an integration for the whole organisation: of its members, and of the integration itself.

use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Done, Several, Tag, done,
    key::SettingsKeeper,
    several,
    wire::{SettingIn, SettingOut, SettingPatch},
};
use crate::{
    api::shared::{body::Body, services::Service},
    app::apps::Apps,
};

/// The operations.
pub struct Settings;

#[OpenApi(tag = "Tag::Settings")]
impl Settings {
    /// Add a new integration setting
    ///
    /// A name can be added once.
    #[oai(
        path = "/organisations/:organisation_id/integrations/:integration_id/settings",
        method = "post",
        operation_id = "addIntegrationSetting"
    )]
    async fn add_integration_setting(
        &self,
        apps: Service<'_, Apps>,
        who: SettingsKeeper,
        /// The organisation's id or slug.
        organisation_id: Path<String>,
        /// The integration's id.
        integration_id: Path<Uuid>,
        body: Body<SettingIn>,
    ) -> Done {
        let SettingIn { label, value } = body.value;
        apps.add_integration_setting(&who.0, &organisation_id.0, integration_id.0, &label, value.0).await?;
        done("Integration setting added successfully")
    }

    /// Retrieve integration settings
    ///
    /// Returns the settings for the whole organisation, not those for a channel.
    #[oai(
        path = "/organisations/:organisation_id/integrations/:integration_id/settings",
        method = "get",
        operation_id = "listIntegrationSettings"
    )]
    async fn list_integration_settings(
        &self,
        apps: Service<'_, Apps>,
        who: SettingsKeeper,
        /// The organisation's id or slug.
        organisation_id: Path<String>,
        /// The integration's id.
        integration_id: Path<Uuid>,
    ) -> Several<SettingOut> {
        let found = apps.list_integration_settings(&who.0, &organisation_id.0, integration_id.0).await?;
        several("Integration setting retrieved successfully", found)
    }

    /// Update an existing integration setting
    ///
    /// Updates the setting with this label.
    #[oai(
        path = "/organisations/:organisation_id/integrations/:integration_id/settings",
        method = "patch",
        operation_id = "updateIntegrationSetting"
    )]
    async fn update_integration_setting(
        &self,
        apps: Service<'_, Apps>,
        who: SettingsKeeper,
        /// The organisation's id or slug.
        organisation_id: Path<String>,
        /// The integration's id.
        integration_id: Path<Uuid>,
        body: Body<SettingPatch>,
    ) -> Done {
        let (label, value) = body.value.parts();
        let (organisation, integration) = (&organisation_id.0, integration_id.0);
        apps.update_integration_setting(&who.0, organisation, integration, label.as_deref(), value).await?;
        done("Integration setting updated successfully")
    }
}
