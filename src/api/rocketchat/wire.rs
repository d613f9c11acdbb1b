//! The shapes of the Rocket.Chat dialect: integrations as they are sent and shown.

pub mod history;
mod reading;
mod sent;

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::Value;

pub use reading::{creation, removal, update};
pub use sent::{Creation, Removal, Update};

use crate::{
    api::shared::time::Timestamp,
    app::webhooks::OpenWebhook,
    domain::{
        channels::person::Person,
        webhooks::{Direction, Incoming, Outgoing, Webhook, script::ScriptFault},
    },
};

/// Who made or changed something.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Person")]
pub struct PersonOut {
    /// The user's id.
    #[oai(rename = "_id")]
    pub id: String,
    /// The user's name.
    pub username: String,
}

impl From<Person> for PersonOut {
    fn from(person: Person) -> Self {
        Self { id: person.id(), username: person.username }
    }
}

/// Why a script does not compile.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ScriptError")]
pub struct ScriptErrorOut {
    /// The class of the error.
    pub name: String,
    /// In words.
    pub message: String,
    /// Where.
    pub stack: String,
}

impl From<ScriptFault> for ScriptErrorOut {
    fn from(ScriptFault { name, message, stack }: ScriptFault) -> Self {
        Self { name, message, stack }
    }
}

/// An integration: an incoming webhook, or an outgoing one.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookIntegration", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct IntegrationOut {
    /// Its id.
    #[oai(rename = "_id")]
    pub id: String,
    /// `webhook-incoming` or `webhook-outgoing`.
    #[oai(rename = "type")]
    pub kind: String,
    /// The user in whose name it posts.
    pub username: String,
    /// Where it posts, or what it listens to.
    pub channel: Vec<String>,
    /// Whether its script is run.
    pub script_enabled: bool,
    /// Its name.
    pub name: String,
    /// Whether it does anything.
    pub enabled: bool,
    /// What an outgoing one is called for.
    pub event: Option<String>,
    /// Where an outgoing one is called.
    pub urls: Option<Vec<String>>,
    /// The engine of its script; there is one.
    pub script_engine: Option<String>,
    /// The id of the user in whose name it posts.
    pub user_id: String,
    /// Its token: in the address of an incoming one, in the calls of an outgoing one.
    pub token: Option<String>,
    /// The name that its messages show.
    pub alias: Option<String>,
    /// The picture that its messages show.
    pub avatar: Option<String>,
    /// The emoji that its messages show.
    pub emoji: Option<String>,
    /// Its script.
    pub script: Option<String>,
    /// Why its script does not compile.
    pub script_error: Option<ScriptErrorOut>,
    /// Whether the script is left as it is; it always is.
    pub skip_transpile: Option<bool>,
    /// Whether a sender may choose another channel.
    pub override_destination_channel_enabled: Option<bool>,
    /// Where the answers to an outgoing one are posted.
    pub target_room: Option<String>,
    /// The words that a message begins with for which it is called.
    pub trigger_words: Option<Vec<String>>,
    /// Whether such a word may be anywhere in the message.
    pub trigger_word_anywhere: Option<bool>,
    /// Whether it is called for messages that were edited.
    pub run_on_edits: Option<bool>,
    /// Whether calls that failed are made again.
    pub retry_failed_calls: Option<bool>,
    /// How often at most.
    pub retry_count: Option<u32>,
    /// The rule of the pauses.
    pub retry_delay: Option<String>,
    /// Whether its answers are posted in the name of whoever caused the call.
    pub impersonate_user: Option<bool>,
    /// When it was made.
    #[oai(rename = "_createdAt")]
    pub created_at: Timestamp,
    /// Who made it.
    #[oai(rename = "_createdBy")]
    pub created_by: PersonOut,
    /// When it was last changed.
    #[oai(rename = "_updatedAt")]
    pub updated_at: Timestamp,
    /// Who changed it.
    #[oai(rename = "_updatedBy")]
    pub updated_by: Option<PersonOut>,
}

