//! Content of deliveries to Slack.
//!
//! Not here: the text of messages (`domain::slack::message`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    SlackMessage,
    blocks::{self, MAX_SECTION},
    text,
};

/// Maximum number of blocks of a message (Slack, "Blocks").
const MAX_BLOCKS: usize = 50;

/// A message, and its place among others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlackContent {
    /// The message.
    pub message: SlackMessage,
    /// Its thread; `None` stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Thread>,
    /// Origin of the event, as the room whose rule decided wrote it, where that room may withdraw the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Value>,
}

impl SlackContent {
    /// Creates the content of a message by itself.
    pub fn alone(message: SlackMessage) -> Self {
        Self { message, thread: None, origin: None }
    }

    /// Reads a rendered template: a text in mrkdwn, or an object with `blocks` and a `text` for notifications.
    ///
    /// # Errors
    /// The reason for which it is no message, in words.
    pub fn templated(rendered: Value) -> Result<Self, String> {
        const RULE: &str = "a template for Slack is a text, or an object with an array of blocks and a text";
        let (text, blocks) = match rendered {
            Value::String(text) => {
                let said = text::truncate(&text, MAX_SECTION).into_owned();
                (text, Value::Array(vec![blocks::section(&said)]))
            }
            Value::Object(mut members) => {
                let text = members.remove("text").and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default();
                match members.remove("blocks") {
                    Some(Value::Array(blocks)) if members.is_empty() && (1..=MAX_BLOCKS).contains(&blocks.len()) => {
                        (text, Value::Array(blocks))
                    }
                    _ => return Err(format!("{RULE}, of at most {MAX_BLOCKS} blocks")),
                }
            }
            _ => return Err(RULE.into()),
        };
        let text = text::truncate(&text, MAX_SECTION).into_owned();
        Ok(Self::alone(SlackMessage { text, blocks }))
    }

    /// Marks the content as requested by a member: it is sent also where its topic was notified before, or has no thread.
    pub fn sent_manually(mut self) -> Self {
        if let Some(thread) = &mut self.thread {
            thread.manual = true;
        }
        self
    }
}

/// Place of a message among others on the same topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The topic, such as `github/4711/pull/12`. The first message on a topic opens its thread.
    pub topic: String,
    /// True if it only opens a thread: it is not sent where there is one already.
    #[serde(default)]
    pub only_first: bool,
    /// True if it only replies: it is not sent where there is no thread yet.
    #[serde(default)]
    pub only_reply: bool,
    /// True if a reply is shown in the channel as well.
    #[serde(default)]
    pub broadcast: bool,
    /// True if a member requested it, regardless of former messages. One that would open a thread then stands in the
    /// channel.
    #[serde(default, alias = "by_hand")]
    pub manual: bool,
}
