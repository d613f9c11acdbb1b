//! Destinations of webhooks: each URL of an outgoing one, and an incoming one whose requests wait for scripts.

use crate::domain::{
    ids::IntegrationId,
    pipeline::{delivery::Reason, destination::DestinationKind},
};

/// Kind of the destinations that are URLs of outgoing webhooks.
pub const OUTGOING: DestinationKind = DestinationKind::new("outgoing-webhook");

/// Kind of the destinations that are incoming webhooks: their requests that found scripts busy are worked on.
pub const INCOMING: DestinationKind = DestinationKind::new("incoming-webhook");

/// Reason of deliveries to an outgoing webhook that is disabled.
pub const DISABLED: Reason = Reason::new("the outgoing webhook is switched off; enable it and replay this delivery");

/// Reason of deliveries to a URL that was removed.
pub const URL_REMOVED: Reason = Reason::new("the URL was taken from the outgoing webhook");

/// Returns the name of the destination that is an incoming webhook.
pub fn incoming_name(id: IntegrationId) -> String {
    id.to_string()
}

/// Returns the beginning of the names of the destinations that are URLs of an outgoing webhook.
pub fn url_names(id: IntegrationId) -> String {
    format!("{id}:")
}

/// Returns the name of the destination that is a URL of an outgoing webhook. `fingerprint` distinguishes its URLs.
pub fn url_name(id: IntegrationId, fingerprint: &str) -> String {
    format!("{}{fingerprint}", url_names(id))
}
