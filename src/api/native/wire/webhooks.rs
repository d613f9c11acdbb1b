//! Incoming and outgoing webhooks, with their tokens.
//!
//! Not here: the runs of outgoing ones (`webhook_runs`).

mod incoming;
mod outgoing;

pub use incoming::{IncomingWebhookIn, IncomingWebhookOut, IncomingWebhookPatch, IncomingWebhookTokenOut};
pub use outgoing::{OutgoingWebhookIn, OutgoingWebhookOut, OutgoingWebhookPatch, WebhookTokenOut};

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
