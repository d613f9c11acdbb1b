//! Channels, who is in them, and what flowed through them.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{ChannelIn, ChannelOut, ChannelPatch, EventOut, List, UserOut, cursor},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::channels,
    domain::page::PageRequest,
};

/// The operations.
pub struct Channels;

#[OpenApi(tag = "Tag::Channels")]
impl Channels {
    /// List channels
    ///
    /// Public channels, and the private ones that the caller is in or manages.
    #[oai(path = "/v1/channels", method = "get", operation_id = "listChannels")]
    async fn list_channels(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<ChannelOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(channels.list_channels(&caller.0, page).await?)))
    }

    /// Create a channel
    ///
    /// The caller is in it.
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
    /// Tells what a channel is called and how it is set.
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
    /// What is left out stays as it is.
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
    /// Its messages and what was linked to it go with it.
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
    /// The events that flowed through it.
    #[oai(path = "/v1/channels/:id/messages", method = "get", operation_id = "listChannelMessages")]
    async fn list_channel_messages(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<EventOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(channels.list_channel_messages(&caller.0, id.0.into(), page).await?)))
    }

    /// List a channel's members
    ///
    /// Who may read and post in the channel.
    #[oai(path = "/v1/channels/:id/members", method = "get", operation_id = "listChannelMembers")]
    async fn list_channel_members(
        &self,
        channels: Service<'_, channels::Channels>,
        caller: Bearer,
        /// The channel's id.
        id: Path<Uuid>,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<UserOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(channels.list_channel_members(&caller.0, id.0.into(), page).await?)))
    }

    /// Add a member to a channel
    ///
    /// A second time changes nothing.
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
    /// The user stays a member of the organisation.
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
