//! A message in a channel: what the data of `message.posted` and `message.published` says.
//!
//! Modifiers change its text alone. Whatever else an author put into the data stays there.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::person::Person;
use crate::domain::ids::IntegrationId;

/// The longest text of a message, in characters.
pub const MAX_CHARS: usize = 40_000;

/// A message in a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// What is said; may be empty where there are attachments.
    #[serde(default, rename = "message")]
    pub text: String,
    /// Attachments, as Slack and Rocket.Chat write them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Value>,
    /// The name that is shown, where that is not the author's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Person>,
    /// A picture's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// An emoji such as `:ghost:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// The integration that posted it: it is never sent what it posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_id: Option<IntegrationId>,
    /// The integrations whose answers led to it, the first one first; the last posted it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<IntegrationId>,
    /// The message that it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// Whether it takes the place of one that was posted before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
    /// What else is said of it.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Message {
    /// The message in an event's data; what is not as it should be is left out.
    pub fn read(data: &Value) -> Self {
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

    /// Whether its text is longer than a channel takes.
    pub fn is_too_long(&self) -> bool {
        self.text.len() > MAX_CHARS && self.text.chars().count() > MAX_CHARS
    }

    /// As an event's data.
    pub fn data(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
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
    fn what_is_wrong_is_left_out() {
        let message = Message::read(&json!({"message": "hi", "attachments": "none", "edited": 7}));
        assert_eq!(message, Message { text: "hi".into(), ..Message::default() });
        assert_eq!(Message::read(&Value::Null), Message::default());
        let odd = json!({"user": "ada", "message": "hi", "eventName": "built"});
        assert_eq!(Message::read(&odd).data(), json!({"message": "hi", "eventName": "built"}));
        let null = json!({"message": "hi", "username": null, "integrationId": null});
        assert_eq!(Message::read(&null).data(), json!({"message": "hi"}));
    }
}
