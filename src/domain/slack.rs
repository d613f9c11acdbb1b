//! What Tieline says in Slack, and what Slack's refusals mean. Pure: the client is `provider::slack`.
//!
//! - [`text`]: other people's text made safe for Slack's markup, and cut without breaking it.
//! - [`message`]: events as Block Kit messages.
//! - [`verdict`](mod@verdict): Slack's error codes, what each asks of us, and what each asks of an administrator.

pub mod message;
pub mod text;
pub mod verdict;

pub use message::{SlackMessage, event_message, step_completed, test_message};
pub use verdict::{Verdict, advice, verdict};

/// A conversation that a bot can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackChannel {
    /// Slack's id, such as `C01ABC123`.
    pub id: String,
    /// Its name, without `#`.
    pub name: String,
    /// Whether the bot is a member, and so can post there.
    pub is_member: bool,
    /// Whether it is private. A bot sees a private channel only once it was invited.
    pub is_private: bool,
}
