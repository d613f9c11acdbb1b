//! Why an incoming webhook does not do what it is asked.

use super::script::ScriptFault;
use super::{WebhookRefusal, payload::PayloadFault, post::PostFault};
use crate::domain::Error;

/// Why a request to an incoming webhook is refused. The texts are those that senders know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// There is no such webhook, or it has another token: told alike.
    #[error("Invalid integration id or token provided.")]
    Unknown,
    /// Whoever it posts as is no member any more.
    #[error("the user in whose name this webhook posts is gone; choose another one")]
    PosterGone,
    /// It is switched off.
    #[error("Service Unavailable")]
    Disabled,
    /// What was sent cannot be read.
    #[error(transparent)]
    Payload(#[from] PayloadFault),
    /// The sender chose a channel and may not.
    #[error("overriding destination channel is disabled for this integration")]
    Override,
    /// It has a script, and scripts are switched off here.
    #[error("integration-scripts-disabled")]
    ScriptsDisabled,
    /// Its script failed.
    #[error("the script failed: {0}")]
    Script(#[from] ScriptFault),
    /// What its script wants to be posted is no object.
    #[error("the script failed: content must be an object")]
    ScriptContent,
    /// Somebody wants to be told of what happens in a channel, and names none.
    #[error("username-required")]
    NoTarget,
    /// Nobody is told of what happens at that address.
    #[error("integration-not-found")]
    NoSubscriber,
    /// It cannot be posted.
    #[error("{}", .0.code())]
    Post(#[from] PostFault),
}

macro_rules! errors {
    ($($name:ty),+) => {$(
        impl From<$name> for Error {
            fn from(refusal: $name) -> Self {
                Error::Webhook(WebhookRefusal::Hook(refusal.into()))
            }
        }
    )+};
}

errors!(HookRefusal, PayloadFault, PostFault);
