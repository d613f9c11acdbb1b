//! GitHub as we know it: accounts, installations of our app, repositories. Who wants to hear of its events is
//! `domain::routes::subscription`.
//!
//! - [`payload`]: what of a webhook's payload matters.
//! - [`message`](mod@message): events as Slack messages.

pub mod link;
pub mod message;
pub mod payload;
#[cfg(test)]
pub(crate) mod samples;

use std::str::FromStr;

pub use message::message;
pub use payload::GithubEvent;

use super::{Error, Result, ambient::Time};

/// An account that owns repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubAccount {
    /// GitHub's number: it stays when the account is renamed.
    pub id: i64,
    /// Its present name.
    pub login: String,
    /// A person or an organisation.
    pub kind: AccountKind,
    /// Its page.
    pub html_url: String,
}

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// An organisation.
    Organization,
    /// A person.
    User,
}

impl AccountKind {
    /// GitHub's word, also in the database.
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
    /// GitHub's number. It is small and can be guessed: knowing it proves nothing.
    pub id: i64,
    /// The app.
    pub app_id: i64,
    /// Where it is installed.
    pub account: GithubAccount,
    /// The events that it subscribes to.
    pub events: Vec<String>,
    /// Whether it sees every repository of the account.
    pub all_repositories: bool,
    /// Since when it is suspended.
    pub suspended_at: Option<Time>,
    /// When GitHub last changed it: what is older than what we know is ignored.
    pub updated_at: Time,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GithubRepository {
    /// GitHub's number.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// Whether only some may see it.
    pub private: bool,
}

impl GithubRepository {
    /// The name without its owner.
    pub fn name(&self) -> &str {
        self.full_name.rsplit('/').next().unwrap_or_default()
    }
}

/// A person who signed in at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubUser {
    /// GitHub's number.
    pub id: i64,
    /// The present name.
    pub login: String,
}

/// The longest name of an event that is ours: `github.` and GitHub's own name.
pub const EVENT_PREFIX: &str = "github.";
