//! Destinations of apps: each installed app, and each channel, whose apps modify the messages that are posted in it.

use crate::domain::{
    ids::{ChannelId, IntegrationId},
    pipeline::{delivery::Reason, destination::DestinationKind},
};

/// Kind of the destinations that are installed apps.
pub const APP: DestinationKind = DestinationKind::new("integration");

/// Kind of the destinations that are channels: a message goes through the channel's modifiers.
pub const CHANNEL: DestinationKind = DestinationKind::new("channel");

/// Reason of deliveries to an app that is gone.
pub const DELETED: Reason = Reason::new("the integration was deleted, or has no descriptor any more");

/// Reason of deliveries to an app of events without a channel.
pub const NO_CHANNEL: Reason = Reason::new(
    "an app is called in a channel, and this event is of none; send it to a channel in which the app is enabled",
);

/// Reason of deliveries to an app of calls of its actions, which are made for their callers alone.
pub const ACTION: Reason =
    Reason::new("an action is called for its caller, who gets the output, and not again; call it once more instead");

/// Returns the name of the destination that is an app.
pub fn app_name(id: IntegrationId) -> String {
    id.to_string()
}

/// Returns the name of the destination that is a channel.
pub fn channel_name(id: ChannelId) -> String {
    id.to_string()
}
