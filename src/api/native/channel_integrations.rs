//! Integrations that are active in a channel, and the addresses at which they post to it.

use poem_openapi::{OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{
    Answer, Done, Refused, Tag,
    wire::{ChannelIntegrationOut, ChannelIntegrationPatch, ChannelIntegrationsOut, ChannelWebhookOut},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::{apps::Apps, channels::Channels},
};

/// The operations.
pub struct ChannelIntegrations;

#[OpenApi(tag = "Tag::Channels")]
impl ChannelIntegrations {
    /// List a channel's integrations
    ///
    /// Lists them in the order in which they process the channel's messages.
    #[oai(path = "/v1/channels/:id/integrations", method = "get", operation_id = "listChannelIntegrations")]
    async fn list_channel_integrations(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
    ) -> Answer<ChannelIntegrationsOut> {
        let found = apps.list_channel_integrations(&caller.0, id.0.into()).await?;
        Ok(Json(ChannelIntegrationsOut { data: found.into_iter().map(Into::into).collect() }))
    }

    /// Switch an integration on or off in a channel
    ///
    /// Adds the integration to the channel, or changes its position among the others. Members that are absent from the
    /// request stay unchanged; a new entry is switched on, and the last.
    #[oai(
        path = "/v1/channels/:id/integrations/:integrationId",
        method = "put",
        operation_id = "putChannelIntegration"
    )]
    async fn put_channel_integration(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// An integration of the organisation.
        #[oai(name = "integrationId")]
        integration_id: Path<Uuid>,
        body: Body<ChannelIntegrationPatch>,
    ) -> Answer<ChannelIntegrationOut> {
        let (channel, integration) = (id.0.into(), integration_id.0.into());
        Ok(Json(apps.put_channel_integration(&caller.0, channel, integration, body.value.into()).await?.into()))
    }

    /// Remove an integration from a channel
    ///
    /// Ends the integration's part in the channel: it no longer receives the messages. The integration stays installed.
    #[oai(
        path = "/v1/channels/:id/integrations/:integrationId",
        method = "delete",
        operation_id = "deleteChannelIntegration"
    )]
    async fn delete_channel_integration(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// An integration that was added to the channel.
        #[oai(name = "integrationId")]
        integration_id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        apps.delete_channel_integration(&caller.0, id.0.into(), integration_id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Get a channel's addresses
    ///
    /// Returns the addresses at which integrations and other senders post to the channel. The key in the address is the
    /// only credential: treat it as a secret.
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
