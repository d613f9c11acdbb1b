//! Outgoing webhooks.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::{filled, put};
use crate::{
    api::shared::{
        script_error::ScriptErrorOut,
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    domain::{
        channels::person::Person,
        secret::Secret,
        webhooks::{
            Direction, OutgoingEvent, Webhook,
            setup::{Draft, DraftWay, OutgoingDraft},
        },
    },
};

impl Vocabulary for OutgoingEvent {
    const NAME: &'static str = "OutgoingWebhookEvent";
    const DESCRIPTION: &'static str = "Event that an outgoing webhook is called for: sendMessage (a message was posted), \
         fileUploaded (a file was uploaded), roomArchived (a channel was archived), roomCreated (a channel was created), \
         roomJoined (a user joined a channel), roomLeft (a user left a channel) or userCreated (a member was added). Its \
         calls carry the same word.";

    fn words() -> Vec<(&'static str, Self)> {
        OutgoingEvent::ALL.map(|event| (event.as_str(), event)).into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// Backoff rule of an outgoing webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryRule(&'static str);

impl RetryRule {
    const ALL: [&'static str; 3] = ["powers-of-ten", "powers-of-two", "increments-of-two"];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known == name).map(Self)
    }
}

impl Vocabulary for RetryRule {
    const NAME: &'static str = "RetryDelay";
    const DESCRIPTION: &'static str = "Pauses before the retries of an outgoing webhook: powers-of-ten (100 ms, 1 s, \
         10 s, …), powers-of-two (2 s, 4 s, 8 s, …) or increments-of-two (2 s, 4 s, 6 s, …), at most seven days each.";

    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|rule| (rule, Self(rule))).into()
    }

    fn word(self) -> &'static str {
        self.0
    }
}

/// An outgoing webhook.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OutgoingWebhook", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct OutgoingWebhookOut {
    /// Unique id.
    pub id: Uuid,
    /// Display name.
    pub name: String,
    /// True if the webhook is enabled.
    pub enabled: bool,
    /// Event that it is called for.
    pub event: Word<OutgoingEvent>,
    /// Channels and users that trigger it: `#channel`, `@user`, `all_public_channels`, `all_private_groups` or
    /// `all_direct_messages`; if empty, every public channel.
    pub channels: Vec<String>,
    /// URLs, each of which is called.
    pub urls: Vec<String>,
    /// Words of which a message begins with one; if empty, it is called for every message.
    pub trigger_words: Vec<String>,
    /// True if a trigger word may be anywhere in the message.
    pub trigger_word_anywhere: bool,
    /// True if edited messages trigger it.
    pub run_on_edits: bool,
    /// Name of the user on whose behalf its responses are posted.
    pub username: String,
    /// Channel to which its responses are posted; absent if it is the channel of the event.
    pub target_channel: Option<String>,
    /// True if its responses are posted on behalf of the user that caused the call.
    pub impersonate_user: bool,
    /// Displayed name of its messages' sender.
    pub alias: Option<String>,
    /// Address of the displayed picture of its messages' sender.
    pub avatar: Option<String>,
    /// Displayed emoji of its messages' sender, such as `:ghost:`.
    pub emoji: Option<String>,
    /// True if failed calls are retried.
    pub retry_failed_calls: bool,
    /// Maximum number of retries; absent if there are none.
    pub retry_count: Option<u32>,
    /// Pauses before the retries; absent if there are none.
    pub retry_delay: Option<Word<RetryRule>>,
    /// True if its script is run on each call and each response.
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

