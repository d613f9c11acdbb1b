//! What Tieline says in Slack, and what Slack's refusals mean. Pure: the client is `provider::slack`.
//!
//! - [`text`]: other people's text made safe for Slack's markup, and cut without breaking it.
//! - [`blocks`]: the few Block Kit blocks that everything is made of.
//! - [`message`]: events as Block Kit messages.
//! - [`modal`]: the modals of the slash command, and what comes back from them.
//! - [`greeting`](mod@greeting): what members are told in direct messages.
//! - [`user`]: somebody in Slack, and whether their address is one to believe.
//! - [`verdict`](mod@verdict): Slack's error codes, what each asks of us, and what each asks of an administrator.

#[cfg(test)]
pub(crate) mod block_kit;
pub mod blocks;
pub mod greeting;
pub mod link;
pub mod message;
pub mod modal;
pub mod text;
pub mod user;
pub mod verdict;

pub use greeting::{greeting, run_refused, run_requested};
pub use message::{SlackMessage, event_message, step_completed, test_message};
pub use user::SlackUser;
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

/// A workspace that a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackTeam {
    /// Slack's id, such as `T01ABC123`.
    pub id: String,
    /// Its name.
    pub name: String,
}
