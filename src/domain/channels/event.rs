//! Types of the events that flow through channels.

use crate::domain::pipeline::event::EventSource;

/// Source of events from a channel: its key, its modifiers, its clock.
pub const SOURCE: EventSource = EventSource::new("channel");

/// Type of a message as it was posted, before the modifiers of its channel.
pub const MESSAGE_POSTED: &str = "message.posted";
/// Type of a message after the modifiers of its channel.
pub const MESSAGE_PUBLISHED: &str = "message.published";
/// Type of a file that was put into a channel.
pub const FILE_UPLOADED: &str = "file.uploaded";
/// Type of the creation of a channel.
pub const CHANNEL_CREATED: &str = "channel.created";
/// Type of the archiving of a channel: nothing new is posted in it.
pub const CHANNEL_ARCHIVED: &str = "channel.archived";
/// Type of a user's joining a channel.
pub const CHANNEL_MEMBER_JOINED: &str = "channel.member.joined";
/// Type of a user's leaving a channel, or being removed from it.
pub const CHANNEL_MEMBER_LEFT: &str = "channel.member.left";
