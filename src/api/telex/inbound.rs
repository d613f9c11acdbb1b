//! Addresses at which integrations, and others that were given an address, post to a channel. Five operations for one
//! effect: the product has three addresses, and two of them take a body as well as a query.

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
    app::{apps::Apps, channels::inbound::ChannelPost},
};

/// The operations.
pub struct Inbound;

const SENT: &str = "Data sent successfully";

async fn post((apps, request): (&Apps, &Request), id: &str, key: &ChannelKey, post: ChannelPost) -> Done {
    let check = async { apps.receive_channel_message(channel(id)?, &key.0, post).await.map_err(of_key) };
    auth::checked(request, &[id, &key.0], check).await?;
    done(SENT)
}

fn linked(event_name: String, message: String, status: Word<PostWord>, username: String) -> ChannelPost {
    let (event_name, status, username) = (Some(event_name), Some(status.0.0), Some(username));
    ChannelPost { event_name, message, status, username, ..ChannelPost::default() }
}

#[OpenApi(tag = "Tag::Inbound")]
impl Inbound {
    /// Post to a channel from an integration
    ///
    /// The `return_url` that an integration is given. The response is sent once the event is durable.
    #[oai(path = "/v1/return/:channelId", method = "post", operation_id = "receiveChannelMessage")]
    async fn receive_channel_message(
        &self,
        apps: Service<'_, Apps>,
        request: &Request,
        key: ChannelKey,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel: Path<String>,
        body: Body<PostIn>,
    ) -> Done {
        post((&apps, request), &channel.0, &key, body.value.post(key.is_of_integration())?).await
    }

    /// Post to a channel from an integration, by a link
    ///
    /// Same as the POST, with all parameters in the address.
    #[oai(path = "/v1/return/:channelId", method = "get", operation_id = "receiveChannelMessageByLink")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn receive_channel_message_by_link(
        &self,
        apps: Service<'_, Apps>,
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
        let said = linked(event_name.0, message.0, status.0, username.0);
        post((&apps, request), &channel.0, &key, said).await
    }

    /// Post to a channel by its webhook
    ///
    /// Same as the return URL, at the address that users copy.
    #[oai(path = "/v1/webhooks/:channelId", method = "post", operation_id = "receiveChannelWebhook")]
    async fn receive_channel_webhook(
        &self,
        apps: Service<'_, Apps>,
        request: &Request,
        key: ChannelKey,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel: Path<String>,
        body: Body<PostIn>,
    ) -> Done {
        post((&apps, request), &channel.0, &key, body.value.post(key.is_of_integration())?).await
    }

    /// Post to a channel by its webhook, by a link
    ///
    /// Same as the POST, with all parameters in the address.
    #[oai(path = "/v1/webhooks/:channelId", method = "get", operation_id = "receiveChannelWebhookByLink")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn receive_channel_webhook_by_link(
        &self,
        apps: Service<'_, Apps>,
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
        let said = linked(event_name.0, message.0, status.0, username.0);
        post((&apps, request), &channel.0, &key, said).await
    }

    /// Post to a channel from an agent
    ///
    /// Same as the return URL, at the address that agents have in their code. An agent posts by the API key that it was
    /// given at its `auth_callback`, to the channels in which it is active.
    #[oai(path = "/api/v1/return/:channelId", method = "post", operation_id = "receiveAgentMessage")]
    async fn receive_agent_message(
        &self,
        apps: Service<'_, Apps>,
        request: &Request,
        key: ChannelKey,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel: Path<String>,
        body: Body<PostIn>,
    ) -> Done {
        post((&apps, request), &channel.0, &key, body.value.post(key.is_of_integration())?).await
    }
}
