//! The shapes of the Rocket.Chat dialect: integrations as they are sent and shown.

mod reading;

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{Any, Example, Type},
};
use serde_json::{Value, json};

pub use reading::{creation, removal, update};

use crate::{
    api::shared::{media::Media, signed::Inbound, time::Timestamp},
    app::webhook_integrations::OpenWebhook,
    domain::{
        script::ScriptFault,
        webhook_integration::{Direction, Incoming, Outgoing, Person, WebhookIntegration},
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
    pub fn of(webhook: WebhookIntegration, token: Option<String>) -> Self {
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

/// The body of a creation. Its rules are told in the product's own sentences, so nothing is refused before.
pub struct Creation;
/// The body of a change.
pub struct Update;
/// The body of a removal.
pub struct Removal;

/// What an incoming webhook is made of.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IncomingWebhook", rename_all = "camelCase", example)]
pub struct IncomingIn {
    /// `webhook-incoming`.
    #[oai(rename = "type")]
    pub kind: String,
    /// In a change: which one.
    pub integration_id: Option<String>,
    /// The user in whose name it posts; in a change it may be left out.
    pub username: Option<String>,
    /// Where it posts: `#channel` or `@user`, several with commas between.
    pub channel: String,
    /// Whether its script is run.
    pub script_enabled: bool,
    /// Its name.
    pub name: String,
    /// Whether it does anything.
    pub enabled: bool,
    /// Its script.
    #[oai(nullable)]
    pub script: Option<String>,
    /// The name that its messages show.
    #[oai(nullable)]
    pub alias: Option<String>,
    /// The picture that its messages show.
    #[oai(nullable)]
    pub avatar: Option<String>,
    /// The emoji that its messages show.
    #[oai(nullable)]
    pub emoji: Option<String>,
    /// Whether a sender may choose another channel.
    #[oai(nullable)]
    pub override_destination_channel_enabled: Option<bool>,
    /// The engine of its script.
    #[oai(nullable)]
    pub script_engine: Option<String>,
    /// Whether the script is left as it is.
    #[oai(nullable)]
    pub skip_transpile: Option<bool>,
}

impl Example for IncomingIn {
    fn example() -> Self {
        Self {
            kind: "webhook-incoming".into(),
            integration_id: None,
            username: Some("ada".into()),
            channel: "#general".into(),
            script_enabled: false,
            name: "Builds".into(),
            enabled: true,
            script: None,
            alias: Some("CI".into()),
            avatar: None,
            emoji: Some(":ghost:".into()),
            override_destination_channel_enabled: None,
            script_engine: None,
            skip_transpile: None,
        }
    }
}

/// What an outgoing webhook is made of.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OutgoingWebhook", rename_all = "camelCase", example)]
pub struct OutgoingIn {
    /// `webhook-outgoing`.
    #[oai(rename = "type")]
    pub kind: String,
    /// In a change: which one.
    pub integration_id: Option<String>,
    /// In a change: which one, by one of its URLs.
    #[oai(rename = "target_url")]
    pub target_url: Option<String>,
    /// The user in whose name its answers are posted.
    pub username: String,
    /// What it listens to: `#channel`, `@user`, `all_public_channels` and the like, several with commas between.
    pub channel: String,
    /// `sendMessage`, `fileUploaded`, `roomArchived`, `roomCreated`, `roomJoined`, `roomLeft` or `userCreated`.
    pub event: String,
    /// Where it is called.
    pub urls: Option<Vec<String>>,
    /// Whether its script is run.
    pub script_enabled: bool,
    /// Its name.
    pub name: String,
    /// Whether it does anything.
    pub enabled: bool,
    /// Where its answers are posted.
    #[oai(nullable)]
    pub target_room: Option<String>,
    /// The words that a message begins with for which it is called.
    #[oai(nullable)]
    pub trigger_words: Option<Vec<String>>,
    /// Whether such a word may be anywhere in the message.
    #[oai(nullable)]
    pub trigger_word_anywhere: Option<bool>,
    /// What its calls show; needed in a change.
    #[oai(nullable)]
    pub token: Option<String>,
    /// Its script.
    #[oai(nullable)]
    pub script: Option<String>,
    /// Whether it is called for messages that were edited.
    #[oai(nullable)]
    pub run_on_edits: Option<bool>,
    /// Whether calls that failed are made again.
    #[oai(nullable)]
    pub retry_failed_calls: Option<bool>,
    /// How often at most.
    #[oai(nullable)]
    pub retry_count: Option<f64>,
    /// `powers-of-ten`, `powers-of-two` or `increments-of-two`.
    #[oai(nullable)]
    pub retry_delay: Option<String>,
    /// Whether its answers are posted in the name of whoever caused the call.
    #[oai(nullable)]
    pub impersonate_user: Option<bool>,
    /// The name that its messages show.
    #[oai(nullable)]
    pub alias: Option<String>,
    /// The picture that its messages show.
    #[oai(nullable)]
    pub avatar: Option<String>,
    /// The emoji that its messages show.
    #[oai(nullable)]
    pub emoji: Option<String>,
    /// The engine of its script.
    #[oai(nullable)]
    pub script_engine: Option<String>,
    /// Whether the script is left as it is.
    #[oai(nullable)]
    pub skip_transpile: Option<bool>,
}

impl Example for OutgoingIn {
    fn example() -> Self {
        Self {
            kind: "webhook-outgoing".into(),
            integration_id: None,
            target_url: None,
            username: "ada".into(),
            channel: "#general".into(),
            event: "sendMessage".into(),
            urls: Some(vec!["https://tracker.example.org/hook".into()]),
            script_enabled: false,
            name: "Tell the tracker".into(),
            enabled: true,
            target_room: None,
            trigger_words: Some(vec!["bug".into()]),
            trigger_word_anywhere: None,
            token: Some("a-shared-secret".into()),
            script: None,
            run_on_edits: None,
            retry_failed_calls: Some(true),
            retry_count: Some(4.0),
            retry_delay: Some("powers-of-ten".into()),
            impersonate_user: None,
            alias: None,
            avatar: None,
            emoji: None,
            script_engine: None,
            skip_transpile: None,
        }
    }
}

/// Which integration is to be removed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookRemoval", rename_all = "camelCase", example)]
pub struct RemovalIn {
    /// `webhook-incoming` or `webhook-outgoing`.
    #[oai(rename = "type")]
    pub kind: String,
    /// By its id.
    pub integration_id: Option<String>,
    /// An outgoing one by one of its URLs; then without its id.
    #[oai(rename = "target_url")]
    pub target_url: Option<String>,
}

impl Example for RemovalIn {
    fn example() -> Self {
        let integration_id = Some("0199c1de-0000-7000-8000-000000000021".to_owned());
        Self { kind: "webhook-incoming".into(), integration_id, target_url: None }
    }
}

/// The longest body of these operations: a script is in it.
const LIMIT_BYTES: usize = 1 << 20;

/// Either of the two directions.
fn either(example: Value) -> MetaSchemaRef {
    let mut schema = MetaSchema::ANY;
    schema.one_of = vec![IncomingIn::schema_ref(), OutgoingIn::schema_ref()];
    schema.example = Some(example);
    MetaSchemaRef::Inline(Box::new(schema))
}

fn register(registry: &mut Registry) {
    IncomingIn::register(registry);
    OutgoingIn::register(registry);
}

impl Inbound for Creation {
    const MEDIA: &'static [Media] = &[Media::Json];
    const LIMIT_BYTES: usize = LIMIT_BYTES;

    fn schema(_: Media) -> MetaSchemaRef {
        either(json!({
            "type": "webhook-incoming", "username": "ada", "channel": "#general", "scriptEnabled": false,
            "name": "Builds", "enabled": true,
        }))
    }

    fn register(registry: &mut Registry) {
        register(registry);
    }
}

impl Inbound for Update {
    const MEDIA: &'static [Media] = &[Media::Json];
    const LIMIT_BYTES: usize = LIMIT_BYTES;

    fn schema(_: Media) -> MetaSchemaRef {
        either(json!({
            "type": "webhook-incoming", "integrationId": "0199c1de-0000-7000-8000-000000000021",
            "channel": "#general", "scriptEnabled": false, "name": "Builds", "enabled": false,
        }))
    }

    fn register(registry: &mut Registry) {
        register(registry);
    }
}

impl Inbound for Removal {
    const MEDIA: &'static [Media] = &[Media::Json];
    const LIMIT_BYTES: usize = LIMIT_BYTES;

    fn schema(_: Media) -> MetaSchemaRef {
        RemovalIn::schema_ref()
    }

    fn register(registry: &mut Registry) {
        RemovalIn::register(registry);
    }
}
