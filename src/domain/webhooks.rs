//! Webhook integrations: an *incoming* one posts into channels what it is sent, an *outgoing* one is called when something
//! happens in a channel. Both may have a script.
//!
//! What they are lives here. The rules by which one is set up, triggered and answered are in the modules beside.

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

/// A webhook integration.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookIntegration {
    /// Its identifier.
    pub id: IntegrationId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// The organisation's use of it: what its secrets belong to.
    pub installation_id: InstallationId,
    /// What it is called.
    pub name: String,
    /// Whether it does anything.
    pub enabled: bool,
    /// In whose name it posts.
    pub poster: Person,
    /// Where it posts, or what it listens to, as somebody wrote it: `#general`, `@ada`, `all_public_channels`.
    pub channels: Vec<String>,
    /// The name, picture and emoji that its messages show.
    pub look: Look,
    /// Its script.
    pub script: Script,
    /// What is special to its direction.
    pub direction: Direction,
    /// Who made it.
    pub created_by: Person,
    /// When.
    pub created_at: Time,
    /// Who changed it last, where somebody has.
    pub updated_by: Option<Person>,
    /// When it was last changed.
    pub updated_at: Time,
}

/// How messages look, where that is not left to the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// A picture's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// An emoji such as `:ghost:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
}

/// A script, as it was set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// Whether it is run.
    pub enabled: bool,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The engine that somebody asked for; there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Kept for those who read it back; nothing is transpiled.
    #[serde(default)]
    pub skip_transpile: bool,
    /// Why it does not compile, where it does not: then it is not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ScriptFault>,
}

impl Script {
    /// The text that is run, where one is.
    pub fn runnable(&self) -> Option<&str> {
        let text = self.text.as_deref().filter(|text| !text.trim().is_empty());
        text.filter(|_| self.enabled && self.error.is_none())
    }
}

/// What is special to a direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Direction {
    /// It is posted to.
    Incoming(Incoming),
    /// It is called.
    Outgoing(Outgoing),
}

impl Direction {
    /// The name on the wire and in the database.
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
    /// Whether the sender may choose another channel.
    #[serde(default)]
    pub override_destination: bool,
}

/// An outgoing webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// What it is called for.
    pub event: OutgoingEvent,
    /// Where it is called; each of them.
    pub urls: Vec<String>,
    /// It is called only for messages with one of these; for every message where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger_words: Vec<String>,
    /// Whether a trigger word counts anywhere in a message, not only at its beginning.
    #[serde(default)]
    pub trigger_word_anywhere: bool,
    /// Where its answers are posted, where that is not where the event was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_room: Option<String>,
    /// Whether it is called for a message that was edited.
    #[serde(default)]
    pub run_on_edits: bool,
    /// Whether a call that failed is made again.
    #[serde(default)]
    pub retry_failed_calls: bool,
    /// How often, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u32>,
    /// The rule of the pauses: `powers-of-ten`, `powers-of-two`, `increments-of-two`, or whatever somebody wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<String>,
    /// Whether its answers are posted in the name of whoever caused the event.
    #[serde(default)]
    pub impersonate_user: bool,
}

/// What an outgoing webhook is called for.
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
    /// Somebody joined a channel.
    RoomJoined,
    /// Somebody left a channel.
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

    /// The name on the wire and in the database.
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

    /// Whether it is for some channels rather than for all of them.
    pub fn uses_channels(self) -> bool {
        match self {
            OutgoingEvent::SendMessage
            | OutgoingEvent::FileUploaded
            | OutgoingEvent::RoomJoined
            | OutgoingEvent::RoomLeft => true,
            OutgoingEvent::RoomArchived | OutgoingEvent::RoomCreated | OutgoingEvent::UserCreated => false,
        }
    }

    /// Whether trigger words count.
    pub fn uses_trigger_words(self) -> bool {
        self == OutgoingEvent::SendMessage
    }

    /// Whether it happens in no channel, so that one for the answers has to be named.
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

/// One place that an integration names.
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
    /// What somebody wrote.
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
