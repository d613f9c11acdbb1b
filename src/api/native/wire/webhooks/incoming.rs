//! Incoming webhooks.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::{filled, put};
use crate::{
    api::shared::{script_error::ScriptErrorOut, time::Timestamp},
    app::kernel::Base,
    domain::{
        channels::person::Person,
        secret::Secret,
        webhooks::{
            Direction, Webhook,
            setup::{Draft, DraftWay},
        },
    },
};

/// An incoming webhook.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IncomingWebhook", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct IncomingWebhookOut {
    /// Unique id.
    pub id: Uuid,
    /// Display name.
    pub name: String,
    /// True if the webhook is enabled.
    pub enabled: bool,
    /// Name of the user on whose behalf it posts.
    pub username: String,
    /// Channels and users that it posts to: `#channel` or `@user`.
    pub channels: Vec<String>,
    /// True if a sender may choose another channel.
    pub channel_override: bool,
    /// Displayed name of its messages' sender.
    pub alias: Option<String>,
    /// Address of the displayed picture of its messages' sender.
    pub avatar: Option<String>,
    /// Displayed emoji of its messages' sender, such as `:ghost:`.
    pub emoji: Option<String>,
    /// True if its script is run on each request.
    pub script_enabled: bool,
    /// Source of its script.
    pub script: Option<String>,
    /// Error of its script, if it does not compile; such a script is not run.
    pub script_error: Option<ScriptErrorOut>,
    /// User id of its creator; absent for the service itself.
    pub created_by: Option<Uuid>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// User id of the member that last changed it.
    pub updated_by: Option<Uuid>,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<Webhook> for IncomingWebhookOut {
    fn from(webhook: Webhook) -> Self {
        let user_id = |person: Person| person.user_id.map(|id| id.0);
        let channel_override = match webhook.direction {
            Direction::Incoming(incoming) => incoming.override_destination,
            Direction::Outgoing(_) => false,
        };
        Self {
            id: webhook.id.0,
            name: webhook.name,
            enabled: webhook.enabled,
            username: webhook.poster.username,
            channels: webhook.channels,
            channel_override,
            alias: webhook.look.alias.and_then(filled),
            avatar: webhook.look.avatar.and_then(filled),
            emoji: webhook.look.emoji.and_then(filled),
            script_enabled: webhook.script.enabled,
            script: webhook.script.text.and_then(filled),
            script_error: webhook.script.error.map(Into::into),
            created_by: user_id(webhook.created_by),
            created_at: webhook.created_at.into(),
            updated_by: webhook.updated_by.and_then(user_id),
            updated_at: webhook.updated_at.into(),
        }
    }
}

/// An incoming webhook to be created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreateIncomingWebhook", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct IncomingWebhookIn {
    /// Display name.
    #[oai(validator(min_length = 1, max_length = 200))]
    pub name: String,
    /// Channels and users that it posts to: `#channel` or `@user`.
    #[oai(validator(min_items = 1, max_items = 100))]
    pub channels: Vec<String>,
    /// Name of the user on whose behalf it posts; by default the caller.
    pub username: Option<String>,
    /// True if the webhook is enabled; true by default.
    pub enabled: Option<bool>,
    /// True if a sender may choose another channel; false by default.
    pub channel_override: Option<bool>,
    /// Displayed name of its messages' sender.
    pub alias: Option<String>,
    /// Address of the displayed picture of its messages' sender.
    pub avatar: Option<String>,
    /// Displayed emoji of its messages' sender, such as `:ghost:`.
    pub emoji: Option<String>,
    /// True if its script is run on each request; false by default.
    pub script_enabled: Option<bool>,
    /// Source of its script.
    pub script: Option<String>,
}

