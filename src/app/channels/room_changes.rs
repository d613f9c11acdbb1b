//! Changes of channels as Rocket.Chat's clients make them: by a room's id or name, with people by id or username.
//!
//! Not here: the rules, which are those of every channel (`channels`), and reading (`rooms`).

use super::{ChannelChange, Channels, rooms::RoomKey};
use crate::{
    app::Caller,
    domain::{
        Error, Result, channels::Channel, error::Noun, ids::UserId, page::PageRequest, tenancy::member::Member,
        tenancy::member::Permission,
    },
    store,
};

/// A member of the organisation, by the user's id or by the username.
#[derive(Clone, Copy, Debug)]
pub struct PersonKey<'a> {
    /// Id of the user.
    pub id: Option<&'a str>,
    /// Username, which counts where there is no id.
    pub username: Option<&'a str>,
}

/// A window of the members of a channel, newest users first.
#[derive(Clone, Debug)]
pub struct RoomMembers {
    /// The members.
    pub members: Vec<Member>,
    /// Number of all.
    pub total: u64,
}

impl Channels {
    /// Creates a channel with its creator and these users in it. With an unknown one, nothing is created.
    ///
    /// # Errors
    /// As [`Channels::create_channel`], and [`Error::NotFound`] for an unknown user.
    pub async fn create_room(
        &self,
        caller: &Caller,
        (name, private): (&str, bool),
        usernames: &[String],
    ) -> Result<Channel> {
        caller.require(Permission::ChannelsManage)?;
        let mut invited = Vec::new();
        for username in usernames {
            invited.push(self.person(caller, PersonKey { id: None, username: Some(username) }).await?);
        }
        let channel = self.create_channel(caller, name, private).await?;
        for user_id in invited {
            self.add_channel_member(caller, channel.id, user_id).await?;
        }
        Ok(channel)
    }

    /// Changes a channel.
    ///
    /// # Errors
    /// As [`Channels::update_channel`].
    pub async fn change_room(&self, caller: &Caller, wanted: RoomKey<'_>, change: ChannelChange) -> Result<Channel> {
        caller.require(Permission::ChannelsManage)?;
        let room = self.room(caller, wanted).await?;
        self.update_channel(caller, room.id, change).await
    }

    /// Deletes a channel.
    ///
    /// # Errors
    /// As [`Channels::delete_channel`].
    pub async fn delete_room(&self, caller: &Caller, wanted: RoomKey<'_>) -> Result<()> {
        caller.require(Permission::ChannelsManage)?;
        let room = self.room(caller, wanted).await?;
        self.delete_channel(caller, room.id).await
    }

    /// Adds a member of the organisation to a channel.
    ///
    /// # Errors
    /// As [`Channels::add_channel_member`].
    pub async fn invite_to_room(&self, caller: &Caller, wanted: RoomKey<'_>, person: PersonKey<'_>) -> Result<Channel> {
        caller.require(Permission::ChannelsManage)?;
        let room = self.room(caller, wanted).await?;
        self.add_channel_member(caller, room.id, self.person(caller, person).await?).await?;
        Ok(room)
    }

    /// Removes a user from a channel.
    ///
    /// # Errors
    /// As [`Channels::remove_channel_member`].
    pub async fn remove_from_room(
        &self,
        caller: &Caller,
        wanted: RoomKey<'_>,
        person: PersonKey<'_>,
    ) -> Result<Channel> {
        caller.require(Permission::ChannelsManage)?;
        let room = self.room(caller, wanted).await?;
        self.remove_channel_member(caller, room.id, self.person(caller, person).await?).await?;
        Ok(room)
    }

    /// Lists the members of a channel with their names: `window` has the number to skip and the maximum number.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn list_room_members(
        &self,
        caller: &Caller,
        wanted: RoomKey<'_>,
        (skip, most): (u64, u64),
    ) -> Result<RoomMembers> {
        caller.require(Permission::ChannelsRead)?;
        caller.require(Permission::MembersRead)?;
        let room = self.room(caller, wanted).await?;
        let reader = self.base.store.reader();
        let (mut ids, mut page) = (Vec::new(), PageRequest { limit: PageRequest::MAX_LIMIT, after: None });
        loop {
            let listed = store::channels::members(reader, room.id, page).await?;
            ids.extend(listed.items);
            match listed.next {
                Some(after) => page.after = Some(after),
                None => break,
            }
        }
        let total = ids.len() as u64;
        let window = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut members = Vec::new();
        for id in ids.into_iter().skip(window(skip)).take(window(most)) {
            members.push(store::tenancy::members::find(reader, caller.organisation_id, id).await?);
        }
        Ok(RoomMembers { members, total })
    }

    async fn person(&self, caller: &Caller, PersonKey { id, username }: PersonKey<'_>) -> Result<UserId> {
        let none = || Error::not_found(Noun::Member, id.or(username).unwrap_or_default());
        let reader = self.base.store.reader();
        let member = match id {
            Some(id) => {
                let id = id.parse::<UserId>().map_err(|_| none())?;
                Some(store::tenancy::members::find(reader, caller.organisation_id, id).await?)
            }
            None => {
                let username = username.unwrap_or_default().trim_start_matches('@');
                store::tenancy::members::find_by_username(reader, caller.organisation_id, username).await?
            }
        };
        Ok(member.ok_or_else(none)?.user_id)
    }
}
