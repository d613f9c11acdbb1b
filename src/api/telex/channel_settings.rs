//! Settings of an integration for one channel.

use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Done, Several, Tag, done, several,
    wire::{ChannelSettingOut, SettingIn, SettingPatch},
};
use crate::{
    api::shared::{auth::Known, body::Body, services::Service},
    app::apps::Apps,
};

/// The operations.
pub struct ChannelSettings;

#[OpenApi(tag = "Tag::ChannelSettings")]
impl ChannelSettings {
    /// Add a new setting for a channel integration
    ///
    /// The setting applies to this channel alone, and overrides the integration's own.
    #[oai(
        path = "/organisations/:org_id/integrations/:integration_id/channels/:channel_id/settings",
        method = "post",
        operation_id = "addChannelSetting"
    )]
    async fn add_channel_setting(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        org_id: Path<String>,
        /// The integration's id.
        integration_id: Path<Uuid>,
        /// The channel's id.
        channel_id: Path<Uuid>,
        body: Body<SettingIn>,
    ) -> Done {
        let SettingIn { label, value } = body.value;
        apps.add_channel_setting(&who.0, &org_id.0, integration_id.0, channel_id.0, &label, value.0).await?;
        done("Channel Integration setting added successfully")
    }

    /// Retrieve all settings for a specific channel integration
    ///
    /// Returns the channel's own settings alone.
    #[oai(
        path = "/organisations/:org_id/integrations/:integration_id/channels/:channel_id/settings",
        method = "get",
        operation_id = "listChannelSettings"
    )]
    async fn list_channel_settings(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        org_id: Path<String>,
        /// The integration's id.
        integration_id: Path<Uuid>,
        /// The channel's id.
        channel_id: Path<Uuid>,
    ) -> Several<ChannelSettingOut> {
        let found = apps.list_channel_settings(&who.0, &org_id.0, integration_id.0, channel_id.0).await?;
        let of_channel = found.into_iter().map(|row| ChannelSettingOut::of(channel_id.0, row)).collect();
        several::<ChannelSettingOut, _>("Channel Integration settings retrieved successfully", of_channel)
    }

    /// Update a specific setting for a channel integration
    ///
    /// Fields that are absent from the request stay unchanged.
    #[oai(
        path = "/organisations/:org_id/integrations/:integration_id/channels/:channel_id/settings/:setting_id",
        method = "patch",
        operation_id = "updateChannelSetting"
    )]
    #[allow(clippy::too_many_arguments, reason = "the path has four parameters")]
    async fn update_channel_setting(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        org_id: Path<String>,
        /// The integration's id.
        integration_id: Path<Uuid>,
        /// The channel's id.
        channel_id: Path<Uuid>,
        /// The setting's id.
        setting_id: Path<Uuid>,
        body: Body<SettingPatch>,
    ) -> Done {
        let (label, value) = body.value.parts();
        let (org, integration, channel, setting) = (&org_id.0, integration_id.0, channel_id.0, setting_id.0);
        apps.update_channel_setting(&who.0, org, integration, channel, setting, label.as_deref(), value).await?;
        done("Integration setting updated successfully")
    }

    /// Delete a specific setting for a channel integration
    ///
    /// The integration's own setting of that name applies again.
    #[oai(
        path = "/organisations/:org_id/integrations/:integration_id/channels/:channel_id/settings/:setting_id",
        method = "delete",
        operation_id = "deleteChannelSetting"
    )]
    async fn delete_channel_setting(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The organisation's id or slug.
        org_id: Path<String>,
        /// The integration's id.
        integration_id: Path<Uuid>,
        /// The channel's id.
        channel_id: Path<Uuid>,
        /// The setting's id.
        setting_id: Path<Uuid>,
    ) -> Done {
        apps.delete_channel_setting(&who.0, &org_id.0, integration_id.0, channel_id.0, setting_id.0).await?;
        done("Channel Integration setting deleted successfully")
    }
}
