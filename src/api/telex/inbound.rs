//! Addresses at which integrations, and others that were given an address, post to a channel. Four operations for one
//! effect: the product has two addresses, and each takes a body as well as a query.

use poem::Request;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};

use super::{
    Done, Tag, done,
    error::of_key,
    key::{ChannelKey, channel},
    wire::{PostIn, PostWord},
};
use crate::{
    api::shared::{auth, body::Body, services::Service, word::Word},
    app::channels::{Channels, inbound::ChannelPost},
};

/// The operations.
pub struct Inbound;

const SENT: &str = "Data sent successfully";

async fn post((channels, request): (&Channels, &Request), id: &str, key: &ChannelKey, post: ChannelPost) -> Done {
    let check = async { channels.receive_channel_message(channel(id)?, Some(&key.0), post).await.map_err(of_key) };
    auth::checked(request, &[id, &key.0], check).await?;
    done(SENT)
}

#[OpenApi(tag = "Tag::Inbound")]
impl Inbound {
    /// Post to a channel from an integration
    ///
    /// The `return_url` that an integration is given. The response is sent once the event is durable.
    #[oai(path = "/v1/return/:channelId", method = "post", operation_id = "receiveChannelMessage")]
    async fn receive_channel_message(
        &self,
        channels: Service<'_, Channels>,
        request: &Request,
        key: ChannelKey,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel: Path<String>,
        body: Body<PostIn>,
    ) -> Done {
        post((&channels, request), &channel.0, &key, body.value.into()).await
    }

    /// Post to a channel from an integration, by a link
    ///
    /// Same as the POST, with all parameters in the address.
    #[oai(path = "/v1/return/:channelId", method = "get", operation_id = "receiveChannelMessageByLink")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn receive_channel_message_by_link(
        &self,
        channels: Service<'_, Channels>,
        request: &Request,
        key: ChannelKey,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel: Path<String>,
        /// Name of the event.
        event_name: Query<String>,
        /// Text of the message.
        message: Query<String>,
        /// Status of the message.
        status: Query<Word<PostWord>>,
        /// Name of the sender.
        username: Query<String>,
    ) -> Done {
        let said = PostIn { event_name: event_name.0, message: message.0, status: status.0, username: username.0 };
        post((&channels, request), &channel.0, &key, said.into()).await
    }

    /// Post to a channel by its webhook
    ///
    /// Same as the return URL, at the address that users copy.
    #[oai(path = "/v1/webhooks/:channelId", method = "post", operation_id = "receiveChannelWebhook")]
    async fn receive_channel_webhook(
        &self,
        channels: Service<'_, Channels>,
        request: &Request,
        key: ChannelKey,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel: Path<String>,
        body: Body<PostIn>,
    ) -> Done {
        post((&channels, request), &channel.0, &key, body.value.into()).await
    }

    /// Post to a channel by its webhook, by a link
    ///
    /// Same as the POST, with all parameters in the address.
    #[oai(path = "/v1/webhooks/:channelId", method = "get", operation_id = "receiveChannelWebhookByLink")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn receive_channel_webhook_by_link(
        &self,
        channels: Service<'_, Channels>,
        request: &Request,
        key: ChannelKey,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel: Path<String>,
        /// Name of the event.
        event_name: Query<String>,
        /// Text of the message.
        message: Query<String>,
        /// Status of the message.
        status: Query<Word<PostWord>>,
        /// Name of the sender.
        username: Query<String>,
    ) -> Done {
        let said = PostIn { event_name: event_name.0, message: message.0, status: status.0, username: username.0 };
        post((&channels, request), &channel.0, &key, said.into()).await
    }
}
