//! Messages and their timestamps. A message is stored as text: as a tree it is hundreds of small pieces, which cost
//! more to keep and to free than they cost to parse again for a reader.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::workspace::Team;

/// A message's timestamp, which is also its id in its channel: seconds, a dot, six digits.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Ts(i64);

impl Ts {
    /// Returns the timestamp of a message posted now: after every earlier one, even within a microsecond.
    pub(crate) fn next(self, now_micros: i64) -> Self {
        Self(now_micros.max(self.0 + 1))
    }

    /// Parses a timestamp; never as a float, which would round it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (secs, micros) = text.split_once('.')?;
        if micros.len() != 6 {
            return None;
        }
        let secs: i64 = secs.parse().ok()?;
        let micros: u32 = micros.parse().ok()?;
        Some(Self(secs.checked_mul(1_000_000)?.checked_add(i64::from(micros))?))
    }

    /// Part of a permanent link that names a message.
    pub(crate) fn anchor(self) -> String {
        format!("p{}{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }

    pub(crate) fn micros(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Content of a message, with its author.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Content {
    /// Author: the member or the bot user.
    pub(crate) user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bot_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_id: Option<String>,
    pub(crate) team: String,
    /// Displayed name, where it is not the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attachments: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thread_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) edited: Option<Edited>,
}

/// Author and time of the last change of a message.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Edited {
    pub(crate) user: String,
    pub(crate) ts: String,
}

/// A message as it is kept over a restart.
#[derive(Deserialize, Serialize)]
pub(crate) struct KeptMessage(i64, Box<str>);

impl From<&Message> for KeptMessage {
    fn from(message: &Message) -> Self {
        Self(message.at.0, message.content.0.clone())
    }
}

impl From<KeptMessage> for Message {
    fn from(KeptMessage(at, content): KeptMessage) -> Self {
        Self::new(Ts(at), Written(content))
    }
}

/// Content as JSON text, serialised before any lock is taken.
pub(crate) struct Written(Box<str>);

impl Content {
    /// Content posted by the app's bot.
    pub(crate) fn by_bot(team: &Team, app_id: &str) -> Self {
        Self {
            user: team.bot.user_id.clone(),
            bot_id: Some(team.bot.bot_id.clone()),
            app_id: Some(app_id.to_owned()),
            team: team.id.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn written(&self) -> Written {
        Written(serde_json::to_string(self).unwrap_or_else(|_| json!({"user": self.user}).to_string()).into())
    }
}

/// A message in a channel.
pub(crate) struct Message {
    pub(crate) at: Ts,
    content: Written,
}

impl Message {
    pub(crate) fn new(at: Ts, content: Written) -> Self {
        Self { at, content }
    }

    /// Returns the message object of the Web API, as text.
    pub(crate) fn json(&self) -> String {
        // The content is an object with at least its user, so it goes on after a comma.
        let rest = self.content.0.strip_prefix('{').unwrap_or_default();
        format!(r#"{{"type":"message","ts":"{}",{rest}"#, self.at)
    }

    /// Returns the message object as a tree.
    pub(crate) fn to_value(&self) -> Value {
        serde_json::from_str(&self.json()).unwrap_or_default()
    }

    /// Parses the content.
    pub(crate) fn content(&self) -> Content {
        serde_json::from_str(&self.content.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Ts;

    #[test]
    fn timestamps_grow_and_keep_their_digits() {
        let first = Ts::default().next(1_700_000_000_000_001);
        let second = first.next(1_700_000_000_000_000);
        assert_eq!(first.to_string(), "1700000000.000001");
        assert_eq!(second.to_string(), "1700000000.000002");
        assert_eq!(Ts::parse("1700000000.000002"), Some(second));
        for bad in ["1700000000", "1700000000.1", "x.000001", "1.0000001", ""] {
            assert_eq!(Ts::parse(bad), None, "{bad}");
        }
    }
}
