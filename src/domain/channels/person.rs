//! Posters of messages: members, and the bot that every organisation has.
//!
//! Not here: members themselves (`tenancy`).

use serde::{Deserialize, Serialize};

use crate::domain::ids::UserId;

/// A member, or the bot of every organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The member; `None` is the bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The username at the time of recording.
    pub username: String,
}

/// The name, and the id, of the bot of every organisation. It may post in public channels.
pub const BOT: &str = "rocket.cat";

impl Person {
    /// Returns the bot.
    pub fn bot() -> Self {
        Self { user_id: None, username: BOT.to_owned() }
    }

    /// Returns the identifier as text: the member's id, or the bot's name.
    pub fn id(&self) -> String {
        self.user_id.map_or_else(|| BOT.to_owned(), |id| id.to_string())
    }
}