impl IntegrationOut {
    /// A webhook as it is shown; a token only to those who manage it.
    pub fn of(webhook: Webhook, token: Option<String>) -> Self {
        let kind = webhook.direction.as_str().to_owned();
        let (incoming, outgoing): (Option<Incoming>, Option<Outgoing>) = match webhook.direction {
            Direction::Incoming(incoming) => (Some(incoming), None),
            Direction::Outgoing(outgoing) => (None, Some(outgoing)),
        };
        let of = outgoing.as_ref();
        Self {
            id: webhook.id.to_string(),
            kind,
            user_id: webhook.poster.id(),
            username: webhook.poster.username,
            channel: webhook.channels,
            script_enabled: webhook.script.enabled,
            name: webhook.name,
            enabled: webhook.enabled,
            event: of.map(|outgoing| outgoing.event.to_string()),
            urls: of.map(|outgoing| outgoing.urls.clone()),
            script_engine: webhook.script.engine,
            token,
            alias: webhook.look.alias,
            avatar: webhook.look.avatar,
            emoji: webhook.look.emoji,
            script: webhook.script.text,
            script_error: webhook.script.error.map(Into::into),
            skip_transpile: webhook.script.skip_transpile.then_some(true),
            override_destination_channel_enabled: incoming.map(|incoming| incoming.override_destination),
            target_room: of.and_then(|outgoing| outgoing.target_room.clone()),
            trigger_words: of
                .filter(|outgoing| !outgoing.trigger_words.is_empty())
                .map(|outgoing| outgoing.trigger_words.clone()),
            trigger_word_anywhere: of.map(|outgoing| outgoing.trigger_word_anywhere),
            run_on_edits: of.map(|outgoing| outgoing.run_on_edits),
            retry_failed_calls: of.map(|outgoing| outgoing.retry_failed_calls),
            retry_count: of.and_then(|outgoing| outgoing.retry_count),
            retry_delay: of.and_then(|outgoing| outgoing.retry_delay.clone()),
            impersonate_user: of.map(|outgoing| outgoing.impersonate_user),
            created_at: webhook.created_at.into(),
            created_by: webhook.created_by.into(),
            updated_at: webhook.updated_at.into(),
            updated_by: webhook.updated_by.map(Into::into),
        }
    }
}

impl From<OpenWebhook> for IntegrationOut {
    fn from(OpenWebhook { webhook, token }: OpenWebhook) -> Self {
        Self::of(webhook, token.map(|token| token.expose().to_owned()))
    }
}

impl Example for IntegrationOut {
    fn example() -> Self {
        let person = || PersonOut { id: "0199c1de-0000-7000-8000-000000000008".into(), username: "ada".into() };
        let at: Timestamp = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default().into();
        Self {
            id: "0199c1de-0000-7000-8000-000000000021".into(),
            kind: "webhook-outgoing".into(),
            username: "ada".into(),
            channel: vec!["#general".into()],
            script_enabled: false,
            name: "Tell the tracker".into(),
            enabled: true,
            event: Some("sendMessage".into()),
            urls: Some(vec!["https://tracker.example.org/hook".into()]),
            script_engine: Some("isolated-vm".into()),
            user_id: person().id,
            token: None,
            alias: None,
            avatar: None,
            emoji: None,
            script: None,
            script_error: None,
            skip_transpile: None,
            override_destination_channel_enabled: None,
            target_room: None,
            trigger_words: None,
            trigger_word_anywhere: Some(false),
            run_on_edits: Some(false),
            retry_failed_calls: Some(false),
            retry_count: None,
            retry_delay: None,
            impersonate_user: Some(false),
            created_at: at,
            created_by: person(),
            updated_at: at,
            updated_by: None,
        }
    }
}

/// An answer with an integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookIntegrationAnswer", example)]
pub struct OneOut {
    /// The integration.
    pub integration: IntegrationOut,
    /// Always true.
    pub success: bool,
}

impl From<OpenWebhook> for OneOut {
    fn from(open: OpenWebhook) -> Self {
        Self { integration: open.into(), success: true }
    }
}

impl Example for OneOut {
    fn example() -> Self {
        Self { integration: IntegrationOut::example(), success: true }
    }
}

/// Some of the integrations.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookIntegrationList", example)]
pub struct ListOut {
    /// The page; with `fields`, only what was asked for of each.
    pub integrations: Vec<Any<Value>>,
    /// How many came before.
    pub offset: u64,
    /// How many are on this page.
    pub items: u64,
    /// The same.
    pub count: u64,
    /// How many there are.
    pub total: u64,
    /// Always true.
    pub success: bool,
}

impl Example for ListOut {
    fn example() -> Self {
        use poem_openapi::types::ToJSON;
        let one = IntegrationOut::example().to_json().unwrap_or_default();
        Self { integrations: vec![Any(one)], offset: 0, items: 1, count: 1, total: 1, success: true }
    }
}
