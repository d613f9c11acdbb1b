//! Messages posted by an incoming webhook, or by the answer to an outgoing one: the keys of Slack's incoming webhooks,
//! and those that Rocket.Chat added.
//!
//! Not here: the permission to post.

mod blocks;

use serde_json::{Map, Value};

use super::{Look, Webhook};
use crate::domain::channels::message::{MAX_CHARS, Message};

/// Maximum number of channels of one request.
pub const MAX_TARGETS: usize = 50;

/// A message to post, with its targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// Targets as written, without duplicates; empty for the default target.
    pub targets: Vec<String>,
    /// The message, without an author.
    pub message: Message,
    /// True if the outcome is reported for each channel separately.
    pub separate: bool,
}

/// Reason for not posting a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostFault {
    /// The message is empty.
    #[error("there is neither a text nor an attachment to post")]
    Empty,
    /// The message is too long.
    #[error("the text is longer than {MAX_CHARS} characters")]
    TooLong,
    /// It has too many targets.
    #[error("it names more than {MAX_TARGETS} channels")]
    TooManyTargets,
    /// There is no such channel, or no such user.
    #[error("there is no channel {0:?} here, and no user with that name or id")]
    NoSuchTarget(String),
    /// The poster does not see the channel.
    #[error("the user in whose name it is posted is not in the channel")]
    NotAllowed,
    /// The channel is archived.
    #[error("the channel is archived")]
    Archived,
    /// There is no user with the requested author's name.
    #[error("there is no user in whose name it could be posted")]
    NoSuchUser,
}

impl PostFault {
    /// Returns the error code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            PostFault::Empty => "unknown-error",
            PostFault::TooLong => "error-message-size-exceeded",
            PostFault::TooManyTargets => "error-too-many-channels",
            PostFault::NoSuchTarget(_) => "invalid-channel",
            PostFault::NotAllowed => "error-not-allowed",
            PostFault::Archived => "room_is_archived",
            PostFault::NoSuchUser => "error-invalid-user",
        }
    }
}

impl Post {
    /// Parses a message to post. Malformed members are left out, like unknown ones.
    ///
    /// # Errors
    /// [`PostFault::Empty`], [`PostFault::TooLong`], [`PostFault::TooManyTargets`], [`PostFault::NoSuchTarget`] for one
    /// that is not a text.
    pub fn read(content: &Map<String, Value>, webhook: &Webhook) -> Result<Self, PostFault> {
        let mut message = message(content, &webhook.look);
        message.integration_id = Some(webhook.id);
        Self::checked(content, message)
    }

    /// Parses a message that a member posts.
    ///
    /// # Errors
    /// As [`Self::read`], and [`PostFault::NoSuchTarget`] where it names no target.
    pub fn by_member(content: &Map<String, Value>) -> Result<Self, PostFault> {
        let post = Self::checked(content, message(content, &Look::default()))?;
        if post.targets.is_empty() { Err(PostFault::NoSuchTarget(String::new())) } else { Ok(post) }
    }

    fn checked(content: &Map<String, Value>, mut message: Message) -> Result<Self, PostFault> {
        let targets = targets(content)?;
        if message.text.is_empty() && message.attachments.is_empty() {
            message.text = content.get("blocks").map(blocks::text).unwrap_or_default();
        }
        if message.text.is_empty() && message.attachments.is_empty() {
            return Err(PostFault::Empty);
        }
        if message.is_too_long() {
            return Err(PostFault::TooLong);
        }
        Ok(Self { targets, message, separate: content.get("separateResponse") == Some(&Value::Bool(true)) })
    }
}

/// Returns true if the sender chose a target.
pub fn names_a_target(content: &Map<String, Value>) -> bool {
    asked(content).is_some()
}

fn asked(content: &Map<String, Value>) -> Option<&Value> {
    let named = |value: &&Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(all) => !all.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Object(_) => true,
    };
    ["channel", "roomId"].into_iter().find_map(|key| content.get(key).filter(named))
}

fn targets(content: &Map<String, Value>) -> Result<Vec<String>, PostFault> {
    let named = match asked(content) {
        None => &[],
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let mut targets: Vec<String> = Vec::new();
    for one in named {
        let Some(text) = one.as_str().map(str::trim).filter(|text| !text.is_empty()) else {
            return Err(PostFault::NoSuchTarget(one.to_string()));
        };
        if targets.iter().any(|known| known == text) {
            continue;
        }
        if targets.len() == MAX_TARGETS {
            return Err(PostFault::TooManyTargets);
        }
        targets.push(text.to_owned());
    }
    Ok(targets)
}

fn message(content: &Map<String, Value>, look: &Look) -> Message {
    let text = |keys: [&str; 2]| keys.into_iter().find_map(|key| said(content.get(key)?));
    let (picture, emoji) = (text(["icon_url", "avatar"]), text(["icon_emoji", "emoji"]));
    let (avatar, emoji) = match (picture, emoji) {
        (Some(picture), _) => (Some(picture), None),
        (None, Some(emoji)) => (None, Some(emoji)),
        (None, None) if look.avatar.is_some() => (look.avatar.clone(), None),
        (None, None) => (None, look.emoji.clone()),
    };
    let mut more = Map::new();
    for key in ["parseUrls", "groupable"] {
        if let Some(Value::Bool(wish)) = content.get(key) {
            more.insert(key.to_owned(), (*wish).into());
        }
    }
    if let Some(Value::Object(fields)) = content.get("customFields") {
        more.insert("customFields".to_owned(), fields.clone().into());
    }
    Message {
        text: text(["text", "msg"]).unwrap_or_default(),
        attachments: attachments(content.get("attachments")),
        username: text(["username", "alias"]).or_else(|| look.alias.clone()),
        avatar,
        emoji,
        thread_id: content.get("tmid").and_then(said),
        more,
        ..Message::default()
    }
}

/// Converts a scalar into text, trimmed; `None` if nothing is left.
fn said(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(true) => value.to_string(),
        Value::Null | Value::Bool(false) | Value::Array(_) | Value::Object(_) => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

fn attachments(value: Option<&Value>) -> Vec<Value> {
    let Some(Value::Array(all)) = value else { return Vec::new() };
    let renamed = |object: &Map<String, Value>| {
        let mut object = object.clone();
        if let Some(text) = object.shift_remove("msg").as_ref().and_then(said) {
            object.insert("text".to_owned(), text.into());
        }
        (!object.is_empty()).then_some(Value::Object(object))
    };
    all.iter().filter_map(Value::as_object).filter_map(renamed).collect()
}

#[cfg(test)]
mod tests;