impl From<IncomingWebhookIn> for Draft {
    fn from(new: IncomingWebhookIn) -> Self {
        Self {
            name: new.name,
            enabled: new.enabled.unwrap_or(true),
            username: new.username,
            channel: new.channels.join(","),
            alias: new.alias.and_then(filled),
            avatar: new.avatar.and_then(filled),
            emoji: new.emoji.and_then(filled),
            script_enabled: new.script_enabled.unwrap_or_default(),
            script: new.script.and_then(filled),
            way: DraftWay::Incoming { override_destination: new.channel_override },
            ..Self::default()
        }
    }
}

impl Example for IncomingWebhookIn {
    fn example() -> Self {
        Self {
            name: "Builds".into(),
            channels: vec!["#general".into()],
            username: None,
            enabled: None,
            channel_override: None,
            alias: Some("CI".into()),
            avatar: None,
            emoji: Some(":ghost:".into()),
            script_enabled: None,
            script: None,
        }
    }
}

/// Changes to an incoming webhook; absent members stay unchanged, and an empty text removes an optional one.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "UpdateIncomingWebhook", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct IncomingWebhookPatch {
    /// Display name.
    #[oai(validator(min_length = 1, max_length = 200))]
    pub name: Option<String>,
    /// Channels and users that it posts to: `#channel` or `@user`.
    #[oai(validator(min_items = 1, max_items = 100))]
    pub channels: Option<Vec<String>>,
    /// Name of the user on whose behalf it posts.
    pub username: Option<String>,
    /// True if the webhook is enabled.
    pub enabled: Option<bool>,
    /// True if a sender may choose another channel.
    pub channel_override: Option<bool>,
    /// Displayed name of its messages' sender.
    pub alias: Option<String>,
    /// Address of the displayed picture of its messages' sender.
    pub avatar: Option<String>,
    /// Displayed emoji of its messages' sender, such as `:ghost:`.
    pub emoji: Option<String>,
    /// True if its script is run on each request.
    pub script_enabled: Option<bool>,
    /// Source of its script.
    pub script: Option<String>,
}

impl IncomingWebhookPatch {
    /// Applies the changes to a draft.
    pub fn apply(self, draft: &mut Draft) {
        draft.name = self.name.unwrap_or(std::mem::take(&mut draft.name));
        draft.channel = self.channels.map_or(std::mem::take(&mut draft.channel), |channels| channels.join(","));
        draft.username = self.username.or(draft.username.take());
        draft.enabled = self.enabled.unwrap_or(draft.enabled);
        put(&mut draft.alias, self.alias);
        put(&mut draft.avatar, self.avatar);
        put(&mut draft.emoji, self.emoji);
        draft.script_enabled = self.script_enabled.unwrap_or(draft.script_enabled);
        put(&mut draft.script, self.script);
        if let DraftWay::Incoming { override_destination } = &mut draft.way {
            *override_destination = self.channel_override.or(*override_destination);
        }
    }
}

impl Example for IncomingWebhookPatch {
    fn example() -> Self {
        Self { enabled: Some(false), ..Self::default() }
    }
}

/// Address of an incoming webhook. It is the only credential that a sender needs.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IncomingWebhookToken", example)]
pub struct IncomingWebhookTokenOut {
    /// Token in the address.
    pub token: String,
    /// Address at which senders post.
    pub url: String,
}

impl IncomingWebhookTokenOut {
    /// Makes the address of a webhook with its token.
    pub fn of(base: &Base, id: Uuid, token: &Secret) -> Self {
        let (public_url, token) = (base.public_url().as_str().trim_end_matches('/'), token.expose());
        Self { token: token.to_owned(), url: format!("{public_url}/hooks/{id}/{token}") }
    }
}

impl Example for IncomingWebhookTokenOut {
    fn example() -> Self {
        let token = "Q7yq5cJ0vXnB3mRkT9dLwZs8HfPa2GuE1VtYo6iK4jNxCbMr".to_owned();
        let id = "0199c1de-0000-7000-8000-000000000021";
        Self { url: format!("https://tieline.example/hooks/{id}/{token}"), token }
    }
}
