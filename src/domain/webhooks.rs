//! Webhooks: an *incoming* one posts the requests that it receives into channels, an *outgoing* one is called for
//! events in a channel. Both may have a script.
//!
//! Their types live here. Not here: the rules of set-up, triggers and answers, which are in the modules beside.

pub mod destination;
pub mod endpoint;
pub mod incoming_refusal;
pub mod incoming_script;
pub mod outgoing_payload;
pub mod payload;
pub mod post;
pub mod refusal;
pub mod retry;
pub mod script;
pub mod setup;
pub mod trigger;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    ambient::Time,
    channels::person::Person,
    ids::{InstallationId, IntegrationId, OrganisationId},
    webhooks::script::ScriptFault,
};

pub use refusal::{Way, WebhookRefusal};

/// Type of a request to an incoming webhook that was kept, sealed, because scripts were busy.
pub const WEBHOOK_RECEIVED: &str = "webhook.received";

/// A webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// Its identifier.
    pub id: IntegrationId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The organisation's installation of it, to which its secrets belong.
    pub installation_id: InstallationId,
    /// Display name.
    pub name: String,
    /// True if it is enabled.
    pub enabled: bool,
    /// The member, or the bot, as which it posts.
    pub poster: Person,
    /// Channels it posts to or is called for, as entered: `#general`, `@ada`, `all_public_channels`.
    pub channels: Vec<String>,
    /// The displayed name, picture and emoji of its messages.
    pub look: Look,
    /// Its script.
    pub script: Script,
    /// Settings of its direction.
    pub direction: Direction,
    /// The creator.
    pub created_by: Person,
    /// Time of creation.
    pub created_at: Time,
    /// The member of the last change, if any.
    pub updated_by: Option<Person>,
    /// Time of the last change.
    pub updated_at: Time,
}

/// Display of messages, unless left to the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// URL of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// An emoji such as `:ghost:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
}

/// A script, as entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// True if it is enabled.
    pub enabled: bool,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The requested engine; there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Stored for clients that read it back; nothing is transpiled.
    #[serde(default)]
    pub skip_transpile: bool,
    /// The compile error, if any: such a script is not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ScriptFault>,
}

impl Script {
    /// Returns the text to run, if there is any.
    pub fn runnable(&self) -> Option<&str> {
        let text = self.text.as_deref().filter(|text| !text.trim().is_empty());
        text.filter(|_| self.enabled && self.error.is_none())
    }
}

/// Settings of a direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Direction {
    /// It receives requests.
    Incoming(Incoming),
    /// It is called.
    Outgoing(Outgoing),
}

impl Direction {
    /// Returns the name on the wire and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            Direction::Incoming(_) => "webhook-incoming",
            Direction::Outgoing(_) => "webhook-outgoing",
        }
    }
}

/// An incoming webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incoming {
    /// True if the sender may choose another channel.
    #[serde(default)]
    pub override_destination: bool,
}

/// An outgoing webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// The event it is called for.
    pub event: OutgoingEvent,
    /// The URLs, each of which is called.
    pub urls: Vec<String>,
    /// Trigger words: it is called only for messages with one of these; without any, for every message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger_words: Vec<String>,
    /// True if a trigger word counts anywhere in a message, not only at its beginning.
    #[serde(default)]
    pub trigger_word_anywhere: bool,
    /// Channel for its answers, if it is not the one of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_room: Option<String>,
    /// True if it is called for edited messages.
    #[serde(default)]
    pub run_on_edits: bool,
    /// True if failed calls are retried.
    #[serde(default)]
    pub retry_failed_calls: bool,
    /// Maximum number of retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u32>,
    /// Backoff rule: `powers-of-ten`, `powers-of-two`, `increments-of-two`, or any other text as entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<String>,
    /// True if its answers are posted in the name of the event's author.
    #[serde(default)]
    pub impersonate_user: bool,
}

/// An event that an outgoing webhook is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutgoingEvent {
    /// A message was posted.
    SendMessage,
    /// A file was uploaded.
    FileUploaded,
    /// A channel was archived.
    RoomArchived,
    /// A channel was created.
    RoomCreated,
    /// A user joined a channel.
    RoomJoined,
    /// A user left a channel.
    RoomLeft,
    /// A member was added.
    UserCreated,
}

