//! Bodies as they are sent, for the document. Nothing is checked against it: `reading` tells what is wrong in the
//! product's own sentences.

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{Example, Type},
};
use serde_json::{Value, json};

use crate::api::shared::{media::Media, signed::Inbound};

/// The body of a creation.
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
