//! Channels.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use crate::{
    api::shared::time::Timestamp,
    app::channels::ChannelChange,
    domain::{channels::Channel, ids::UserId},
};

/// A channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Channel", rename_all = "camelCase")]
pub struct ChannelOut {
    /// Its id.
    pub id: Uuid,
    /// Its name, without `#`.
    pub name: String,
    /// Whether only its members, and those who manage channels, see it.
    pub private: bool,
    /// The user who created it.
    pub created_by: Uuid,
    /// When it was created.
    pub created_at: Timestamp,
    /// Since when nothing new is posted in it, where it is archived.
    #[oai(skip_serializing_if_is_none)]
    pub archived_at: Option<Timestamp>,
}

impl From<Channel> for ChannelOut {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id.0,
            name: channel.name,
            private: channel.private,
            created_by: channel.created_by.0,
            created_at: channel.created_at.into(),
            archived_at: channel.archived_at.map(Into::into),
        }
    }
}

/// A channel to be created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewChannel", example)]
pub struct ChannelIn {
    /// Its name: 1 to 80 lower-case letters, digits, dots, underscores and hyphens.
    pub name: String,
    /// Whether only its members see it; public where it is left out.
    pub private: Option<bool>,
}

impl Example for ChannelIn {
    fn example() -> Self {
        Self { name: "alerts".into(), private: Some(false) }
    }
}

/// What to change in a channel; what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelPatch", example)]
pub struct ChannelPatch {
    /// Another name.
    pub name: Option<String>,
    /// Whether only its members see it.
    pub private: Option<bool>,
    /// Whether it is archived: nothing new is posted in it, and what was said stays.
    pub archived: Option<bool>,
}

impl From<ChannelPatch> for ChannelChange {
    fn from(patch: ChannelPatch) -> Self {
        Self { name: patch.name, private: patch.private, archived: patch.archived }
    }
}

impl Example for ChannelPatch {
    fn example() -> Self {
        Self { name: Some("incidents".into()), private: None, archived: None }
    }
}

/// A user in a channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelMember", rename_all = "camelCase")]
pub struct UserOut {
    /// The user.
    pub user_id: Uuid,
}

impl From<UserId> for UserOut {
    fn from(id: UserId) -> Self {
        Self { user_id: id.0 }
    }
}
