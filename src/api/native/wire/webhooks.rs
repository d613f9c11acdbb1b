//! Incoming and outgoing webhooks, with their tokens.
//!
//! Not here: the runs of outgoing ones (`webhook_runs`).

mod incoming;
mod outgoing;

use poem_openapi::Object;

pub use incoming::{IncomingWebhookIn, IncomingWebhookOut, IncomingWebhookPatch, IncomingWebhookTokenOut};
pub use outgoing::{OutgoingWebhookIn, OutgoingWebhookOut, OutgoingWebhookPatch, WebhookTokenOut};

use crate::domain::webhooks::script::ScriptFault;

/// Error of a script that does not compile.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ScriptError")]
pub struct ScriptErrorOut {
    /// Class of the error.
    pub name: String,
    /// Message of the error.
    pub message: String,
    /// Location of the error.
    pub stack: String,
}

impl From<ScriptFault> for ScriptErrorOut {
    fn from(ScriptFault { name, message, stack }: ScriptFault) -> Self {
        Self { name, message, stack }
    }
}

/// Replaces a text of a draft if one is given; an empty one removes it.
fn put(place: &mut Option<String>, given: Option<String>) {
    if let Some(text) = given {
        *place = filled(text);
    }
}

/// Returns a text unless it is empty.
fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
