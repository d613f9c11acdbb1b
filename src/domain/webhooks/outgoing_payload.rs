//! Builds the request body of an outgoing webhook, for each of its events.
//!
//! Not here: the decision to call it (`trigger`).

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::OutgoingEvent;
use crate::domain::{
    ambient::timestamp,
    channels::{Channel, message::Message, person::Person},
    ids::ChannelId,
    pipeline::event::Event,
};

/// Context of a call beside the event itself.
#[derive(Clone, Debug, Default)]
pub struct Telling<'a> {
    /// The webhook's token, if it has one.
    pub token: Option<&'a str>,
    /// The trigger word that matched.
    pub trigger_word: Option<&'a str>,
    /// Public address of this service.
    pub site_url: &'a str,
    /// The channel of the event, if it has one that still exists.
    pub channel: Option<&'a Channel>,
}

/// A member.
#[derive(Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutgoingUser {
    /// Id of the user.
    #[serde(rename = "_id")]
    id: String,
    /// Username of the user.
    username: String,
    /// `user`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// True for an active member.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    /// Roles of the user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    /// Email addresses of the user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<OutgoingEmail>,
    /// Time at which the member was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    created_at: Option<String>,
}

/// An email address.
#[derive(Clone, Serialize, ToSchema)]
struct OutgoingEmail {
    /// Email address.
    address: String,
}

/// A channel.
#[derive(Clone, Serialize, ToSchema)]
pub struct OutgoingRoom {
    /// Id of the channel.
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid)]
    id: Option<ChannelId>,
    /// Name of the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "t")]
    #[schema(inline)]
    kind: RoomKind,
    /// Time of creation.
    #[serde(rename = "ts", skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    created_at: Option<String>,
    /// True for an archived channel, which accepts no new messages.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    archived: bool,
}

/// Public, private or direct.
#[derive(Clone, Copy, Serialize, ToSchema)]
enum RoomKind {
    #[serde(rename = "c")]
    Public,
    #[serde(rename = "p")]
    Private,
    #[serde(rename = "d")]
    Direct,
}

/// Members common to messages.
#[derive(Serialize, ToSchema)]
struct Posted {
    /// Token of the webhook, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// True if an integration caused the event.
    bot: bool,
    /// Trigger word of the message, if the webhook has trigger words.
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_word: Option<String>,
    /// Id of the channel.
    // Messages are always in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required)]
    channel_id: Option<ChannelId>,
    /// Name of the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_name: Option<String>,
    /// Id of the message.
    message_id: String,
    /// Time of the event.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Id of the user that caused the event: a UUID, or `rocket.cat`.
    user_id: String,
    /// Username of that user.
    user_name: String,
    /// Text of the message.
    text: String,
    /// Displayed name of the sender, for a message of an integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutgoingMessage {
    #[serde(flatten)]
    #[schema(inline)]
    posted: Posted,
    /// Public address of this service.
    site_url: String,
    /// True for an edited message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_edited: bool,
    /// Id of the message that it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    tmid: Option<String>,
}

/// A message with a file.
#[derive(Serialize, ToSchema)]
pub struct OutgoingFile {
    #[serde(flatten)]
    #[schema(inline)]
    posted: Posted,
    user: OutgoingUser,
    room: OutgoingRoom,
    /// The message with its file, in the product's format.
    #[schema(value_type = Object)]
    message: Value,
}

/// Members common to events of a channel.
#[derive(Serialize, ToSchema)]
struct InRoom {
    /// Token of the webhook, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// True if an integration caused the event.
    bot: bool,
    /// Time of the event.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Id of the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid)]
    channel_id: Option<ChannelId>,
    /// Name of the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_name: Option<String>,
    /// Id of the user that caused the event: a UUID, or `rocket.cat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Username of that user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    room: OutgoingRoom,
}

/// An event of a channel.
#[derive(Serialize, ToSchema)]
pub struct OutgoingRoomEvent {
    #[serde(flatten)]
    #[schema(inline)]
    event: InRoom,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<OutgoingUser>,
}

/// A newly created channel.
#[derive(Serialize, ToSchema)]
pub struct OutgoingRoomCreated {
    #[serde(flatten)]
    #[schema(inline)]
    event: InRoom,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    owner: Option<OutgoingUser>,
}

/// A newly added member.
#[derive(Serialize, ToSchema)]
pub struct OutgoingUserCreated {
    /// Token of the webhook, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// True for a bot.
    bot: bool,
    /// Time of the event.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Id of the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Username of that user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<OutgoingUser>,
}

