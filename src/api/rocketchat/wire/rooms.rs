//! Schemas of channels and of messages in them.

use chrono::DateTime;
use poem_openapi::{
    Object,
    types::{Any, Example, ToJSON},
};
use serde_json::{Map, Value, json};

use crate::{
    api::{
        rocketchat::{hooks::message, listing::Page},
        shared::{
            fault::{Fault, Protocol},
            time::Timestamp,
        },
    },
    app::{
        channels::rooms::{RoomKey, RoomMessages},
        webhooks::incoming::Posted,
    },
    domain::{
        channels::{Channel, message::Message},
        ids::EventId,
        pipeline::event::Event,
    },
};

/// A channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Room", rename_all = "camelCase", example)]
pub struct RoomOut {
    /// Id of the channel.
    #[oai(rename = "_id")]
    pub id: String,
    /// Name of the channel.
    pub name: String,
    /// `c` for a public channel, `p` for a private one.
    pub t: String,
    /// Time of creation.
    pub ts: Timestamp,
    /// Always false: whoever is in it may post.
    pub ro: bool,
    /// True if it is archived.
    pub archived: bool,
}

impl From<Channel> for RoomOut {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id.to_string(),
            name: channel.name,
            t: if channel.private { "p" } else { "c" }.to_owned(),
            ts: channel.created_at.into(),
            ro: false,
            archived: channel.archived_at.is_some(),
        }
    }
}

impl Example for RoomOut {
    fn example() -> Self {
        Self {
            id: "019aa5c2-7b10-7000-8000-000000000007".into(),
            name: "alerts".into(),
            t: "c".into(),
            ts: DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default().into(),
            ro: false,
            archived: false,
        }
    }
}

/// Returns a channel as a document of a list.
pub fn document(channel: Channel) -> Value {
    RoomOut::from(channel).to_json().unwrap_or_default()
}

/// Returns the channel that the query names.
///
/// # Errors
/// [`Protocol::Parameter`] where it names none.
pub fn key<'a>(private: bool, (id, name): (Option<&'a str>, Option<&'a str>)) -> Result<RoomKey<'a>, Fault> {
    if id.or(name).is_none() {
        return Err(Protocol::Parameter { name: "roomId".to_owned(), reason: "is required".to_owned() }.into());
    }
    Ok(RoomKey { private, id, name })
}

/// A page of public channels.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelList", example)]
pub struct ChannelListOut {
    /// The page; with `fields`, only the requested members of each.
    pub channels: Vec<Any<Value>>,
    /// Number of skipped items.
    pub offset: u64,
    /// Number of items on this page.
    pub count: u64,
    /// Number of all items.
    pub total: u64,
    /// Always true.
    pub success: bool,
}

impl From<Page> for ChannelListOut {
    fn from(Page { items, offset, total }: Page) -> Self {
        let count = items.len() as u64;
        Self { channels: items.into_iter().map(Any).collect(), offset, count, total, success: true }
    }
}

impl Example for ChannelListOut {
    fn example() -> Self {
        let one = RoomOut::example().to_json().unwrap_or_default();
        Self { channels: vec![Any(one)], offset: 0, count: 1, total: 1, success: true }
    }
}

/// A public channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Channel", example)]
pub struct ChannelOut {
    /// The channel.
    pub channel: RoomOut,
    /// Always true.
    pub success: bool,
}

impl From<Channel> for ChannelOut {
    fn from(channel: Channel) -> Self {
        Self { channel: channel.into(), success: true }
    }
}

impl Example for ChannelOut {
    fn example() -> Self {
        Self { channel: RoomOut::example(), success: true }
    }
}

/// A page of private channels.
#[derive(Clone, Debug, Object)]
#[oai(rename = "GroupList", example)]
pub struct GroupListOut {
    /// The page; with `fields`, only the requested members of each.
    pub groups: Vec<Any<Value>>,
    /// Number of skipped items.
    pub offset: u64,
    /// Number of items on this page.
    pub count: u64,
    /// Number of all items.
    pub total: u64,
    /// Always true.
    pub success: bool,
}

impl From<Page> for GroupListOut {
    fn from(Page { items, offset, total }: Page) -> Self {
        let count = items.len() as u64;
        Self { groups: items.into_iter().map(Any).collect(), offset, count, total, success: true }
    }
}

impl Example for GroupListOut {
    fn example() -> Self {
        let one = RoomOut::example().to_json().unwrap_or_default();
        Self { groups: vec![Any(one)], offset: 0, count: 1, total: 1, success: true }
    }
}

