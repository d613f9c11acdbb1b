//! Integrations that consist of the address of their JSON document.

use poem_openapi::{OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{
    Created, Done, One, Refused, Several, Tag, done, one, several,
    wire::{CustomIn, CustomListedOut, CustomMade, CustomSettingIn, CustomSettingOut},
};
use crate::{
    api::shared::{auth::Known, body::Body, services::Service},
    app::apps::Apps,
};

/// The operations.
pub struct Custom;

#[OpenApi(tag = "Tag::Custom")]
impl Custom {
    /// Create a custom integration for the organization
    ///
    /// Fetches and reads the document at the address at once.
    #[oai(
        path = "/organisations/:organisationId/integrations/custom",
        method = "post",
        operation_id = "createCustomIntegration"
    )]
    async fn create_custom_integration(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        body: Body<CustomIn>,
    ) -> Result<Created<CustomMade>, Refused> {
        let made = apps.create_custom_integration(&who.0, &organisation.0, &body.value.json_url).await?;
        Ok(Created::Created(Json(CustomMade::new("Integration app created successfully", made.warnings))))
    }

    /// Get custom integrations for an organization
    ///
    /// Returns the integrations that the organisation added by their addresses.
    #[oai(
        path = "/organisations/:organisationId/integrations/custom",
        method = "get",
        operation_id = "listCustomIntegrations"
    )]
    async fn list_custom_integrations(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
    ) -> Several<CustomListedOut> {
        let found = apps.list_custom_integrations(&who.0, &organisation.0).await?;
        several("Integrations retrieved successfully.", found)
    }

    /// Update an organization's custom integration
    ///
    /// Fetches the document again, also if the address is unchanged.
    #[oai(
        path = "/organisations/:organisationId/integrations/custom/:integrationId",
        method = "put",
        operation_id = "updateCustomIntegration"
    )]
    async fn update_custom_integration(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        /// The integration's id.
        #[oai(name = "integrationId")]
        integration: Path<Uuid>,
        body: Body<CustomIn>,
    ) -> Done {
        apps.update_custom_integration(&who.0, &organisation.0, integration.0, &body.value.json_url).await?;
        done("Integrations updated successfully")
    }

    /// Delete an organization's custom integration
    ///
    /// Removes it from all channels too.
    #[oai(
        path = "/organisations/:organisationId/integrations/custom/:integrationId",
        method = "delete",
        operation_id = "deleteCustomIntegration"
    )]
    async fn delete_custom_integration(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        /// The integration's id.
        #[oai(name = "integrationId")]
        integration: Path<Uuid>,
    ) -> Done {
        apps.delete_custom_integration(&who.0, &organisation.0, integration.0).await?;
        done("Integrations deleted successfully")
    }

    /// Update an organization's custom integration settings
    ///
    /// Sets one field. Other fields stay unchanged.
    #[oai(
        path = "/organisations/:organisationId/integrations/custom/:integrationId/settings",
        method = "put",
        operation_id = "putCustomSetting"
    )]
    async fn put_custom_setting(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        /// The integration's id.
        #[oai(name = "integrationId")]
        integration: Path<Uuid>,
        body: Body<CustomSettingIn>,
    ) -> Done {
        let CustomSettingIn { setting_entry: entry } = body.value;
        apps.put_custom_setting(&who.0, &organisation.0, integration.0, &entry.field_name, entry.value.0).await?;
        done("Integrations Settings updated successfully")
    }

    /// Get custom integration settings for an organization
    ///
    /// Returns the field that was set last; `data` is empty if none was set.
    #[oai(
        path = "/organisations/:organisationId/integrations/custom/:integrationId/settings",
        method = "get",
        operation_id = "getCustomSetting"
    )]
    async fn get_custom_setting(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        /// The integration's id.
        #[oai(name = "integrationId")]
        integration: Path<Uuid>,
    ) -> One<CustomSettingOut> {
        let found = apps.get_custom_setting(&who.0, &organisation.0, integration.0).await?;
        one("Integrations retrieved successfully.", found)
    }
}
