//! Schemas of changes of channels, and of the members in them.

use poem_openapi::{Object, types::Example};

use super::{PersonOut, rooms};
use crate::{
    api::shared::fault::{Fault, Protocol},
    app::channels::{
        room_changes::{PersonKey, RoomMembers},
        rooms::RoomKey,
    },
    domain::tenancy::member::Member,
};

const ROOM: &str = "019aa5c2-7b10-7000-8000-000000000007";

/// A channel to create.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewRoom", skip_serializing_if_is_none, example)]
pub struct NewRoomIn {
    /// Name of the channel.
    pub name: String,
    /// Usernames of those who are in it, beside the caller.
    #[oai(validator(max_items = 100))]
    pub members: Option<Vec<String>>,
}

impl Example for NewRoomIn {
    fn example() -> Self {
        Self { name: "alerts".into(), members: None }
    }
}

/// A channel, by its id or by its name.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RoomReference", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct RoomIn {
    /// Id of the channel.
    pub room_id: Option<String>,
    /// Name of the channel. It, or the id, is required.
    pub room_name: Option<String>,
}

impl RoomIn {
    /// Returns the channel that is meant.
    ///
    /// # Errors
    /// [`Protocol::Parameter`] where none is.
    pub fn key(&self, private: bool) -> Result<RoomKey<'_>, Fault> {
        rooms::key(private, (self.room_id.as_deref(), self.room_name.as_deref()))
    }
}

impl Example for RoomIn {
    fn example() -> Self {
        Self { room_id: Some(ROOM.into()), room_name: None }
    }
}

/// A channel and its new name.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RoomRenaming", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct RenamingIn {
    /// Id of the channel.
    pub room_id: Option<String>,
    /// Name of the channel. It, or the id, is required.
    pub room_name: Option<String>,
    /// The new name.
    pub name: String,
}

impl RenamingIn {
    /// Returns the channel that is meant.
    ///
    /// # Errors
    /// [`Protocol::Parameter`] where none is.
    pub fn key(&self, private: bool) -> Result<RoomKey<'_>, Fault> {
        rooms::key(private, (self.room_id.as_deref(), self.room_name.as_deref()))
    }
}

impl Example for RenamingIn {
    fn example() -> Self {
        Self { room_id: Some(ROOM.into()), room_name: None, name: "incidents".into() }
    }
}

/// A channel and a user.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RoomUser", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct RoomUserIn {
    /// Id of the channel.
    pub room_id: Option<String>,
    /// Name of the channel. It, or the id, is required.
    pub room_name: Option<String>,
    /// Id of the user.
    pub user_id: Option<String>,
    /// Name of the user. It, or the id, is required.
    pub username: Option<String>,
}

impl RoomUserIn {
    /// Returns the channel and the user that are meant.
    ///
    /// # Errors
    /// [`Protocol::Parameter`] where either is missing.
    pub fn keys(&self, private: bool) -> Result<(RoomKey<'_>, PersonKey<'_>), Fault> {
        let room = rooms::key(private, (self.room_id.as_deref(), self.room_name.as_deref()))?;
        let person = PersonKey { id: self.user_id.as_deref(), username: self.username.as_deref() };
        if person.id.or(person.username).is_none() {
            return Err(Protocol::Parameter { name: "userId".to_owned(), reason: "is required".to_owned() }.into());
        }
        Ok((room, person))
    }
}

impl Example for RoomUserIn {
    fn example() -> Self {
        let user_id = Some("019aa5c2-7b10-7000-8000-000000000003".into());
        Self { room_id: Some(ROOM.into()), room_name: None, user_id, username: None }
    }
}

/// A page of the members of a channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RoomMemberList", example)]
pub struct RoomMemberListOut {
    /// The members.
    pub members: Vec<PersonOut>,
    /// Number of skipped items.
    pub offset: u64,
    /// Number of items on this page.
    pub count: u64,
    /// Number of all items.
    pub total: u64,
    /// Always true.
    pub success: bool,
}

impl RoomMemberListOut {
    /// Makes the answer, for a number of skipped members.
    pub fn new(RoomMembers { members, total }: RoomMembers, offset: u64) -> Self {
        let count = members.len() as u64;
        let person = |Member { user_id, username, .. }| PersonOut { id: user_id.to_string(), username };
        Self { members: members.into_iter().map(person).collect(), offset, count, total, success: true }
    }
}

impl Example for RoomMemberListOut {
    fn example() -> Self {
        let ada = PersonOut { id: "019aa5c2-7b10-7000-8000-000000000003".into(), username: "ada".into() };
        Self { members: vec![ada], offset: 0, count: 1, total: 1, success: true }
    }
}