impl OutgoingEvent {
    /// Every event.
    pub const ALL: [OutgoingEvent; 7] = [
        OutgoingEvent::SendMessage,
        OutgoingEvent::FileUploaded,
        OutgoingEvent::RoomArchived,
        OutgoingEvent::RoomCreated,
        OutgoingEvent::RoomJoined,
        OutgoingEvent::RoomLeft,
        OutgoingEvent::UserCreated,
    ];

    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            OutgoingEvent::SendMessage => "sendMessage",
            OutgoingEvent::FileUploaded => "fileUploaded",
            OutgoingEvent::RoomArchived => "roomArchived",
            OutgoingEvent::RoomCreated => "roomCreated",
            OutgoingEvent::RoomJoined => "roomJoined",
            OutgoingEvent::RoomLeft => "roomLeft",
            OutgoingEvent::UserCreated => "userCreated",
        }
    }

    /// Returns true for an event of selected channels rather than of all.
    pub fn uses_channels(self) -> bool {
        match self {
            OutgoingEvent::SendMessage
            | OutgoingEvent::FileUploaded
            | OutgoingEvent::RoomJoined
            | OutgoingEvent::RoomLeft => true,
            OutgoingEvent::RoomArchived | OutgoingEvent::RoomCreated | OutgoingEvent::UserCreated => false,
        }
    }

    /// Returns true for an event with trigger words.
    pub fn uses_trigger_words(self) -> bool {
        self == OutgoingEvent::SendMessage
    }

    /// Returns true for an event outside of any channel, so that one for the answers has to be named.
    pub fn needs_target_room(self) -> bool {
        self == OutgoingEvent::UserCreated
    }
}

impl fmt::Display for OutgoingEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OutgoingEvent {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        OutgoingEvent::ALL.into_iter().find(|event| event.as_str() == text).ok_or(())
    }
}

/// A target named by a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `#name` or `#id`: a channel by its name or id.
    Channel(String),
    /// `@name` or `@id`: the direct channel with a user.
    User(String),
    /// A channel by its name or id, or a user by the id: no sign before it.
    Either(String),
    /// Every public channel.
    AllPublic,
    /// Every private channel.
    AllPrivate,
    /// Every direct channel.
    AllDirect,
}

impl Target {
    /// Parses a target.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        match (text, text.chars().next()) {
            ("all_public_channels", _) => Target::AllPublic,
            ("all_private_groups", _) => Target::AllPrivate,
            ("all_direct_messages", _) => Target::AllDirect,
            (_, Some('#')) => Target::Channel(text[1..].to_owned()),
            (_, Some('@')) => Target::User(text[1..].to_owned()),
            _ => Target::Either(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for event in OutgoingEvent::ALL {
            assert_eq!(event.as_str().parse(), Ok(event));
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
        assert_eq!("SendMessage".parse::<OutgoingEvent>(), Err(()));
    }

    #[test]
    fn targets_are_read_by_their_sign() {
        for (text, target) in [
            (" #general ", Target::Channel("general".into())),
            ("@ada", Target::User("ada".into())),
            ("general", Target::Either("general".into())),
            ("all_private_groups", Target::AllPrivate),
            ("#", Target::Channel(String::new())),
            ("", Target::Either(String::new())),
        ] {
            assert_eq!(Target::read(text), target, "{text:?}");
        }
    }

    #[test]
    fn only_a_script_that_compiles_is_run() {
        let script =
            |enabled, text: &str, error| Script { enabled, text: Some(text.into()), error, ..Script::default() };
        let fault =
            ScriptFault { name: "SyntaxError".into(), message: "unexpected token".into(), stack: String::new() };
        assert_eq!(script(true, "x", None).runnable(), Some("x"));
        for not_run in [script(false, "x", None), script(true, " ", None), script(true, "x", Some(fault))] {
            assert_eq!(not_run.runnable(), None);
        }
    }
}