impl From<Webhook> for OutgoingWebhookOut {
    fn from(webhook: Webhook) -> Self {
        let user_id = |person: Person| person.user_id.map(|id| id.0);
        let draft = Draft::of(&webhook);
        let outgoing = match draft.way {
            DraftWay::Outgoing(outgoing) => *outgoing,
            DraftWay::Incoming { .. } => OutgoingDraft::default(),
        };
        let (event, retry_count) = match webhook.direction {
            Direction::Outgoing(outgoing) => (outgoing.event, outgoing.retry_count),
            Direction::Incoming(_) => (OutgoingEvent::SendMessage, None),
        };
        Self {
            id: webhook.id.0,
            name: webhook.name,
            enabled: webhook.enabled,
            event: Word(event),
            channels: webhook.channels,
            urls: outgoing.urls,
            trigger_words: outgoing.trigger_words,
            trigger_word_anywhere: outgoing.trigger_word_anywhere.unwrap_or_default(),
            run_on_edits: outgoing.run_on_edits.unwrap_or_default(),
            username: webhook.poster.username,
            target_channel: outgoing.target_room,
            impersonate_user: outgoing.impersonate_user.unwrap_or_default(),
            alias: webhook.look.alias.and_then(filled),
            avatar: webhook.look.avatar.and_then(filled),
            emoji: webhook.look.emoji.and_then(filled),
            retry_failed_calls: outgoing.retry_failed_calls.unwrap_or_default(),
            retry_count,
            retry_delay: outgoing.retry_delay.and_then(|rule| RetryRule::named(&rule)).map(Word),
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

macro_rules! requests {
    ($($(#[$attribute:meta])* $name:ident: $type:ty,)+) => {
        /// An outgoing webhook to be created.
        #[derive(Clone, Object)]
        #[oai(rename = "CreateOutgoingWebhook", rename_all = "camelCase", skip_serializing_if_is_none, example)]
        pub struct OutgoingWebhookIn {
            /// Display name.
            #[oai(validator(min_length = 1, max_length = 200))]
            pub name: String,
            /// Event that it is called for.
            pub event: Word<OutgoingEvent>,
            /// URLs, each of which is called.
            #[oai(validator(min_items = 1, max_items = 100))]
            pub urls: Vec<String>,
            $($(#[$attribute])* pub $name: Option<$type>,)+
        }

        /// Changes to an outgoing webhook; absent members stay unchanged, and an empty text removes an optional one.
        #[derive(Clone, Default, Object)]
        #[oai(rename = "UpdateOutgoingWebhook", rename_all = "camelCase", skip_serializing_if_is_none, example)]
        pub struct OutgoingWebhookPatch {
            /// Display name.
            #[oai(validator(min_length = 1, max_length = 200))]
            pub name: Option<String>,
            /// Event that it is called for.
            pub event: Option<Word<OutgoingEvent>>,
            /// URLs, each of which is called.
            #[oai(validator(min_items = 1, max_items = 100))]
            pub urls: Option<Vec<String>>,
            $($(#[$attribute])* pub $name: Option<$type>,)+
        }

        impl From<OutgoingWebhookIn> for OutgoingWebhookPatch {
            fn from(OutgoingWebhookIn { name, event, urls, $($name),+ }: OutgoingWebhookIn) -> Self {
                Self { name: Some(name), event: Some(event), urls: Some(urls), $($name),+ }
            }
        }
    };
}

requests! {
    /// Channels and users that trigger it: `#channel`, `@user`, `all_public_channels`, `all_private_groups` or
    /// `all_direct_messages`; if empty, every public channel.
    #[oai(validator(max_items = 100))]
    channels: Vec<String>,
    /// True if the webhook is enabled; true by default.
    enabled: bool,
    /// Words of which a message begins with one; if empty, it is called for every message.
    #[oai(validator(max_items = 100))]
    trigger_words: Vec<String>,
    /// True if a trigger word may be anywhere in the message; false by default.
    trigger_word_anywhere: bool,
    /// True if edited messages trigger it; false by default.
    run_on_edits: bool,
    /// Name of the user on whose behalf its responses are posted; by default the caller who creates it.
    username: String,
    /// Channel to which its responses are posted; by default the channel of the event. The event `userCreated` needs
    /// one.
    target_channel: String,
    /// True if its responses are posted on behalf of the user that caused the call; false by default.
    impersonate_user: bool,
    /// Token that is sent in its calls. It is shown by its own operation.
    token: String,
    /// Displayed name of its messages' sender.
    alias: String,
    /// Address of the displayed picture of its messages' sender.
    avatar: String,
    /// Displayed emoji of its messages' sender, such as `:ghost:`.
    emoji: String,
    /// True if failed calls are retried; false by default.
    retry_failed_calls: bool,
    /// Maximum number of retries; 4 by default.
    #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
    retry_count: u32,
    /// Pauses before the retries; `powers-of-ten` by default.
    retry_delay: Word<RetryRule>,
    /// True if its script is run on each call and each response; false by default.
    script_enabled: bool,
    /// Source of its script.
    script: String,
}

impl OutgoingWebhookPatch {
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
        let DraftWay::Outgoing(outgoing) = &mut draft.way else { return };
        if let Some(Word(event)) = self.event {
            outgoing.event = event.to_string();
        }
        outgoing.urls = self.urls.unwrap_or(std::mem::take(&mut outgoing.urls));
        put(&mut outgoing.target_room, self.target_channel);
        outgoing.trigger_words = self.trigger_words.unwrap_or(std::mem::take(&mut outgoing.trigger_words));
        outgoing.trigger_word_anywhere = self.trigger_word_anywhere.or(outgoing.trigger_word_anywhere);
        outgoing.token = self.token;
        outgoing.run_on_edits = self.run_on_edits.or(outgoing.run_on_edits);
        outgoing.retry_failed_calls = self.retry_failed_calls.or(outgoing.retry_failed_calls);
        outgoing.retry_count = self.retry_count.map(f64::from).or(outgoing.retry_count);
        put(&mut outgoing.retry_delay, self.retry_delay.map(|Word(RetryRule(rule))| rule.to_owned()));
        outgoing.impersonate_user = self.impersonate_user.or(outgoing.impersonate_user);
    }
}

impl From<OutgoingWebhookIn> for Draft {
    fn from(new: OutgoingWebhookIn) -> Self {
        let mut draft = Self { enabled: true, way: DraftWay::Outgoing(Box::default()), ..Self::default() };
        OutgoingWebhookPatch::from(new).apply(&mut draft);
        draft
    }
}

impl Example for OutgoingWebhookIn {
    fn example() -> Self {
        Self {
            name: "Tell the tracker".into(),
            event: Word(OutgoingEvent::SendMessage),
            urls: vec!["https://tracker.example.org/hook".into()],
            channels: Some(vec!["#general".into()]),
            enabled: None,
            trigger_words: Some(vec!["bug".into()]),
            trigger_word_anywhere: None,
            run_on_edits: None,
            username: None,
            target_channel: None,
            impersonate_user: None,
            token: None,
            alias: None,
            avatar: None,
            emoji: None,
            retry_failed_calls: Some(true),
            retry_count: Some(4),
            retry_delay: Some(Word(RetryRule("powers-of-ten"))),
            script_enabled: None,
            script: None,
        }
    }
}

impl Example for OutgoingWebhookPatch {
    fn example() -> Self {
        Self { enabled: Some(false), ..Self::default() }
    }
}

/// Token of an outgoing webhook.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OutgoingWebhookToken", example)]
pub struct WebhookTokenOut {
    /// Token that is sent in the calls.
    pub token: String,
}

impl From<Secret> for WebhookTokenOut {
    fn from(token: Secret) -> Self {
        Self { token: token.expose().to_owned() }
    }
}

impl Example for WebhookTokenOut {
    fn example() -> Self {
        Self { token: "Q7yq5cJ0vXnB3mRkT9dLwZs8HfPa2GuE1VtYo6iK4jNxCbMr".into() }
    }
}
