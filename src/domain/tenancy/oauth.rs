//! The state of an OAuth flow: single use, short-lived, bound to the member and the organisation that began it.
//!
//! Not here: the exchange of the code.

use std::time::Duration;

use url::Url;

use crate::domain::{
    ambient::Time,
    ids::{MemberId, OrganisationId},
};

/// Time that a member has to press Allow. Slack's own codes live as long.
pub const STATE_LIFETIME: Duration = Duration::from_secs(600);

/// A kind of flow: its provider and its callback. A state of one flow is not valid for another (RFC 9700, 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Slack, back to the native callback or to a page of the product.
    Slack,
    /// Slack, back to the callback that leads into the Slack app.
    SlackApp,
    /// Slack, as a connection of the native API, back to the native callback.
    SlackConnection,
    /// GitHub.
    Github,
    /// The confirmation page before [`Flow::Slack`] connects.
    SlackConfirm,
    /// The confirmation page before [`Flow::SlackApp`] connects.
    SlackAppConfirm,
    /// The confirmation page before [`Flow::SlackConnection`] connects.
    SlackConnectionConfirm,
    /// The confirmation page before [`Flow::Github`] links.
    GithubConfirm,
}

impl Flow {
    /// The confirmation pages.
    pub const CONFIRMATIONS: [Flow; 4] =
        [Flow::SlackConfirm, Flow::SlackAppConfirm, Flow::SlackConnectionConfirm, Flow::GithubConfirm];

    /// Returns the flow that a confirmation page completes.
    pub fn confirms(self) -> Option<Flow> {
        match self {
            Flow::SlackConfirm => Some(Flow::Slack),
            Flow::SlackAppConfirm => Some(Flow::SlackApp),
            Flow::SlackConnectionConfirm => Some(Flow::SlackConnection),
            Flow::GithubConfirm => Some(Flow::Github),
            Flow::Slack | Flow::SlackApp | Flow::SlackConnection | Flow::Github => None,
        }
    }

    /// Returns the name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Flow::Slack => "slack",
            Flow::SlackApp => "slack-app",
            Flow::SlackConnection => "slack-connection",
            Flow::Github => "github",
            Flow::SlackConfirm => "slack-confirm",
            Flow::SlackAppConfirm => "slack-app-confirm",
            Flow::SlackConnectionConfirm => "slack-connection-confirm",
            Flow::GithubConfirm => "github-confirm",
        }
    }
}

/// The initiator of a flow. The state itself is 32 random bytes; only their SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthState {
    /// The initiating organisation.
    pub organisation_id: OrganisationId,
    /// The initiating member.
    pub member_id: MemberId,
    /// Time of expiry.
    pub expires_at: Time,
    /// Page to which the browser is sent at the end of the flow, if it is not one of ours.
    pub return_url: Option<Url>,
}

/// Returns the error code with which a provider redirects the browser in place of a code (RFC 6749, 4.1.2.1), if it is
/// well-formed: any site can construct such a redirect, and our pages show no sentence of theirs.
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
