//! Apps in a channel, and the addresses at which they post to it.

use poem_openapi::{OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{
    Answer, Done, Refused, Tag,
    wire::{ChannelAppOut, ChannelAppPatch, ChannelAppsOut, ChannelWebhookOut},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::{apps::Apps, channels::Channels},
};

/// The operations.
pub struct ChannelApps;

#[OpenApi(tag = "Tag::Channels")]
impl ChannelApps {
    /// List a channel's apps
    ///
    /// Lists them in the order in which they process the channel's messages, with the settings of the channel.
    #[oai(path = "/v1/channels/:id/apps", method = "get", operation_id = "listChannelApps")]
    async fn list_channel_apps(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
    ) -> Answer<ChannelAppsOut> {
        let found = apps.list_channel_apps(&caller.0, id.0.into()).await?;
        Ok(Json(ChannelAppsOut { data: found.into_iter().map(Into::into).collect() }))
    }

    /// Get an app in a channel
    ///
    /// Returns its position among the channel's apps, and the settings of the channel. A secret is masked for callers
    /// without the permission `secrets:read`.
    #[oai(path = "/v1/channels/:id/apps/:appId", method = "get", operation_id = "getChannelApp")]
    async fn get_channel_app(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// An app that was added to the channel.
        #[oai(name = "appId")]
        app_id: Path<Uuid>,
    ) -> Answer<ChannelAppOut> {
        Ok(Json(apps.get_channel_app(&caller.0, id.0.into(), app_id.0.into()).await?.into()))
    }

    /// Activate or deactivate an app in a channel
    ///
    /// Adds the app to the channel, or changes its position among the others and its settings there. Members that are
    /// absent from the request stay unchanged; a new entry is active, and the last. Settings replace all those of the
    /// channel; a secret that is given as its mask stays unchanged.
    #[oai(path = "/v1/channels/:id/apps/:appId", method = "put", operation_id = "putChannelApp")]
    async fn put_channel_app(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// An app of the organisation.
        #[oai(name = "appId")]
        app_id: Path<Uuid>,
        body: Body<ChannelAppPatch>,
    ) -> Answer<ChannelAppOut> {
        let (channel, app) = (id.0.into(), app_id.0.into());
        Ok(Json(apps.put_channel_app(&caller.0, channel, app, body.value.into()).await?.into()))
    }

    /// Remove an app from a channel
    ///
    /// Ends the app's part in the channel: it no longer receives the messages, and the settings of the channel are
    /// deleted. The app stays installed.
    #[oai(path = "/v1/channels/:id/apps/:appId", method = "delete", operation_id = "deleteChannelApp")]
    async fn delete_channel_app(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// An app that was added to the channel.
        #[oai(name = "appId")]
        app_id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        apps.delete_channel_app(&caller.0, id.0.into(), app_id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Get a channel's addresses
    ///
    /// Returns the addresses at which apps and other senders post to the channel. The key in the address is the only
    /// credential: treat it as a secret.
    #[oai(path = "/v1/channels/:id/webhook", method = "get", operation_id = "getChannelWebhook")]
    async fn get_channel_webhook(
        &self,
        channels: Service<'_, Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
    ) -> Answer<ChannelWebhookOut> {
        Ok(Json(channels.get_channel_webhook(&caller.0, id.0.into()).await?.into()))
    }
}
