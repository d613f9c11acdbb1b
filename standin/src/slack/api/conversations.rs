//! Channels: `conversations.*`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Call;
use crate::slack::answer::{Answer, Outcome, Refusal};
use crate::slack::channel::Channel;
use crate::slack::grants::Token;

pub(super) const DEFAULT_LIMIT: usize = 100;
pub(super) const LARGEST_LIMIT: i64 = 1000;

/// One page. Cut first and filtered after, as Slack does it: a page may hold fewer than requested, even none, and still
/// have a next one.
pub(super) fn list(call: &mut Call) -> Outcome {
    let token = call.token()?;
    if token.org_wide {
        call.params.required("team_id", "missing_argument")?;
    }
    let wanted = Wanted::read(call, &token)?;
    let limit = match call.params.number("limit") {
        Ok(None) | Ok(Some(0)) => DEFAULT_LIMIT,
        Ok(Some(limit @ 1..=LARGEST_LIMIT)) => limit as usize,
        _ => return Err("invalid_limit".into()),
    };
    let start = match call.params.text("cursor") {
        Some(cursor) => {
            position(cursor).filter(|start| *start <= token.team.channel_count()).ok_or("invalid_cursor")?
        }
        None => 0,
    };
    let (page, more) = token.team.channels_from(start, limit);
    let channels: Vec<Value> =
        page.iter().filter(|channel| wanted.takes(channel)).map(|channel| channel.to_json(&token.team)).collect();
    let next = if more { cursor(start + limit) } else { String::new() };
    Ok(Answer::ok(json!({"channels": channels, "response_metadata": {"next_cursor": next}})))
}

struct Wanted {
    public: bool,
    private: bool,
    archived: bool,
}

impl Wanted {
    fn read(call: &Call, token: &Token) -> Result<Self, Refusal> {
        let mut wanted = Self { public: false, private: false, archived: !call.params.flag("exclude_archived") };
        for kind in call.params.text("types").unwrap_or("public_channel").split(',') {
            let scope = match kind.trim() {
                "public_channel" => {
                    wanted.public = true;
                    "channels:read"
                }
                "private_channel" => {
                    wanted.private = true;
                    "groups:read"
                }
                // There are no direct messages here, but listing them needs the scope all the same.
                "im" => "im:read",
                "mpim" => "mpim:read",
                _ => return Err("invalid_types".into()),
            };
            if !token.has(scope) {
                return Err(Refusal::missing_scope(scope, &token.scope()));
            }
        }
        Ok(wanted)
    }

    fn takes(&self, channel: &Channel) -> bool {
        let kind = if channel.private { self.private } else { self.public };
        kind && channel.visible_to_bot() && (self.archived || !channel.is_archived())
    }
}

pub(super) fn cursor(start: usize) -> String {
    STANDARD.encode(format!("next:{start}"))
}

pub(super) fn position(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("next:")?.parse().ok()
}

pub(super) fn info(call: &mut Call) -> Outcome {
    let (token, channel) = readable(call)?;
    Ok(Answer::ok(json!({"channel": channel.to_json(&token.team)})))
}

pub(super) fn members(call: &mut Call) -> Outcome {
    let (token, channel) = readable(call)?;
    Ok(Answer::ok(json!({"members": channel.members(&token.team), "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn join(call: &mut Call) -> Outcome {
    let token = call.token_with("channels:join")?;
    let channel = call.channel(&token)?;
    if channel.private {
        return Err("method_not_supported_for_channel_type".into());
    }
    if channel.is_archived() {
        return Err("is_archived".into());
    }
    let already = channel.has_bot();
    channel.set_bot_in(true);
    let mut fields = json!({"channel": channel.to_json(&token.team)});
    if already {
        fields["warning"] = json!("already_in_channel");
        fields["response_metadata"] = json!({"warnings": ["already_in_channel"]});
    }
    Ok(Answer::ok(fields))
}

pub(super) fn leave(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let channel = call.channel(&token)?;
    let scope = if channel.private { "groups:write" } else { "channels:manage" };
    call.token_with(scope)?;
    if !channel.has_bot() {
        return Ok(Answer::ok(json!({"not_in_channel": true})));
    }
    channel.set_bot_in(false);
    Ok(Answer::ok(json!({})))
}

/// A channel visible to the token and readable by it.
fn readable(call: &Call) -> Result<(Arc<Token>, Arc<Channel>), Refusal> {
    let token = call.token()?;
    let channel = call.channel(&token)?;
    call.token_with(if channel.private { "groups:read" } else { "channels:read" })?;
    Ok((token, channel))
}
