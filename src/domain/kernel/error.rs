//! The single error type of the core. It knows nothing of HTTP: each dialect maps it, exhaustively, in its own
//! `error.rs`.
//!
//! A variant is added only when some program acts on it. Not here: faults of HTTP itself, such as a malformed body or
//! an unknown path (`api::shared::fault::Protocol`).

use std::{borrow::Cow, fmt, time::Duration};

use crate::domain::{registry::definition::Issue, tenancy::session::SessionRefusal, webhooks::WebhookRefusal};

/// A result of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Kinds of resources that can be missing or in conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    /// An organisation.
    Organisation,
    /// A member of an organisation.
    Member,
    /// A membership offered to a subject.
    Invitation,
    /// A personal access token.
    Token,
    /// A channel.
    Channel,
    /// A connection to a provider.
    Connection,
    /// A connected Slack workspace.
    SlackLink,
    /// The record of an installation of our GitHub App.
    GithubInstallation,
    /// A route.
    Route,
    /// A workflow that can be run from Slack.
    Workflow,
    /// An app installed by an organisation.
    Integration,
    /// A setting of an app.
    Setting,
    /// An event.
    Event,
    /// A delivery.
    Delivery,
    /// A destination.
    Destination,
    /// A secret of an app or a webhook: the one that signs calls, or the token.
    Secret,
    /// An API key of a registry version.
    ApiKey,
    /// An interface implemented by registry versions.
    Interface,
    /// An action of an app.
    Action,
    /// An installation of a registry version.
    Installation,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Noun::Organisation => "organisation",
            Noun::Member => "member",
            Noun::Invitation => "invitation",
            Noun::Token => "token",
            Noun::Channel => "channel",
            Noun::Connection => "connection",
            Noun::SlackLink => "Slack integration",
            Noun::GithubInstallation => "GitHub installation",
            Noun::Route => "route",
            Noun::Workflow => "workflow",
            Noun::Integration => "integration",
            Noun::Setting => "setting",
            Noun::Event => "event",
            Noun::Delivery => "delivery",
            Noun::Destination => "destination",
            Noun::Secret => "secret of",
            Noun::ApiKey => "key",
            Noun::Interface => "interface",
            Noun::Action => "action",
            Noun::Installation => "installation",
        })
    }
}

/// A violated rule of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the body, or the name of the parameter.
    pub field: String,
    /// Description of the problem and of its solution.
    pub message: String,
}

impl Violation {
    /// Returns the violation of a part, which is at `place` in the whole.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        Self { field: format!("{place}{}", self.field), ..self }
    }
}

/// Reason for failed authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// No credential was sent.
    Missing,
    /// The token was not issued here, or its signature is wrong.
    Invalid,
    /// The token has expired.
    Expired,
    /// The token was revoked.
    Revoked,
    /// The credential is valid, and its user is not a member of the requested organisation.
    NotAMember,
    /// The request should name an organisation, and names none.
    NoWorkspace,
    /// The request should be signed by a provider, and its signature is missing or wrong.
    NotSigned,
    /// The URL's key is missing or wrong. An unused URL is reported the same way.
    NotKeyed,
    /// The session of the cookie has ended, or never was.
    SessionEnded,
}

/// Reason for refusing an OAuth state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFailure {
    /// Never issued here, used already, or issued to another member: reported alike on purpose.
    Unknown,
    /// Issued too long ago.
    Expired,
}

/// The upstreams that we call on behalf of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// Slack's Web API.
    Slack,
    /// GitHub's API.
    Github,
    /// The server of an installed app.
    App,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Upstream::Slack => "Slack",
            Upstream::Github => "GitHub",
            Upstream::App => "the app",
        })
    }
}

/// Faults of the database, as far as a caller needs to distinguish them.
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
    /// Transactions were in conflict, and this one was aborted. Repeated as a whole it may succeed.
    Contended,
    /// A statement exceeded its time limit.
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

