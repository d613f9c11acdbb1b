//! GitHub's nouns: accounts, installations of our app, repositories.
//!
//! Not here: the subscriptions to its events (`domain::github::subscription`), and its API.
//!
//! - [`payload`]: the typed part of a webhook's payload.
//! - [`catalogue`]: the event types.
//! - [`command`]: the commands typed in Slack.
//! - [`message`](mod@message): events as Slack messages.

pub mod catalogue;
pub mod command;
pub mod link;
pub mod message;
pub mod payload;
pub mod reason;
#[cfg(test)]
pub(crate) mod samples;
pub mod subscription;

use std::str::FromStr;

pub use message::message;
pub use payload::GithubEvent;

use super::{Error, Result, ambient::Time, pipeline::event::EventSource};

/// Name of the provider of these connections.
pub const PROVIDER: &str = "github";
/// Source of events from GitHub.
pub const SOURCE: EventSource = EventSource::new("github");

/// An account that owns repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubAccount {
    /// GitHub's numeric id: it stays when the account is renamed.
    pub id: i64,
    /// Current login.
    pub login: String,
    /// A person or an organisation.
    pub kind: AccountKind,
    /// URL of its page.
    pub html_url: String,
}

/// Kind of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// An organisation.
    Organization,
    /// A person.
    User,
}

impl AccountKind {
    /// Returns GitHub's name of the kind, also used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            AccountKind::Organization => "Organization",
            AccountKind::User => "User",
        }
    }
}

impl FromStr for AccountKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "Organization" => Ok(AccountKind::Organization),
            "User" => Ok(AccountKind::User),
            _ => Err(Error::invalid("/type", "must be Organization or User")),
        }
    }
}

/// An installation of our app, as GitHub describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubInstallation {
    /// GitHub's numeric id. It is small and can be guessed: knowing it proves nothing.
    pub id: i64,
    /// Id of the app.
    pub app_id: i64,
    /// The account in which it is installed.
    pub account: GithubAccount,
    /// The subscribed events.
    pub events: Vec<String>,
    /// True if it has access to every repository of the account.
    pub all_repositories: bool,
    /// Time of the suspension; `None` while it is active.
    pub suspended_at: Option<Time>,
    /// Time of GitHub's last change: older reports than the stored one are ignored.
    pub updated_at: Time,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GithubRepository {
    /// GitHub's numeric id.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// True if it has restricted visibility.
    pub private: bool,
}

impl GithubRepository {
    /// Returns the name without its owner.
    pub fn name(&self) -> &str {
        self.full_name.rsplit('/').next().unwrap_or_default()
    }
}

/// A person signed in at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubUser {
    /// GitHub's numeric id.
    pub id: i64,
    /// Current login.
    pub login: String,
}

/// Prefix of our event types for GitHub's events, before GitHub's own name.
pub const EVENT_PREFIX: &str = "github.";
