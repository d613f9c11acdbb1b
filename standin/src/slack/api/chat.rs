//! Messages: `chat.*`. Posting is the one method that is called thousands of times a second, so it copies little.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Call;
use crate::params::Params;
use crate::slack::answer::{Answer, Outcome, Refusal};
use crate::slack::blocks;
use crate::slack::channel::Channel;
use crate::slack::grants::{Holder, Token};
use crate::slack::message::{Content, Edited, Ts};

const LONGEST_TEXT: usize = 40_000;
const LONGEST_MARKDOWN: usize = 12_000;
const MOST_ATTACHMENTS: usize = 100;

pub(super) fn post_message(call: &mut Call) -> Outcome {
    let token = call.token_with("chat:write")?;
    let channel = postable(call, &token)?;
    let mut content = author(call, &token);
    read_content(&mut call.params, &mut content)?;
    if token.has("chat:write.customize") {
        content.username = call.params.take_text("username");
    }
    content.thread_ts = call.params.take_text("thread_ts");
    let message = channel.post(&content, call.slack.clock.now_micros(), &call.slack.limits)?;
    // The message is text already; a tree around it would only be parsed again.
    let (channel, ts, message) = (json!(channel.id), message.at, message.json());
    Ok(Answer::written(format!(r#"{{"ok":true,"channel":{channel},"ts":"{ts}","message":{message}}}"#)))
}

pub(super) fn post_ephemeral(call: &mut Call) -> Outcome {
    let token = call.token_with("chat:write")?;
    postable(call, &token)?;
    let user = call.params.required("user", "user_not_in_channel")?;
    if token.team.user(user).is_none() {
        return Err("user_not_in_channel".into());
    }
    read_content(&mut call.params, &mut Content::default())?;
    // Shown to one person, and not stored.
    let ts = Ts::default().next(call.slack.clock.now_micros()).to_string();
    Ok(Answer::ok(json!({"message_ts": ts})))
}

pub(super) fn update(call: &mut Call) -> Outcome {
    let token = call.token_with("chat:write")?;
    let (channel, at, mut content) = own_message(call, &token, "cant_update_message")?;
    read_content(&mut call.params, &mut content)?;
    let now = Ts::default().next(call.slack.clock.now_micros());
    content.edited = Some(Edited { user: content.user.clone(), ts: now.to_string() });
    let message = channel.replace(at, &content).ok_or("message_not_found")?.to_value();
    Ok(Answer::ok(json!({"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message})))
}

pub(super) fn delete(call: &mut Call) -> Outcome {
    let token = call.token_with("chat:write")?;
    let (channel, at, _) = own_message(call, &token, "cant_delete_message")?;
    if !channel.remove(at) {
        return Err("message_not_found".into());
    }
    Ok(Answer::ok(json!({"channel": channel.id, "ts": at.to_string()})))
}

pub(super) fn permalink(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let channel = call.channel(&token)?;
    let ts = call.params.required("message_ts", "message_not_found")?;
    let message = channel.message(ts).ok_or("message_not_found")?;
    let link = format!("{}/{}/{}#{}", call.slack.base, token.team.id, channel.id, message.at.anchor());
    Ok(Answer::ok(json!({"channel": channel.id, "permalink": link})))
}

/// Returns the channel, if the token may post there.
fn postable(call: &Call, token: &Token) -> Result<Arc<Channel>, Refusal> {
    let channel = call.channel(token)?;
    if channel.is_archived() {
        return Err("is_archived".into());
    }
    if token.holder == Holder::Bot && !channel.has_bot() && !token.has("chat:write.public") {
        return Err("not_in_channel".into());
    }
    Ok(channel)
}

fn own_message(call: &Call, token: &Token, not_own: &'static str) -> Result<(Arc<Channel>, Ts, Content), Refusal> {
    let channel = call.channel(token)?;
    let ts = call.params.required("ts", "message_not_found")?;
    let message = channel.message(ts).ok_or("message_not_found")?;
    let content = message.content();
    if content.user != author(call, token).user {
        return Err(not_own.into());
    }
    Ok((channel, message.at, content))
}

fn author(call: &Call, token: &Token) -> Content {
    let team = &token.team;
    match &token.holder {
        Holder::Bot => Content::by_bot(team, &call.slack.app_id),
        Holder::User(id) => Content { user: id.clone(), team: team.id.clone(), ..Content::default() },
    }
}

/// Reads and validates the content, in the order in which Slack does.
pub(crate) fn read_content(params: &mut Params, content: &mut Content) -> Result<(), Refusal> {
    let text = params.take_text("text");
    let markdown = params.take_text("markdown_text");
    content.blocks = params.take_json("blocks").map_err(|()| "invalid_blocks_format")?;
    content.attachments = params.take_json("attachments").map_err(|()| "invalid_attachments")?;
    content.metadata = params.take_json("metadata").map_err(|()| "invalid_metadata_format")?;
    if markdown.is_some() && (text.is_some() || content.blocks.is_some()) {
        return Err("markdown_text_conflict".into());
    }
    let limit = if markdown.is_some() { LONGEST_MARKDOWN } else { LONGEST_TEXT };
    content.text = text.or(markdown).unwrap_or_default();
    // Bytes are never fewer than characters, so most texts need no counting.
    if content.text.len() > limit && content.text.chars().count() > limit {
        return Err("msg_too_long".into());
    }
    let nothing = |list: &Option<Value>| list.as_ref().is_none_or(|list| list.as_array().is_some_and(Vec::is_empty));
    if content.text.trim().is_empty() && nothing(&content.blocks) && nothing(&content.attachments) {
        return Err("no_text".into());
    }
    if let Some(list) = &content.blocks {
        blocks::check(list)?;
    }
    check_attachments(content.attachments.as_ref())
}

fn check_attachments(attachments: Option<&Value>) -> Result<(), Refusal> {
    let Some(attachments) = attachments else {
        return Ok(());
    };
    let list = attachments.as_array().ok_or("invalid_attachments")?;
    if list.len() > MOST_ATTACHMENTS {
        return Err("too_many_attachments".into());
    }
    list.iter().filter_map(|attachment| attachment.get("blocks")).try_for_each(blocks::check)
}
