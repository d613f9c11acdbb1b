//! A message in a channel: the data of `message.posted` and `message.published`.
//!
//! Modifiers change its text alone; the author's other members stay. Not here: the event around it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{event::MESSAGE_POSTED, person::Person};
use crate::domain::{
    ids::{ChannelId, IntegrationId},
    pipeline::event::{Event, Fact},
};

/// Maximum length of a message's text, in characters.
pub const MAX_CHARS: usize = 40_000;

/// Maximum size of an event's data in a message, in bytes.
const MAX_DATA: usize = 2000;

/// A message in a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The text; may be empty if there are attachments.
    #[serde(default, rename = "message")]
    pub text: String,
    /// Attachments, as Slack and Rocket.Chat write them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Value>,
    /// The displayed name, if it differs from the author's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Person>,
    /// URL of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// An emoji such as `:ghost:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// The app that posted it: its own messages are never sent to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_id: Option<IntegrationId>,
    /// The apps with answers that led to it, in order; the last posted it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<IntegrationId>,
    /// The message it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// True if it replaces an earlier one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
    /// Other members of the data.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Message {
    /// Returns the fact that it was posted in a channel.
    pub fn posted(&self, channel_id: ChannelId) -> Fact {
        Fact::plain(MESSAGE_POSTED, Some(channel_id), self.data())
    }

    /// Reads the message in an event's data; malformed members are left out. Its text is `message`, or [`text`].
    pub fn read(data: &Value) -> Self {
        let mut message = Self::read_members(data);
        if !data["message"].is_string() && message.more.get("text").is_some_and(Value::is_string) {
            message.more.shift_remove("text");
            text(data).clone_into(&mut message.text);
        }
        message
    }

    fn read_members(data: &Value) -> Self {
        if let Ok(message) = Self::deserialize(data) {
            return message;
        }
        let good = |(name, value): (&String, &Value)| {
            let alone = Value::Object([(name.clone(), value.clone())].into_iter().collect());
            Self::deserialize(&alone).is_ok().then(|| (name.clone(), value.clone()))
        };
        let good: Map<String, Value> = data.as_object().into_iter().flatten().filter_map(good).collect();
        Self::deserialize(Value::Object(good)).unwrap_or_default()
    }

    /// Returns true if its text is longer than a channel allows.
    pub fn is_too_long(&self) -> bool {
        self.text.len() > MAX_CHARS && self.text.chars().count() > MAX_CHARS
    }

    /// Converts it into an event's data.
    pub fn data(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Returns an event as the text of a message: that of a message, or its type with the beginning of its data.
pub fn text_of(event: &Event) -> String {
    let said = text(&event.fact.data);
    if !said.is_empty() {
        return said.to_owned();
    }
    let mut data = event.fact.data.to_string();
    data.truncate(data.floor_char_boundary(MAX_DATA));
    match event.fact.data.is_null() {
        true => event.fact.kind.clone(),
        false => format!("{}: {data}", event.fact.kind),
    }
}

/// Returns the text of a message in an event's data: `message`, or `text`, as Slack and others call it.
pub fn text(data: &Value) -> &str {
    data["message"].as_str().or(data["text"].as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_comes_back() {
        let data = json!({"message": "hi", "username": "CI", "eventName": "built", "status": "success"});
        let message = Message::read(&data);
        assert_eq!((message.text.as_str(), message.username.as_deref()), ("hi", Some("CI")));
        assert_eq!(message.data(), data);
    }

    #[test]
    fn a_text_has_two_names() {
        for (data, expected) in [
            (json!({"text": "hi"}), "hi"),
            (json!({"text": "hi", "message": "ho"}), "ho"),
            (json!({"text": "hi", "message": ""}), ""),
            (json!({"text": "hi", "message": 7}), "hi"),
            (json!({"text": 7}), ""),
            (json!("hi"), ""),
        ] {
            assert_eq!((text(&data), Message::read(&data).text.as_str()), (expected, expected), "{data}");
        }
        assert_eq!(Message::read(&json!({"text": "hi", "a": 1})).data(), json!({"message": "hi", "a": 1}));
    }

    #[test]
    fn malformed_members_are_left_out() {
        let message = Message::read(&json!({"message": "hi", "attachments": "none", "edited": 7}));
        assert_eq!(message, Message { text: "hi".into(), ..Message::default() });
        assert_eq!(Message::read(&Value::Null), Message::default());
        let odd = json!({"user": "ada", "message": "hi", "eventName": "built"});
        assert_eq!(Message::read(&odd).data(), json!({"message": "hi", "eventName": "built"}));
        let null = json!({"message": "hi", "username": null, "integrationId": null});
        assert_eq!(Message::read(&null).data(), json!({"message": "hi"}));
    }
}
