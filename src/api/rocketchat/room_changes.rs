//! Changes of channels, and the members in them: what clients of the product do to channels beside reading.

use poem_openapi::{OpenApi, param::Query, payload::Json};

use super::{
    Answer, Tag,
    auth::Known,
    listing::{Asked, Listing},
    wire::{
        history::DoneOut,
        room_changes::{NewRoomIn, RenamingIn, RoomIn, RoomMemberListOut, RoomUserIn},
        rooms::{self, ChannelOut, GroupOut},
    },
};
use crate::{
    api::shared::{body::Body, services::Service},
    app::channels::{ChannelChange, Channels, rooms::RoomKey},
};

/// The operations.
pub struct RoomChanges;

#[OpenApi(tag = "Tag::Rooms")]
impl RoomChanges {
    /// Create a public channel
    ///
    /// Creates it with the caller and the listed users in it.
    #[oai(path = "/api/v1/channels.create", method = "post", operation_id = "createPublicChannel")]
    async fn create_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<NewRoomIn>,
    ) -> Answer<ChannelOut> {
        let NewRoomIn { name, members } = body.value;
        let members = members.unwrap_or_default();
        Ok(Json(channels.create_room(&caller.0, (&name, false), &members).await?.into()))
    }

    /// Archive a public channel
    ///
    /// Nothing new is posted in it from then on; its members and messages stay.
    #[oai(path = "/api/v1/channels.archive", method = "post", operation_id = "archivePublicChannel")]
    async fn archive_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomIn>,
    ) -> Answer<DoneOut> {
        archive(&channels, &caller, body.value.key(false)?, true).await
    }

    /// Unarchive a public channel
    ///
    /// Messages are posted in it again.
    #[oai(path = "/api/v1/channels.unarchive", method = "post", operation_id = "unarchivePublicChannel")]
    async fn unarchive_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomIn>,
    ) -> Answer<DoneOut> {
        archive(&channels, &caller, body.value.key(false)?, false).await
    }

    /// Rename a public channel
    ///
    /// Gives it another name, which is unique among the channels of the organisation.
    #[oai(path = "/api/v1/channels.rename", method = "post", operation_id = "renamePublicChannel")]
    async fn rename_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RenamingIn>,
    ) -> Answer<ChannelOut> {
        let change = ChannelChange { name: Some(body.value.name.clone()), ..ChannelChange::default() };
        Ok(Json(channels.change_room(&caller.0, body.value.key(false)?, change).await?.into()))
    }

    /// Delete a public channel
    ///
    /// Its messages stay readable as events.
    #[oai(path = "/api/v1/channels.delete", method = "post", operation_id = "deletePublicChannel")]
    async fn delete_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomIn>,
    ) -> Answer<DoneOut> {
        channels.delete_room(&caller.0, body.value.key(false)?).await?;
        Ok(Json(DoneOut { success: true }))
    }

    /// Add a user to a public channel
    ///
    /// Adds a member of the organisation; a repetition changes nothing.
    #[oai(path = "/api/v1/channels.invite", method = "post", operation_id = "inviteToPublicChannel")]
    async fn invite_to_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomUserIn>,
    ) -> Answer<ChannelOut> {
        let (room, person) = body.value.keys(false)?;
        Ok(Json(channels.invite_to_room(&caller.0, room, person).await?.into()))
    }

    /// Remove a user from a public channel
    ///
    /// Removes a user who is in it.
    #[oai(path = "/api/v1/channels.kick", method = "post", operation_id = "kickFromPublicChannel")]
    async fn kick_from_public_channel(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomUserIn>,
    ) -> Answer<ChannelOut> {
        let (room, person) = body.value.keys(false)?;
        Ok(Json(channels.remove_from_room(&caller.0, room, person).await?.into()))
    }

    /// List the members of a public channel
    ///
    /// Lists the users in it, the newest users first.
    #[oai(path = "/api/v1/channels.members", method = "get", operation_id = "listPublicChannelMembers")]
    async fn list_public_channel_members(
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
    ) -> Answer<RoomMemberListOut> {
        let key = rooms::key(false, (id.0.as_deref(), name.0.as_deref()))?;
        list_members(&channels, &caller, key, (offset.0, count.0)).await
    }

    /// Create a private channel
    ///
    /// Creates it with the caller and the listed users in it.
    #[oai(path = "/api/v1/groups.create", method = "post", operation_id = "createPrivateGroup")]
    async fn create_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<NewRoomIn>,
    ) -> Answer<GroupOut> {
        let NewRoomIn { name, members } = body.value;
        let members = members.unwrap_or_default();
        Ok(Json(channels.create_room(&caller.0, (&name, true), &members).await?.into()))
    }

    /// Archive a private channel
    ///
    /// Nothing new is posted in it from then on; its members and messages stay.
    #[oai(path = "/api/v1/groups.archive", method = "post", operation_id = "archivePrivateGroup")]
    async fn archive_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomIn>,
    ) -> Answer<DoneOut> {
        archive(&channels, &caller, body.value.key(true)?, true).await
    }

    /// Unarchive a private channel
    ///
    /// Messages are posted in it again.
    #[oai(path = "/api/v1/groups.unarchive", method = "post", operation_id = "unarchivePrivateGroup")]
    async fn unarchive_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomIn>,
    ) -> Answer<DoneOut> {
        archive(&channels, &caller, body.value.key(true)?, false).await
    }

    /// Rename a private channel
    ///
    /// Gives it another name, which is unique among the channels of the organisation.
    #[oai(path = "/api/v1/groups.rename", method = "post", operation_id = "renamePrivateGroup")]
    async fn rename_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RenamingIn>,
    ) -> Answer<GroupOut> {
        let change = ChannelChange { name: Some(body.value.name.clone()), ..ChannelChange::default() };
        Ok(Json(channels.change_room(&caller.0, body.value.key(true)?, change).await?.into()))
    }

    /// Delete a private channel
    ///
    /// Its messages stay readable as events.
    #[oai(path = "/api/v1/groups.delete", method = "post", operation_id = "deletePrivateGroup")]
    async fn delete_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomIn>,
    ) -> Answer<DoneOut> {
        channels.delete_room(&caller.0, body.value.key(true)?).await?;
        Ok(Json(DoneOut { success: true }))
    }

    /// Add a user to a private channel
    ///
    /// Adds a member of the organisation; a repetition changes nothing.
    #[oai(path = "/api/v1/groups.invite", method = "post", operation_id = "inviteToPrivateGroup")]
    async fn invite_to_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomUserIn>,
    ) -> Answer<GroupOut> {
        let (room, person) = body.value.keys(true)?;
        Ok(Json(channels.invite_to_room(&caller.0, room, person).await?.into()))
    }

    /// Remove a user from a private channel
    ///
    /// Removes a user who is in it.
    #[oai(path = "/api/v1/groups.kick", method = "post", operation_id = "kickFromPrivateGroup")]
    async fn kick_from_private_group(
        &self,
        channels: Service<'_, Channels>,
        caller: Known,
        body: Body<RoomUserIn>,
    ) -> Answer<GroupOut> {
        let (room, person) = body.value.keys(true)?;
        Ok(Json(channels.remove_from_room(&caller.0, room, person).await?.into()))
    }

    /// List the members of a private channel
    ///
    /// Lists the users in it, the newest users first.
    #[oai(path = "/api/v1/groups.members", method = "get", operation_id = "listPrivateGroupMembers")]
    async fn list_private_group_members(
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
    ) -> Answer<RoomMemberListOut> {
        let key = rooms::key(true, (id.0.as_deref(), name.0.as_deref()))?;
        list_members(&channels, &caller, key, (offset.0, count.0)).await
    }
}

async fn archive(channels: &Channels, caller: &Known, key: RoomKey<'_>, archived: bool) -> Answer<DoneOut> {
    let change = ChannelChange { archived: Some(archived), ..ChannelChange::default() };
    channels.change_room(&caller.0, key, change).await?;
    Ok(Json(DoneOut { success: true }))
}

async fn list_members(
    channels: &Channels,
    caller: &Known,
    key: RoomKey<'_>,
    (offset, count): (Option<u64>, Option<u64>),
) -> Answer<RoomMemberListOut> {
    let window = Listing::read(Asked { offset, count, ..Asked::default() })?.window();
    let found = channels.list_room_members(&caller.0, key, window).await?;
    Ok(Json(RoomMemberListOut::new(found, window.0)))
}