/// Builds the body for an event.
pub fn payload(event: OutgoingEvent, source: &Event, telling: &Telling<'_>) -> Value {
    let data = &*source.fact.data;
    let user = OutgoingUser::read(&data["user"]);
    let time = |created_at: &Value| text(created_at).unwrap_or_else(|| timestamp(source.created_at));
    match event {
        OutgoingEvent::SendMessage => {
            let message = Message::read(data);
            json!(OutgoingMessage {
                posted: Posted::new(source, &message, telling),
                site_url: telling.site_url.to_owned(),
                is_edited: message.edited,
                tmid: message.thread_id,
            })
        }
        OutgoingEvent::FileUploaded => {
            let message = Message::read(data);
            let posted = Posted::new(source, &message, telling);
            json!(OutgoingFile {
                user: OutgoingUser {
                    id: posted.user_id.clone(),
                    username: posted.user_name.clone(),
                    ..OutgoingUser::default()
                },
                room: OutgoingRoom::of(source, telling.channel),
                message: said(&posted, &message),
                posted,
            })
        }
        OutgoingEvent::RoomCreated => {
            let event = InRoom::new(source, telling, time(&data["channel"]["createdAt"]), user.as_ref());
            json!(OutgoingRoomCreated { event, owner: user })
        }
        OutgoingEvent::RoomArchived | OutgoingEvent::RoomJoined | OutgoingEvent::RoomLeft => {
            let event = InRoom::new(source, telling, timestamp(source.created_at), user.as_ref());
            json!(OutgoingRoomEvent { event, user })
        }
        OutgoingEvent::UserCreated => json!(OutgoingUserCreated {
            token: telling.token.map(str::to_owned),
            bot: false,
            timestamp: time(&data["user"]["createdAt"]),
            user_id: user.as_ref().map(|user| user.id.clone()),
            user_name: user.as_ref().map(|user| user.username.clone()),
            user,
        }),
    }
}

impl Posted {
    fn new(source: &Event, message: &Message, telling: &Telling<'_>) -> Self {
        let author = message.user.clone().unwrap_or_else(Person::bot);
        // The id given by its author, or that of the event that it was posted as.
        let given = text(&source.fact.data["messageId"]);
        let room = OutgoingRoom::of(source, telling.channel);
        Self {
            token: telling.token.map(str::to_owned),
            bot: message.integration_id.is_some(),
            trigger_word: telling.trigger_word.map(str::to_owned),
            channel_id: room.id,
            channel_name: room.name,
            message_id: given.unwrap_or_else(|| source.made_from.unwrap_or(source.id).to_string()),
            timestamp: timestamp(source.created_at),
            user_id: author.id(),
            user_name: author.username,
            text: message.text.clone(),
            alias: message.username.clone(),
        }
    }
}

impl InRoom {
    fn new(source: &Event, telling: &Telling<'_>, timestamp: String, user: Option<&OutgoingUser>) -> Self {
        let room = OutgoingRoom::of(source, telling.channel);
        Self {
            token: telling.token.map(str::to_owned),
            bot: false,
            timestamp,
            channel_id: room.id,
            channel_name: room.name.clone(),
            user_id: user.map(|user| user.id.clone()),
            user_name: user.map(|user| user.username.clone()),
            room,
        }
    }
}

/// Builds a message in the product's format.
fn said(posted: &Posted, message: &Message) -> Value {
    let mut said = json!({
        "_id": posted.message_id,
        "rid": posted.channel_id,
        "msg": posted.text,
        "ts": posted.timestamp,
        "u": {"_id": posted.user_id, "username": posted.user_name},
    });
    if !message.attachments.is_empty() {
        said["attachments"] = message.attachments.clone().into();
    }
    for key in ["file", "files"] {
        if let Some(value) = message.more.get(key) {
            said[key] = value.clone();
        }
    }
    said
}

impl OutgoingUser {
    fn read(data: &Value) -> Option<Self> {
        Some(Self {
            id: text(&data["id"])?,
            username: text(&data["username"])?,
            kind: Some("user"),
            active: Some(true),
            roles: text(&data["role"]).into_iter().collect(),
            emails: text(&data["email"]).map(|address| OutgoingEmail { address }).into_iter().collect(),
            created_at: text(&data["createdAt"]),
        })
    }
}

impl OutgoingRoom {
    /// Returns a channel as recorded in the event, or else in its current state.
    fn of(source: &Event, channel: Option<&Channel>) -> Self {
        let told = &source.fact.data["channel"];
        let now = channel.map(Channel::event_data).unwrap_or_default();
        let flag = |key: &str| told[key].as_bool().or(now[key].as_bool()).unwrap_or_default();
        let word = |key: &str| text(&told[key]).or_else(|| text(&now[key]));
        Self {
            id: source.fact.channel_id,
            name: word("name"),
            kind: match (flag("direct"), flag("private")) {
                (true, _) => RoomKind::Direct,
                (false, true) => RoomKind::Private,
                (false, false) => RoomKind::Public,
            },
            created_at: word("createdAt"),
            archived: word("archivedAt").is_some(),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