/// Refusals and failures of the core.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The caller is not authenticated.
    #[error("{}", auth_failure(.0))]
    Unauthenticated(AuthFailure),
    /// The caller is authenticated and lacks a permission.
    #[error("this needs the permission {permission}, which the caller does not hold")]
    Forbidden {
        /// The wire name of the permission.
        permission: String,
    },
    /// The caller has not proved authority over a resource at an upstream.
    #[error("{message}")]
    NotProven {
        /// The upstream.
        upstream: Upstream,
        /// The missing proof, and how to give it.
        message: String,
    },
    /// It does not exist, or it is another organisation's: reported alike on purpose.
    #[error("there is no {noun} {id} here")]
    NotFound {
        /// Kind of the resource.
        noun: Noun,
        /// The requested id or name.
        id: String,
    },
    /// The organisation has no such connection yet.
    #[error("no {noun} is connected; connect it first")]
    NotConnected {
        /// Kind of the missing connection.
        noun: Noun,
    },
    /// Another resource is in conflict.
    #[error("{message}")]
    Conflict {
        /// Kind of the conflicting resource.
        noun: Noun,
        /// Description of the conflict and of its solution.
        message: String,
    },
    /// The input is invalid; all violations that were found are listed.
    #[error("{}", violations_text(.0))]
    Invalid(Vec<Violation>),
    /// A definition is invalid; all of its issues are listed.
    #[error("{}", issues_text(.0))]
    Issues(Vec<Issue>),
    /// The resource is still in use.
    #[error("{message}")]
    InUse {
        /// Kind of the used resource.
        noun: Noun,
        /// Its users, and the solution.
        message: String,
    },
    /// The input is valid, but a precondition is not met.
    #[error("{message}")]
    FailedPrecondition {
        /// The precondition and how to meet it.
        message: String,
    },
    /// A webhook cannot be set up, found or used.
    #[error("{0}")]
    Webhook(WebhookRefusal),
    /// A request of a valid session that has to be refused.
    #[error("{0}")]
    Session(SessionRefusal),
    /// An OAuth state that was not issued, is used up, was issued to another member, or has expired.
    #[error("{}", state_failure(.0))]
    OAuthState(StateFailure),
    /// The idempotency key was used with another payload.
    #[error("the Idempotency-Key {key:?} was used with another payload; use a new key for a new event")]
    IdempotencyMismatch {
        /// The key.
        key: String,
    },
    /// The first request with this idempotency key is still in flight.
    #[error("a request with the Idempotency-Key {key:?} is still being processed; try again in a moment")]
    IdempotencyInFlight {
        /// The key.
        key: String,
    },
    /// The upstream answered and refused.
    #[error("{upstream} refused: {code}")]
    Refused {
        /// The upstream.
        upstream: Upstream,
        /// Its own error code.
        code: String,
    },
    /// The upstream is slow, down, or gives malformed answers.
    #[error("{upstream} could not be reached or did not answer properly: {reason}; try again later")]
    UpstreamUnavailable {
        /// The upstream.
        upstream: Upstream,
        /// A short class of the failure, safe to show.
        reason: String,
        /// Time after which it asked to be called again.
        retry_after: Option<Duration>,
    },
    /// The rate limit is exceeded.
    #[error("too many requests; try again in {} s", .retry_after.as_secs().max(1))]
    RateLimited {
        /// Time after which to try again.
        retry_after: Duration,
    },
    /// The service is overloaded or shutting down.
    #[error("{what} is not available right now; try again later")]
    Unavailable {
        /// The unavailable component.
        what: &'static str,
    },
    /// The database failed.
    #[error("{0}")]
    Storage(StorageFault),
    /// An unexpected failure. The text is for the log; a caller sees only the id.
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
                // Nobody guesses 256 bits, and a page that is left open goes on asking.
                AuthFailure::SessionEnded => false,
            },
            Error::Webhook(WebhookRefusal::Hook(crate::domain::webhooks::incoming_refusal::HookRefusal::Unknown)) => {
                true
            }
            _ => false,
        }
    }

    /// Returns the error of a part, which is at `place` in the whole.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        match self {
            Error::Invalid(broken) => Error::Invalid(broken.into_iter().map(|one| one.within(place)).collect()),
            other => other,
        }
    }

    /// Returns an error with one violation.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Invalid(vec![Violation { field: field.into(), message: message.into() }])
    }

    /// Returns the error for an id that does not exist or that this caller may not see.
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
        AuthFailure::SessionEnded => "the session has ended; sign in again",
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
