//! The one error of the core. It knows nothing of HTTP: each dialect maps it, exhaustively, in its own `error.rs`.
//!
//! A variant is added only when some program acts on it. What HTTP itself can do wrong (a malformed body, an unknown
//! path) is `api::shared::fault::Protocol`, not here.

use std::{borrow::Cow, fmt, time::Duration};

use crate::domain::{registry::definition::Issue, webhooks::WebhookRefusal};

/// A result of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The things that can be missing or in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    /// An organisation.
    Organisation,
    /// A member of an organisation.
    Member,
    /// A membership that is offered to a subject.
    Invitation,
    /// A personal access token.
    Token,
    /// A channel.
    Channel,
    /// A connected Slack workspace.
    SlackLink,
    /// What GitHub says of an installation of our app.
    GithubInstallation,
    /// A Slack channel's wish to hear of GitHub events.
    Subscription,
    /// A workflow that can be run from Slack.
    Workflow,
    /// An integration that an organisation has installed.
    Integration,
    /// A label and a value of an integration.
    Setting,
    /// An event.
    Event,
    /// A delivery.
    Delivery,
    /// A destination.
    Destination,
    /// A key of an integration in the registry.
    ApiKey,
    /// An interface that integrations in the registry implement.
    Interface,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Noun::Organisation => "organisation",
            Noun::Member => "member",
            Noun::Invitation => "invitation",
            Noun::Token => "token",
            Noun::Channel => "channel",
            Noun::SlackLink => "Slack integration",
            Noun::GithubInstallation => "GitHub installation",
            Noun::Subscription => "subscription",
            Noun::Workflow => "workflow",
            Noun::Integration => "integration",
            Noun::Setting => "setting",
            Noun::Event => "event",
            Noun::Delivery => "delivery",
            Noun::Destination => "destination",
            Noun::ApiKey => "key",
            Noun::Interface => "interface",
        })
    }
}

/// One broken rule of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Why a caller is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// No credential was sent.
    Missing,
    /// It is not a token of ours, or its signature is wrong.
    Invalid,
    /// It was valid once.
    Expired,
    /// It was revoked.
    Revoked,
    /// It is a good credential of somebody who is not a member of the organisation asked for.
    NotAMember,
    /// The request should name an organisation, and names none.
    NoWorkspace,
    /// The request should be signed by a far end, and is not, or not well.
    NotSigned,
    /// The address asks for a key, and there is none, or not the right one. That nothing lives there is told alike.
    NotKeyed,
}

/// Why an OAuth state is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFailure {
    /// Never issued here, used already, or issued to somebody else: told alike on purpose.
    Unknown,
    /// Issued too long ago.
    Expired,
}

/// The far ends we call for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// Slack's Web API.
    Slack,
    /// GitHub's API.
    Github,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Upstream::Slack => "Slack",
            Upstream::Github => "GitHub",
        })
    }
}

/// Faults of the database, as a caller needs to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFault {
    /// It cannot be reached, or is starting or stopping.
    Unreachable,
    /// Its disk is full.
    Full,
    /// Its disk, or its memory, refuses to work, or it is a copy that cannot be written.
    Unwritable,
    /// Its files are damaged.
    Damaged,
    /// Transactions stood in each other's way, and this one was chosen to give in. Repeated as a whole it may go through.
    Contended,
    /// It did not finish a statement in time.
    Slow,
}

impl fmt::Display for StorageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StorageFault::Unreachable => "the database does not answer; nothing was kept; try again later",
            StorageFault::Full => "the database's disk is full; nothing was kept; the operator has to make room",
            StorageFault::Unwritable => {
                "the database cannot be written; nothing was kept; the operator has to see to its disk"
            }
            StorageFault::Damaged => "the database is damaged; the operator has to restore it from a backup",
            StorageFault::Contended => "the change collided with others in the database; nothing was kept; try again",
            StorageFault::Slow => "the database did not finish in time; nothing was kept; try again later",
        })
    }
}

