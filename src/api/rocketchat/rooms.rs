//! Channels and their messages, as clients of the product begin with them.

use poem_openapi::{OpenApi, param::Query, payload::Json};

use super::{
    Answer, Tag,
    auth::Known,
    listing::{Asked, Listing, Page},
    wire::rooms::{self, ChannelListOut, ChannelOut, GroupListOut, GroupOut, MessageListOut},
};
use crate::{
    api::shared::services::Service,
    app::channels::{Channels, rooms::RoomKey},
};

/// The operations.
pub struct Rooms;

#[OpenApi(tag = "Tag::Rooms")]
impl Rooms {
    /// List the public channels
    ///
    /// Lists those that the caller may see, newest first.
    #[oai(path = "/api/v1/channels.list", method = "get", operation_id = "listPublicChannels")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn list_public_channels(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
        /// JSON: members to sort by, each with 1 or -1.
        sort: Query<Option<String>>,
        /// JSON: members to filter by, each with a value or `{"$in": […]}`.
        query: Query<Option<String>>,
        /// JSON: members to be shown, each with 1, or to be left out, each with 0.
        fields: Query<Option<String>>,
    ) -> Answer<ChannelListOut> {
        let asked = Asked { offset: offset.0, count: count.0, sort: sort.0, query: query.0, fields: fields.0 };
        list(&channels, &caller, false, asked).await
    }

    /// Get a public channel
    ///
    /// Returns the one with this id or, without an id, with this name.
    #[oai(path = "/api/v1/channels.info", method = "get", operation_id = "getPublicChannel")]
    async fn get_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// The channel's id.
        #[oai(name = "roomId")]
        id: Query<Option<String>>,
        /// The channel's name. It, or the id, is required.
        #[oai(name = "roomName")]
        name: Query<Option<String>>,
    ) -> Answer<ChannelOut> {
        let key = rooms::key(false, (id.0.as_deref(), name.0.as_deref()))?;
        Ok(Json(channels.get_room(&caller.0, key).await?.into()))
    }

    /// List the messages of a public channel
    ///
    /// Lists them newest first, each once: what became of it, where the channel's integrations changed it.
    #[oai(path = "/api/v1/channels.messages", method = "get", operation_id = "listPublicChannelMessages")]
    async fn list_public_channel_messages(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// The channel's id.
        #[oai(name = "roomId")]
        id: Query<Option<String>>,
        /// The channel's name. It, or the id, is required.
        #[oai(name = "roomName")]
        name: Query<Option<String>>,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
    ) -> Answer<MessageListOut> {
        let key = rooms::key(false, (id.0.as_deref(), name.0.as_deref()))?;
        list_messages(&channels, &caller, key, (offset.0, count.0)).await
    }

    /// List the history of a public channel
    ///
    /// Lists them newest first, each once: what became of it, where the channel's integrations changed it.
    #[oai(path = "/api/v1/channels.history", method = "get", operation_id = "getPublicChannelHistory")]
    async fn get_public_channel_history(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// The channel's id.
        #[oai(name = "roomId")]
        id: Query<Option<String>>,
        /// The channel's name. It, or the id, is required.
        #[oai(name = "roomName")]
        name: Query<Option<String>>,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
    ) -> Answer<MessageListOut> {
        let key = rooms::key(false, (id.0.as_deref(), name.0.as_deref()))?;
        list_messages(&channels, &caller, key, (offset.0, count.0)).await
    }

    /// List the private channels
    ///
    /// Lists those that the caller may see, newest first.
    #[oai(path = "/api/v1/groups.list", method = "get", operation_id = "listPrivateGroups")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn list_private_groups(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
        /// JSON: members to sort by, each with 1 or -1.
        sort: Query<Option<String>>,
        /// JSON: members to filter by, each with a value or `{"$in": […]}`.
        query: Query<Option<String>>,
        /// JSON: members to be shown, each with 1, or to be left out, each with 0.
        fields: Query<Option<String>>,
    ) -> Answer<GroupListOut> {
        let asked = Asked { offset: offset.0, count: count.0, sort: sort.0, query: query.0, fields: fields.0 };
        list(&channels, &caller, true, asked).await
    }

    /// Get a private channel
    ///
    /// Returns the one with this id or, without an id, with this name.
    #[oai(path = "/api/v1/groups.info", method = "get", operation_id = "getPrivateGroup")]
    async fn get_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// The channel's id.
        #[oai(name = "roomId")]
        id: Query<Option<String>>,
        /// The channel's name. It, or the id, is required.
        #[oai(name = "roomName")]
        name: Query<Option<String>>,
    ) -> Answer<GroupOut> {
        let key = rooms::key(true, (id.0.as_deref(), name.0.as_deref()))?;
        Ok(Json(channels.get_room(&caller.0, key).await?.into()))
    }

    /// List the messages of a private channel
    ///
    /// Lists them newest first, each once: what became of it, where the channel's integrations changed it.
    #[oai(path = "/api/v1/groups.messages", method = "get", operation_id = "listPrivateGroupMessages")]
    async fn list_private_group_messages(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// The channel's id.
        #[oai(name = "roomId")]
        id: Query<Option<String>>,
        /// The channel's name. It, or the id, is required.
        #[oai(name = "roomName")]
        name: Query<Option<String>>,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
    ) -> Answer<MessageListOut> {
        let key = rooms::key(true, (id.0.as_deref(), name.0.as_deref()))?;
        list_messages(&channels, &caller, key, (offset.0, count.0)).await
    }

    /// List the history of a private channel
    ///
    /// Lists them newest first, each once: what became of it, where the channel's integrations changed it.
    #[oai(path = "/api/v1/groups.history", method = "get", operation_id = "getPrivateGroupHistory")]
    async fn get_private_group_history(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        /// The channel's id.
        #[oai(name = "roomId")]
        id: Query<Option<String>>,
        /// The channel's name. It, or the id, is required.
        #[oai(name = "roomName")]
        name: Query<Option<String>>,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
    ) -> Answer<MessageListOut> {
        let key = rooms::key(true, (id.0.as_deref(), name.0.as_deref()))?;
        list_messages(&channels, &caller, key, (offset.0, count.0)).await
    }
}

async fn list<T: From<Page>>(channels: &Channels, caller: &Known, private: bool, asked: Asked) -> Answer<T> {
    let listing = Listing::read(asked)?;
    let rooms = channels.list_rooms(&caller.0, private).await?;
    Ok(Json(listing.pick(rooms.into_iter().map(rooms::document).collect()).into()))
}

async fn list_messages(
    channels: &Channels,
    caller: &Known,
    key: RoomKey<'_>,
    (offset, count): (Option<u64>, Option<u64>),
) -> Answer<MessageListOut> {
    let window = Listing::read(Asked { offset, count, ..Asked::default() })?.window();
    let found = channels.list_room_messages(&caller.0, key, window).await?;
    Ok(Json(MessageListOut::new(found, window.0)))
}
