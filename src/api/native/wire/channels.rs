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
    /// Unique id.
    pub id: Uuid,
    /// Its name, without `#`.
    pub name: String,
    /// True if only its members, and managers of channels, can see it.
    pub private: bool,
    /// User id of its creator.
    pub created_by: Uuid,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time at which it was archived; absent while it is active. An archived channel accepts no new messages.
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
    /// True for a channel that only its members can see; public by default.
    pub private: Option<bool>,
}

impl Example for ChannelIn {
    fn example() -> Self {
        Self { name: "alerts".into(), private: Some(false) }
    }
}

/// Changes to a channel; absent fields stay unchanged.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelPatch", example)]
pub struct ChannelPatch {
    /// New name.
    pub name: Option<String>,
    /// True for a channel that only its members can see.
    pub private: Option<bool>,
    /// True to archive it: it accepts no new messages, and keeps its existing ones.
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

/// A member of a channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelMember", rename_all = "camelCase")]
pub struct UserOut {
    /// The user's id.
    pub user_id: Uuid,
}

impl From<UserId> for UserOut {
    fn from(id: UserId) -> Self {
        Self { user_id: id.0 }
    }
}
