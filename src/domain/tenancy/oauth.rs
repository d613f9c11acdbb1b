//! The state of an OAuth flow: single use, short-lived, bound to the member and the organisation that began it.

use std::time::Duration;

use crate::domain::{
    ambient::Time,
    ids::{MemberId, OrganisationId},
};

/// How long a member has to press Allow. Slack's own codes live as long.
pub const STATE_LIFETIME: Duration = Duration::from_secs(600);

/// What a flow connects, and by which way it comes back: a state of one flow is none of another's (RFC 9700, 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Slack, back to the native callback or to a page of the product.
    Slack,
    /// Slack, back to the callback that leads into the Slack app.
    SlackApp,
    /// GitHub.
    Github,
    /// The page that asks before [`Flow::Slack`] connects.
    SlackConfirm,
    /// The page that asks before [`Flow::SlackApp`] connects.
    SlackAppConfirm,
    /// The page that asks before [`Flow::Github`] links.
    GithubConfirm,
}

impl Flow {
    /// Pages that ask.
    pub const CONFIRMATIONS: [Flow; 3] = [Flow::SlackConfirm, Flow::SlackAppConfirm, Flow::GithubConfirm];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Flow::Slack => "slack",
            Flow::SlackApp => "slack-app",
            Flow::Github => "github",
            Flow::SlackConfirm => "slack-confirm",
            Flow::SlackAppConfirm => "slack-app-confirm",
            Flow::GithubConfirm => "github-confirm",
        }
    }
}

/// Who began a flow. The state itself is 32 random bytes; only their SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthState {
    /// Where it began.
    pub organisation_id: OrganisationId,
    /// Who began it.
    pub member_id: MemberId,
    /// After this it is refused.
    pub expires_at: Time,
}

/// The word that a far end's page sends the browser back with in place of a code (RFC 6749, 4.1.2.1), if it is one: anybody
/// can write an address, and a page of ours shows no sentence of theirs.
pub fn refusal(word: &str) -> &str {
    let is_word = (1..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_word { word } else { "no reason that we know" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_word() {
        assert_eq!(refusal("access_denied"), "access_denied");
        for other in ["", "Call us", "<b>", "a\u{e4}", "a1", &"a".repeat(65)] {
            assert_eq!(refusal(other), "no reason that we know", "{other}");
        }
    }
}
