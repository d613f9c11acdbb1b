//! Schemas of incoming webhooks' requests and their responses.

use poem_openapi::{
    ApiResponse, Object,
    payload::Json,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{Any, Example, Type},
};
use serde_json::{Map, Value, json};

use crate::{
    api::shared::{media::Media, signed::Inbound, time::Timestamp},
    app::webhooks::incoming::{HookAnswer, Posted, Sample, Subscriber, Told},
    domain::webhooks::payload::MAX_PAYLOAD_BYTES,
};

/// Message for an incoming webhook. The members are those of Slack's incoming webhooks, with additions.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IncomingMessage", rename_all = "camelCase", example)]
pub struct MessageIn {
    /// Text of the message.
    pub text: Option<String>,
    /// Alias of `text`.
    pub msg: Option<String>,
    /// Channels to which the message is posted, if the sender may choose them: `#channel`, `@user`, an id, or several
    /// of them.
    pub channel: Option<Any<Value>>,
    /// Alias of `channel`.
    #[oai(rename = "roomId")]
    pub room_id: Option<Any<Value>>,
    /// Displayed name of the sender.
    pub username: Option<String>,
    /// Alias of `username`.
    pub alias: Option<String>,
    /// Address of the sender's picture.
    #[oai(rename = "icon_url")]
    pub icon_url: Option<String>,
    /// Alias of `icon_url`.
    pub avatar: Option<String>,
    /// An emoji such as `:ghost:`, in place of a picture.
    #[oai(rename = "icon_emoji")]
    pub icon_emoji: Option<String>,
    /// Alias of `icon_emoji`.
    pub emoji: Option<String>,
    /// Attachments in Slack's format.
    pub attachments: Option<Vec<Any<Value>>>,
    /// True if links in the text are shown with a preview.
    pub parse_urls: Option<bool>,
    /// True if it may be grouped with the preceding message.
    pub groupable: Option<bool>,
    /// Id of the message that it replies to.
    pub tmid: Option<String>,
    /// Custom fields of the message.
    pub custom_fields: Option<Any<Value>>,
    /// True if the response reports each channel separately.
    pub separate_response: Option<bool>,
}

impl Example for MessageIn {
    fn example() -> Self {
        let attachment = json!({"title": "Build 17", "title_link": "https://ci.example.org/17", "color": "#764FA5"});
        Self {
            text: Some("The build is done".into()),
            msg: None,
            channel: None,
            room_id: None,
            username: None,
            alias: Some("CI".into()),
            icon_url: None,
            avatar: None,
            icon_emoji: None,
            emoji: Some(":gear:".into()),
            attachments: Some(vec![Any(attachment)]),
            parse_urls: None,
            groupable: None,
            tmid: None,
            custom_fields: None,
            separate_response: None,
        }
    }
}

/// The message as a form.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IncomingForm")]
pub struct FormIn {
    /// The object as JSON, if it is the only field. Otherwise the fields are the members of the object.
    pub payload: Option<String>,
}

/// The body of a request to an incoming webhook.
pub struct HookBody;

impl Inbound for HookBody {
    const MEDIA: &'static [Media] = &[Media::Json, Media::Form, Media::Anything];
    const LIMIT_BYTES: usize = MAX_PAYLOAD_BYTES;
    const REQUIRED: bool = false;
    /// The token is checked first; a message is stored as JSON text, in which the character is escaped.
    const CHECKS_TEXT: bool = false;

    type Schema = MessageIn;

    fn schema(media: Media) -> MetaSchemaRef {
        match media {
            Media::Json => MessageIn::schema_ref(),
            Media::Form => FormIn::schema_ref(),
            Media::Anything => MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        }
    }

    fn register(registry: &mut Registry) {
        MessageIn::register(registry);
        FormIn::register(registry);
    }
}

/// Response to a request. A script may add members.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Received", skip_serializing_if_is_none, example)]
pub struct ReceivedOut {
    /// True if a message was posted; false if each channel refused it.
    pub success: bool,
    /// Result of each channel, if requested by the sender: its `channel`, and a `message` or an `error`.
    pub responses: Option<Any<Value>>,
}

impl Example for ReceivedOut {
    fn example() -> Self {
        Self { success: true, responses: None }
    }
}

/// Response to a request.
#[derive(ApiResponse)]
pub enum Answered {
    /// The request succeeded.
    #[oai(status = 200, actual_type = "Json<ReceivedOut>")]
    Done(Json<Any<Value>>),
    /// Refused by the script, or by each channel.
    #[oai(status = 400, actual_type = "Json<ReceivedOut>")]
    Refused(Json<Any<Value>>),
}

impl From<HookAnswer> for Answered {
    fn from(answer: HookAnswer) -> Self {
        let with = |members: Map<String, Value>, success: bool| {
            let mut members = members;
            members.insert("success".to_owned(), success.into());
            Json(Any(Value::Object(members)))
        };
        let one = |name: &str, value: Value| [(name.to_owned(), value)].into_iter().collect::<Map<_, _>>();
        match answer {
            HookAnswer::Done { response: None } => Self::Done(with(Map::new(), true)),
            HookAnswer::Done { response: Some(Value::Object(members)) } => Self::Done(with(members, true)),
            HookAnswer::Done { response: Some(other) } => Self::Done(with(one("response", other), true)),
            HookAnswer::Refused(Value::Object(members)) => Self::Refused(with(members, false)),
            HookAnswer::Refused(Value::String(error)) => Self::Refused(with(one("error", error.into()), false)),
            HookAnswer::Refused(other) => Self::Refused(with(one("error", other.to_string().into()), false)),
            HookAnswer::Separate(told) => {
                let some = told.is_empty() || told.iter().any(|told| told.result.is_ok());
                let responses = one("responses", told.into_iter().map(response).collect());
                if some { Self::Done(with(responses, true)) } else { Self::Refused(with(responses, false)) }
            }
        }
    }
}

