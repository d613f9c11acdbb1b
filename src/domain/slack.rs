//! Slack: messages, modals, and the classification of its errors. Pure: the client is `provider::slack`.
//!
//! - [`text`]: user text escaped for Slack's markup, and cut without breaking it.
//! - [`blocks`]: the Block Kit blocks in use.
//! - [`message`]: events as Block Kit messages.
//! - [`modal`]: the modals of the slash command, and their submissions.
//! - [`greeting`](mod@greeting): direct messages to members.
//! - [`user`]: a Slack user, and the trust in their e-mail address.
//! - [`outcome`](mod@outcome): Slack's error codes, each with its outcome classification and advice for an
//!   administrator.

#[cfg(test)]
pub(crate) mod block_kit;
pub mod blocks;
pub mod content;
pub mod destination;
pub mod greeting;
pub mod link;
pub mod message;
pub mod modal;
pub mod outcome;
pub mod reason;
pub mod text;
pub mod user;

/// Name of the provider of these connections.
pub const PROVIDER: &str = "slack";

pub use content::{SlackContent, Thread};
pub use greeting::{greeting, run_refused, run_requested};
pub use message::{SlackMessage, channel_message, event_message, step_completed, test_message};
pub use outcome::{Outcome, advice, classify};
pub use user::SlackUser;

use super::pipeline::event::EventSource;

/// Source of events from Slack: a command, an interaction, an event.
pub const SOURCE: EventSource = EventSource::new("slack");

/// A conversation visible to a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackChannel {
    /// Slack's id, such as `C01ABC123`.
    pub id: String,
    /// Its name, without `#`.
    pub name: String,
    /// True if the bot is a member, and so can post there.
    pub is_member: bool,
    /// True if it is private. A bot sees a private channel only once it was invited.
    pub is_private: bool,
}

/// The workspace of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackTeam {
    /// Slack's id, such as `T01ABC123`.
    pub id: String,
    /// Its name.
    pub name: String,
}
