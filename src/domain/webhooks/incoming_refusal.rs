//! Reasons to refuse a request to an incoming webhook.
//!
//! Not here: refusals of set-up (`refusal`).

use super::script::ScriptFault;
use super::{WebhookRefusal, payload::PayloadFault, post::PostFault};
use crate::domain::Error;

/// Reason to refuse a request to an incoming webhook. The texts are known to senders.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// There is no such webhook, or it has another token: reported alike.
    #[error("Invalid integration id or token provided.")]
    Unknown,
    /// The member as whom it posts has left.
    #[error("the user in whose name this webhook posts is gone; choose another one")]
    PosterGone,
    /// It is disabled.
    #[error("Service Unavailable")]
    Disabled,
    /// The body cannot be parsed.
    #[error(transparent)]
    Payload(#[from] PayloadFault),
    /// The sender chose a channel and may not.
    #[error("overriding destination channel is disabled for this integration")]
    Override,
    /// It has a script, and scripts are disabled here.
    #[error("integration-scripts-disabled")]
    ScriptsDisabled,
    /// Its script failed.
    #[error("the script failed: {0}")]
    Script(#[from] ScriptFault),
    /// The content returned by its script is not an object.
    #[error("the script failed: content must be an object")]
    ScriptContent,
    /// A subscription names no target.
    #[error("username-required")]
    NoTarget,
    /// There is no subscription with that URL.
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