/// What the core refuses or cannot do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The caller is not known.
    #[error("{}", auth_failure(.0))]
    Unauthenticated(AuthFailure),
    /// The caller is known and may not.
    #[error("this needs the permission {permission}, which the caller does not hold")]
    Forbidden {
        /// The wire name of the permission.
        permission: String,
    },
    /// The caller has not proved to have authority over something at a far end.
    #[error("{message}")]
    NotProven {
        /// Where.
        upstream: Upstream,
        /// What is to be proved, and how.
        message: String,
    },
    /// It does not exist, or it is another organisation's: told alike on purpose.
    #[error("there is no {noun} {id} here")]
    NotFound {
        /// What was looked for.
        noun: Noun,
        /// By which name.
        id: String,
    },
    /// Nothing is there to act on: the organisation has no such link yet.
    #[error("no {noun} is connected; connect it first")]
    NotConnected {
        /// What is not connected.
        noun: Noun,
    },
    /// Another one is in the way.
    #[error("{message}")]
    Conflict {
        /// What stands in the way.
        noun: Noun,
        /// What collided and what to do.
        message: String,
    },
    /// The input breaks rules; all that were found are listed.
    #[error("{}", violations_text(.0))]
    Invalid(Vec<Violation>),
    /// A definition cannot be taken as it is; everything that is wrong with it is listed.
    #[error("{}", issues_text(.0))]
    Issues(Vec<Issue>),
    /// It is still in use.
    #[error("{message}")]
    InUse {
        /// What is in use.
        noun: Noun,
        /// By what, and what to do.
        message: String,
    },
    /// The input is fine, but something must be done first.
    #[error("{message}")]
    FailedPrecondition {
        /// What is missing and how to bring it about.
        message: String,
    },
    /// A webhook integration cannot be set up, found or used.
    #[error("{0}")]
    Webhook(WebhookRefusal),
    /// An OAuth state that was not issued, is used up, is another's, or is too old.
    #[error("{}", state_failure(.0))]
    OAuthState(StateFailure),
    /// The same idempotency key came with another payload.
    #[error("the Idempotency-Key {key:?} was used with another payload; use a new key for a new event")]
    IdempotencyMismatch {
        /// The key.
        key: String,
    },
    /// The first request with this idempotency key is still being worked on.
    #[error("a request with the Idempotency-Key {key:?} is still being processed; try again in a moment")]
    IdempotencyInFlight {
        /// The key.
        key: String,
    },
    /// The far end was reached and said no.
    #[error("{upstream} refused: {code}")]
    Refused {
        /// Who refused.
        upstream: Upstream,
        /// Its own error code.
        code: String,
    },
    /// The far end is slow, down, or talks nonsense.
    #[error("{upstream} could not be reached or did not answer properly: {reason}; try again later")]
    UpstreamUnavailable {
        /// Who did not answer.
        upstream: Upstream,
        /// A short class of the failure, safe to show.
        reason: String,
        /// When it asked us to come back.
        retry_after: Option<Duration>,
    },
    /// More comes in than is taken.
    #[error("too many requests; try again in {} s", .retry_after.as_secs().max(1))]
    RateLimited {
        /// When to come back.
        retry_after: Duration,
    },
    /// We are too busy, or on the way down.
    #[error("{what} is not available right now; try again later")]
    Unavailable {
        /// Which part of us.
        what: &'static str,
    },
    /// The database could not do it.
    #[error("{0}")]
    Storage(StorageFault),
    /// Something that should not happen. The text is for the log; a caller sees only the id.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<WebhookRefusal> for Error {
    fn from(refusal: WebhookRefusal) -> Self {
        Error::Webhook(refusal)
    }
}

impl Error {
    /// Returns whether the credential itself was wrong, rather than a good one that may not do this.
    pub fn is_wrong_credential(&self) -> bool {
        match self {
            Error::Unauthenticated(why) => match why {
                AuthFailure::Invalid | AuthFailure::Expired | AuthFailure::Revoked | AuthFailure::NotKeyed => true,
                AuthFailure::Missing | AuthFailure::NotAMember | AuthFailure::NoWorkspace | AuthFailure::NotSigned => {
                    false
                }
            },
            Error::Webhook(WebhookRefusal::Hook(crate::domain::webhooks::incoming_refusal::HookRefusal::Unknown)) => {
                true
            }
            _ => false,
        }
    }

    /// One broken rule.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Invalid(vec![Violation { field: field.into(), message: message.into() }])
    }

    /// Nothing with that id that this caller may see.
    pub fn not_found(noun: Noun, id: impl fmt::Display) -> Self {
        Error::NotFound { noun, id: clip(&id.to_string()).into_owned() }
    }
}

/// Longest text of a request that is repeated in a message, in characters.
const ECHOED: usize = 200;

/// Cuts a text of a request for a message that repeats it.
pub fn clip(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(ECHOED) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn auth_failure(why: &AuthFailure) -> &'static str {
    match why {
        AuthFailure::Missing => "no credential was sent; send Authorization: Bearer <token>",
        AuthFailure::Invalid => "the token is not valid here",
        AuthFailure::Expired => "the token has expired; get a new one",
        AuthFailure::Revoked => "the token was revoked; create a new one",
        AuthFailure::NotAMember => "the token's user is not a member of that organisation",
        AuthFailure::NoWorkspace => "no workspace was named; send x-workspace-id: <id or handle>",
        AuthFailure::NotSigned => "the request's signature is missing or wrong",
        AuthFailure::NotKeyed => "the address's key is missing or wrong",
    }
}

fn state_failure(why: &StateFailure) -> &'static str {
    match why {
        StateFailure::Unknown => {
            "the OAuth state is not one that was issued to you, or it was used already; start again from the OAuth URL"
        }
        StateFailure::Expired => "the OAuth state is too old; start again from the OAuth URL",
    }
}

fn issues_text(issues: &[Issue]) -> String {
    issues.iter().map(|issue| issue.message.as_str()).collect::<Vec<_>>().join("; ")
}

fn violations_text(violations: &[Violation]) -> String {
    violations.iter().map(|v| format!("{}: {}", v.field, v.message)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_is_not_repeated_whole() {
        assert_eq!(clip("short"), "short");
        let text = Error::not_found(Noun::Channel, "ü".repeat(60_000)).to_string();
        assert_eq!(text, format!("there is no channel {}… here", "ü".repeat(200)));
    }

    #[test]
    fn a_message_lists_every_broken_rule() {
        let error = Error::Invalid(vec![
            Violation { field: "/slug".into(), message: "is empty".into() },
            Violation { field: "/name".into(), message: "is too long".into() },
        ]);
        assert_eq!(error.to_string(), "/slug: is empty; /name: is too long");
    }
}