fn response(Told { target, result }: Told) -> Value {
    match result {
        Ok(posted) => json!({"channel": target, "message": message(posted)}),
        Err(fault) => json!({"channel": target, "error": fault.code()}),
    }
}

/// Renders a message in the product's format.
pub(in crate::api::rocketchat) fn message(Posted { id, channel_id, message, at }: Posted) -> Value {
    let author = message.user.map(|user| json!({"_id": user.id(), "username": user.username, "name": user.username}));
    let members = [
        ("_id", Some(json!(id))),
        ("rid", Some(json!(channel_id))),
        ("ts", Some(json!(at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)))),
        ("msg", Some(json!(message.text))),
        ("u", author),
        ("alias", message.username.map(Value::from)),
        ("avatar", message.avatar.map(Value::from)),
        ("emoji", message.emoji.map(Value::from)),
        ("parseUrls", Some(json!(message.attachments.is_empty()))),
        ("attachments", (!message.attachments.is_empty()).then_some(Value::Array(message.attachments))),
        ("groupable", Some(json!(false))),
        ("tmid", message.thread_id.map(Value::from)),
        ("bot", message.integration_id.map(|id| json!({"i": id}))),
    ];
    let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(known.chain(message.more).collect())
}

/// The request succeeded.
#[derive(Clone, Debug, Object)]
#[oai(rename = "HookDone", example)]
pub struct Done {
    /// Always true.
    pub success: bool,
}

impl Example for Done {
    fn example() -> Self {
        Self { success: true }
    }
}

/// Example of an outgoing webhook's call.
#[derive(Clone, Debug, Object)]
#[oai(rename = "HookSample", skip_serializing_if_is_none)]
pub struct SampleOut {
    /// Token of the webhook, by which the recipient verifies the call.
    pub token: String,
    /// Id of the channel.
    pub channel_id: String,
    /// Name of the channel.
    pub channel_name: String,
    /// Time of the message.
    pub timestamp: Timestamp,
    /// Id of the message's author.
    pub user_id: String,
    /// Name of the message's author.
    pub user_name: String,
    /// Text of the message.
    pub text: String,
    /// Trigger word of the message.
    pub trigger_word: Option<String>,
}

/// Returns three invented messages.
pub fn samples(sample: &Sample) -> Vec<SampleOut> {
    let said = |text: &str, trigger_word: Option<&str>| SampleOut {
        token: "the-token-of-the-outgoing-webhook".into(),
        channel_id: "the-id-of-the-channel".into(),
        channel_name: sample.channel.trim_start_matches(['#', '@']).to_owned(),
        timestamp: sample.at.into(),
        user_id: sample.poster.id(),
        user_name: sample.poster.username.clone(),
        text: text.to_owned(),
        trigger_word: trigger_word.map(str::to_owned),
    };
    vec![
        said("The build is done", None),
        said("help: how do I deploy?", Some("help")),
        said("bug: the button is gone", Some("bug")),
    ]
}

/// Subscriber that is called when a message is posted.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Subscriber", example)]
pub struct SubscriberIn {
    /// `newMessageOnChannel` or `newMessageToUser`.
    pub event: String,
    /// Name of the subscriber.
    pub name: String,
    /// URL of the subscriber.
    pub target_url: String,
    /// Channel or user of the subscription.
    pub data: Option<SubscriberDataIn>,
}

/// Channel or user of a subscription.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "SubscriberData", skip_serializing_if_is_none)]
pub struct SubscriberDataIn {
    /// Channel of `newMessageOnChannel`, with or without `#`.
    pub channel_name: Option<String>,
    /// User of `newMessageToUser`, with or without `@`.
    pub username: Option<String>,
    /// Trigger words: the subscriber is called for messages that begin with one of them.
    pub trigger_words: Option<Vec<String>>,
}

impl Example for SubscriberIn {
    fn example() -> Self {
        let channel_name = Some("general".to_owned());
        Self {
            event: "newMessageOnChannel".into(),
            name: "Flow".into(),
            target_url: "https://flows.example.org/hook".into(),
            data: Some(SubscriberDataIn { channel_name, ..SubscriberDataIn::default() }),
        }
    }
}

impl From<SubscriberIn> for Subscriber {
    fn from(SubscriberIn { event, name, target_url, data }: SubscriberIn) -> Self {
        let SubscriberDataIn { channel_name, username, trigger_words } = data.unwrap_or_default();
        Self { event, name, target_url, channel_name, username, trigger_words: trigger_words.unwrap_or_default() }
    }
}

/// Subscriber to be removed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Unsubscribe")]
pub struct UnsubscribeIn {
    /// URL of the subscriber.
    pub target_url: String,
}
