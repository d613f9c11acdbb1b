//! Schemas of requests, for the document. Nothing is checked against them: `reading` reports errors in the product's
//! own messages.

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{Example, Type},
};
use serde_json::{Value, json};

use crate::api::shared::{media::Media, signed::Inbound};

/// Body of a creation.
pub struct Creation;
/// Body of an update.
pub struct Update;
/// Body of a removal.
pub struct Removal;

/// Configuration of an incoming webhook.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IncomingWebhook", rename_all = "camelCase", example)]
pub struct IncomingIn {
    /// `webhook-incoming`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Id of the integration, in an update.
    pub integration_id: Option<String>,
    /// Name of the user on whose behalf it posts; optional in an update.
    pub username: Option<String>,
    /// Channels and users that it posts to: `#channel` or `@user`, separated by commas.
    pub channel: String,
    /// True if its script is run.
    pub script_enabled: bool,
    /// Name of the integration.
    pub name: String,
    /// True if it is switched on.
    pub enabled: bool,
    /// Source of its script.
    #[oai(nullable)]
    pub script: Option<String>,
    /// Displayed name of its messages' sender.
    #[oai(nullable)]
    pub alias: Option<String>,
    /// Displayed picture of its messages' sender.
    #[oai(nullable)]
    pub avatar: Option<String>,
    /// Displayed emoji of its messages' sender.
    #[oai(nullable)]
    pub emoji: Option<String>,
    /// True if a sender may choose another channel.
    #[oai(nullable)]
    pub override_destination_channel_enabled: Option<bool>,
    /// Engine of its script.
    #[oai(nullable)]
    pub script_engine: Option<String>,
    /// True if the script is not transpiled.
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

/// Configuration of an outgoing webhook.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OutgoingWebhook", rename_all = "camelCase", example)]
pub struct OutgoingIn {
    /// `webhook-outgoing`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Id of the integration, in an update.
    pub integration_id: Option<String>,
    /// One of the integration's URLs, in an update, in place of its id.
    #[oai(rename = "target_url")]
    pub target_url: Option<String>,
    /// Name of the user on whose behalf its responses are posted.
    pub username: String,
    /// Channels and users that trigger it: `#channel`, `@user`, `all_public_channels` and the like, separated by
    /// commas.
    pub channel: String,
    /// `sendMessage`, `fileUploaded`, `roomArchived`, `roomCreated`, `roomJoined`, `roomLeft` or `userCreated`.
    pub event: String,
    /// URLs that it calls.
    pub urls: Option<Vec<String>>,
    /// True if its script is run.
    pub script_enabled: bool,
    /// Name of the integration.
    pub name: String,
    /// True if it is switched on.
    pub enabled: bool,
    /// Channel to which its responses are posted.
    #[oai(nullable)]
    pub target_room: Option<String>,
    /// Trigger words: it is called for messages that begin with one of them.
    #[oai(nullable)]
    pub trigger_words: Option<Vec<String>>,
    /// True if a trigger word may be anywhere in the message.
    #[oai(nullable)]
    pub trigger_word_anywhere: Option<bool>,
    /// Token that is sent in its calls; required in an update.
    #[oai(nullable)]
    pub token: Option<String>,
    /// Source of its script.
    #[oai(nullable)]
    pub script: Option<String>,
    /// True if edited messages trigger it.
    #[oai(nullable)]
    pub run_on_edits: Option<bool>,
    /// True if failed calls are retried.
    #[oai(nullable)]
    pub retry_failed_calls: Option<bool>,
    /// Maximum number of retries.
    #[oai(nullable)]
    pub retry_count: Option<f64>,
    /// Backoff of the retries: `powers-of-ten`, `powers-of-two` or `increments-of-two`.
    #[oai(nullable)]
    pub retry_delay: Option<String>,
    /// True if its responses are posted on behalf of the user that caused the call.
    #[oai(nullable)]
    pub impersonate_user: Option<bool>,
    /// Displayed name of its messages' sender.
    #[oai(nullable)]
    pub alias: Option<String>,
    /// Displayed picture of its messages' sender.
    #[oai(nullable)]
    pub avatar: Option<String>,
    /// Displayed emoji of its messages' sender.
    #[oai(nullable)]
    pub emoji: Option<String>,
    /// Engine of its script.
    #[oai(nullable)]
    pub script_engine: Option<String>,
    /// True if the script is not transpiled.
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

/// Integration to be removed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookRemoval", rename_all = "camelCase", example)]
pub struct RemovalIn {
    /// `webhook-incoming` or `webhook-outgoing`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Id of the integration.
    pub integration_id: Option<String>,
    /// One of an outgoing webhook's URLs, in place of its id.
    #[oai(rename = "target_url")]
    pub target_url: Option<String>,
}

impl Example for RemovalIn {
    fn example() -> Self {
        let integration_id = Some("0199c1de-0000-7000-8000-000000000021".to_owned());
        Self { kind: "webhook-incoming".into(), integration_id, target_url: None }
    }
}

/// Maximum size of these operations' bodies, which contain a script.
const LIMIT_BYTES: usize = 1 << 20;

/// Makes the schema of a body that is either of the two kinds.
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

    type Schema = IncomingIn;

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

    type Schema = IncomingIn;

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

    type Schema = RemovalIn;
}
