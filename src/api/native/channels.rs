//! Channels, their members and their messages.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{ChannelIn, ChannelOut, ChannelPatch, EventOut, Limit, List, UserOut, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::channels,
};

/// The operations.
pub struct Channels;

#[OpenApi(tag = "Tag::Channels")]
impl Channels {
    /// List channels
    ///
    /// Lists public channels, and the private ones of which the caller is a member or a manager.
    #[oai(path = "/v1/channels", method = "get", operation_id = "listChannels")]
    async fn list_channels(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<ChannelOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(channels.list_channels(&caller.0, page).await?)))
    }

    /// Create a channel
    ///
    /// Creates a channel with the caller as its first member.
    #[oai(path = "/v1/channels", method = "post", operation_id = "createChannel")]
    async fn create_channel(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        body: Body<ChannelIn>,
    ) -> Result<Created<ChannelOut>, Refused> {
        let ChannelIn { name, private } = body.value;
        let channel = channels.create_channel(&caller.0, &name, private.unwrap_or(false)).await?;
        Ok(Created::Created(Json(channel.into())))
    }

    /// Get a channel
    ///
    /// Returns a channel's name and settings.
    #[oai(path = "/v1/channels/:id", method = "get", operation_id = "getChannel")]
    async fn get_channel(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
    ) -> Answer<ChannelOut> {
        Ok(Json(channels.get_channel(&caller.0, id.0.into()).await?.into()))
    }

    /// Change a channel
    ///
    /// Changes its name or its visibility, or archives it. Fields that are absent from the request stay unchanged.
    #[oai(path = "/v1/channels/:id", method = "patch", operation_id = "updateChannel")]
    async fn update_channel(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        body: Body<ChannelPatch>,
    ) -> Answer<ChannelOut> {
        Ok(Json(channels.update_channel(&caller.0, id.0.into(), body.value.into()).await?.into()))
    }

    /// Delete a channel
    ///
    /// Deletes a channel with its messages and its links.
    #[oai(path = "/v1/channels/:id", method = "delete", operation_id = "deleteChannel")]
    async fn delete_channel(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        channels.delete_channel(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// List a channel's messages
    ///
    /// Lists the events that were posted to the channel.
    #[oai(path = "/v1/channels/:id/messages", method = "get", operation_id = "listChannelMessages")]
    async fn list_channel_messages(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<EventOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(channels.list_channel_messages(&caller.0, id.0.into(), page).await?)))
    }

    /// List a channel's members
    ///
    /// Lists the users with access to the channel.
    #[oai(path = "/v1/channels/:id/members", method = "get", operation_id = "listChannelMembers")]
    async fn list_channel_members(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<UserOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(channels.list_channel_members(&caller.0, id.0.into(), page).await?)))
    }

    /// Add a member to a channel
    ///
    /// Adds a user of the organisation to the channel. Adding a member again changes nothing.
    #[oai(path = "/v1/channels/:id/members/:user_id", method = "put", operation_id = "addChannelMember")]
    async fn add_channel_member(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// The user's id.
        user_id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        channels.add_channel_member(&caller.0, id.0.into(), user_id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Remove a member from a channel
    ///
    /// Removes a user from the channel; the user stays a member of the organisation.
    #[oai(path = "/v1/channels/:id/members/:user_id", method = "delete", operation_id = "removeChannelMember")]
    async fn remove_channel_member(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// The user's id.
        user_id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        channels.remove_channel_member(&caller.0, id.0.into(), user_id.0.into()).await?;
        Ok(Done::Done)
    }
}
