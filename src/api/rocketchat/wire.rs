//! Schemas of the Rocket.Chat dialect: integrations in requests and responses.

pub mod history;
mod reading;
pub mod room_changes;
pub mod rooms;
mod sent;
pub mod users;

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::Value;

pub use reading::{creation, removal, update};
pub use sent::{Creation, Removal, Update};

use crate::{
    api::shared::{script_error::ScriptErrorOut, time::Timestamp},
    app::webhooks::OpenWebhook,
    domain::{
        channels::person::Person,
        webhooks::{Direction, Incoming, Outgoing, Webhook},
    },
};

/// User that created or changed an integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Person")]
pub struct PersonOut {
    /// Id of the user.
    #[oai(rename = "_id")]
    pub id: String,
    /// Name of the user.
    pub username: String,
}

impl From<Person> for PersonOut {
    fn from(person: Person) -> Self {
        Self { id: person.id(), username: person.username }
    }
}

/// An incoming or outgoing webhook.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookIntegration", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct IntegrationOut {
    /// Id of the integration.
    #[oai(rename = "_id")]
    pub id: String,
    /// `webhook-incoming` or `webhook-outgoing`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Name of the user on whose behalf it posts.
    pub username: String,
    /// Channels and users that it posts to, or that it is triggered by.
    pub channel: Vec<String>,
    /// True if its script is run.
    pub script_enabled: bool,
    /// Name of the integration.
    pub name: String,
    /// True if it is switched on.
    pub enabled: bool,
    /// Event that triggers an outgoing webhook.
    pub event: Option<String>,
    /// URLs that an outgoing webhook calls.
    pub urls: Option<Vec<String>>,
    /// Engine of its script; there is only one.
    pub script_engine: Option<String>,
    /// Id of the user on whose behalf it posts.
    pub user_id: String,
    /// Token: part of the address of an incoming webhook, and sent in the calls of an outgoing one.
    pub token: Option<String>,
    /// Displayed name of its messages' sender.
    pub alias: Option<String>,
    /// Displayed picture of its messages' sender.
    pub avatar: Option<String>,
    /// Displayed emoji of its messages' sender.
    pub emoji: Option<String>,
    /// Source of its script.
    pub script: Option<String>,
    /// Error of its script, if it does not compile.
    pub script_error: Option<ScriptErrorOut>,
    /// True if the script is not transpiled; always true.
    pub skip_transpile: Option<bool>,
    /// True if a sender may choose another channel.
    pub override_destination_channel_enabled: Option<bool>,
    /// Channel to which the responses to an outgoing webhook are posted.
    pub target_room: Option<String>,
    /// Trigger words: it is called for messages that begin with one of them.
    pub trigger_words: Option<Vec<String>>,
    /// True if a trigger word may be anywhere in the message.
    pub trigger_word_anywhere: Option<bool>,
    /// True if edited messages trigger it.
    pub run_on_edits: Option<bool>,
    /// True if failed calls are retried.
    pub retry_failed_calls: Option<bool>,
    /// Maximum number of retries.
    pub retry_count: Option<u32>,
    /// Backoff of the retries.
    pub retry_delay: Option<String>,
    /// True if its responses are posted on behalf of the user that caused the call.
    pub impersonate_user: Option<bool>,
    /// Time of creation.
    #[oai(rename = "_createdAt")]
    pub created_at: Timestamp,
    /// User that created it.
    #[oai(rename = "_createdBy")]
    pub created_by: PersonOut,
    /// Time of the last change.
    #[oai(rename = "_updatedAt")]
    pub updated_at: Timestamp,
    /// User that last changed it.
    #[oai(rename = "_updatedBy")]
    pub updated_by: Option<PersonOut>,
}

impl IntegrationOut {
    /// Renders a webhook; `token` is given only for callers with the permission to manage it.
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

/// A page of integrations.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookIntegrationList", example)]
pub struct ListOut {
    /// The page; with `fields`, only the requested members of each.
    pub integrations: Vec<Any<Value>>,
    /// Number of skipped items.
    pub offset: u64,
    /// Number of items on this page.
    pub items: u64,
    /// Same as `items`.
    pub count: u64,
    /// Number of all items.
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