/// A private channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Group", example)]
pub struct GroupOut {
    /// The channel.
    pub group: RoomOut,
    /// Always true.
    pub success: bool,
}

impl From<Channel> for GroupOut {
    fn from(channel: Channel) -> Self {
        Self { group: channel.into(), success: true }
    }
}

impl Example for GroupOut {
    fn example() -> Self {
        Self { group: RoomOut::example(), success: true }
    }
}

/// A page of messages, newest first.
#[derive(Clone, Debug, Object)]
#[oai(rename = "MessageList", example)]
pub struct MessageListOut {
    /// The messages, in the product's format.
    pub messages: Vec<Any<Value>>,
    /// Number of skipped items.
    pub offset: u64,
    /// Number of items on this page.
    pub count: u64,
    /// Number of all items.
    pub total: u64,
    /// Always true.
    pub success: bool,
}

impl MessageListOut {
    /// Makes the answer, for a number of skipped messages.
    pub fn new(RoomMessages { messages, total }: RoomMessages, offset: u64) -> Self {
        let count = messages.len() as u64;
        let messages = messages.into_iter().filter_map(|event| Some(Any(message(posted(event)?)))).collect();
        Self { messages, offset, count, total, success: true }
    }
}

impl Example for MessageListOut {
    fn example() -> Self {
        let PostedOut { message, .. } = PostedOut::example();
        Self { messages: vec![message], offset: 0, count: 1, total: 1, success: true }
    }
}

/// Returns the message of an event. Its id is that of the event by which it was posted, as its author knows it.
fn posted(event: Event) -> Option<Posted> {
    let mut message = Message::read(&event.fact.data);
    let posted_as = message.more.shift_remove("postedAs");
    let id = posted_as.and_then(|id| id.as_str()?.parse::<EventId>().ok()).unwrap_or(event.id);
    Some(Posted { id, channel_id: event.fact.channel_id?, message, at: event.created_at })
}

/// A message to post: `text` or `attachments`, and its channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChatMessage", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct ChatMessageIn {
    /// Channel to which it is posted: `#channel`, `@user`, a name, an id, or several of them.
    pub channel: Option<Any<Value>>,
    /// Alias of `channel`.
    pub room_id: Option<Any<Value>>,
    /// Text of the message.
    pub text: Option<String>,
    /// Displayed name.
    pub alias: Option<String>,
    /// URL of the displayed picture.
    pub avatar: Option<String>,
    /// Emoji that is displayed in place of a picture.
    pub emoji: Option<String>,
    /// Attachments, as Slack has them.
    pub attachments: Option<Vec<Any<Value>>>,
    /// Id of the message that it replies to.
    pub tmid: Option<String>,
}

impl ChatMessageIn {
    /// Returns the members that were sent.
    pub fn content(self) -> Map<String, Value> {
        match self.to_json() {
            Some(Value::Object(content)) => content,
            _ => Map::new(),
        }
    }
}

impl Example for ChatMessageIn {
    fn example() -> Self {
        Self {
            channel: Some(Any("#alerts".into())),
            room_id: None,
            text: Some("the build is done".into()),
            alias: None,
            avatar: None,
            emoji: None,
            attachments: None,
            tmid: None,
        }
    }
}

/// A posted message.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChatMessagePosted", example)]
pub struct PostedOut {
    /// Time of the post, in milliseconds since 1970.
    pub ts: i64,
    /// Id of the channel.
    pub channel: String,
    /// The message, in the product's format.
    pub message: Any<Value>,
    /// Always true.
    pub success: bool,
}

impl From<Posted> for PostedOut {
    fn from(posted: Posted) -> Self {
        let (ts, channel) = (posted.at.timestamp_millis(), posted.channel_id.to_string());
        Self { ts, channel, message: Any(message(posted)), success: true }
    }
}

impl Example for PostedOut {
    fn example() -> Self {
        let channel = RoomOut::example().id;
        let message = json!({"_id": "019aa5c2-7b10-7000-8000-000000000008", "rid": channel, "msg": "the build is done",
            "ts": "2026-11-18T11:06:40.000Z", "u": {"_id": "019aa5c2-7b10-7000-8000-000000000003", "username": "ada",
            "name": "ada"}});
        Self { ts: 1_795_000_000_000, channel, message: Any(message), success: true }
    }
}
