//! Requests that an app may make without a token, by a capability from Slack: a response URL, an incoming webhook, a
//! trigger.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde::Serialize;
use serde_json::Value;

use super::Slack;
use super::answer::Refusal;
use super::api::chat::read_content;
use super::channel::Channel;
use super::message::Content;
use super::workspace::Team;
use crate::ids::Ids;
use crate::params::Params;
use crate::world::World;

const RESPONSE_USES: u32 = 5;
const RESPONSE_MICROS: i64 = 30 * 60 * 1_000_000;
const TRIGGER_MICROS: i64 = 3_000_000;
const REPLIES_KEPT: usize = 1_000;

/// All such capabilities given out, and the resulting replies.
#[derive(Default)]
pub(crate) struct Hooks {
    responses: Mutex<HashMap<String, ResponseUrl>>,
    webhooks: Mutex<HashMap<String, Webhook>>,
    triggers: Mutex<HashMap<String, Trigger>>,
    replies: Mutex<VecDeque<Reply>>,
}

#[derive(Clone)]
struct Webhook {
    team: Arc<Team>,
    channel: Arc<Channel>,
}

struct ResponseUrl {
    team: Arc<Team>,
    channel: Arc<Channel>,
    user: String,
    left: u32,
    expires_at: i64,
}

struct Trigger {
    team: String,
    user: String,
    expires_at: i64,
    used: bool,
}

/// The app's answer to a command or a button.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply {
    pub(crate) team: String,
    pub(crate) channel: String,
    pub(crate) user: String,
    /// Shown to everybody, and not only to the user.
    pub(crate) in_channel: bool,
    pub(crate) payload: Value,
}

impl Hooks {
    /// Opens an incoming webhook and returns its secret part.
    pub(crate) fn open_webhook(&self, ids: &Ids, team: Arc<Team>, channel: Arc<Channel>) -> String {
        let key = ids.secret("w");
        self.webhooks.lock().insert(key.clone(), Webhook { team, channel });
        key
    }

    /// Opens a response URL and returns its secret part.
    pub(crate) fn open_response(
        &self,
        ids: &Ids,
        team: &Arc<Team>,
        channel: &Arc<Channel>,
        user: &str,
        now: i64,
    ) -> String {
        let key = ids.secret("r");
        let kept = ResponseUrl {
            team: Arc::clone(team),
            channel: Arc::clone(channel),
            user: user.to_owned(),
            left: RESPONSE_USES,
            expires_at: now + RESPONSE_MICROS,
        };
        self.responses.lock().insert(key.clone(), kept);
        key
    }

    /// Opens a trigger, valid for one view within three seconds.
    pub(crate) fn open_trigger(&self, ids: &Ids, team: &Team, user: &str, now: i64) -> String {
        let id = ids.secret("trigger.");
        let kept =
            Trigger { team: team.id.clone(), user: user.to_owned(), expires_at: now + TRIGGER_MICROS, used: false };
        self.triggers.lock().insert(id.clone(), kept);
        id
    }

    /// Consumes a trigger and returns the user who caused it.
    pub(crate) fn use_trigger(&self, id: &str, team: &Team, now: i64) -> Result<String, Refusal> {
        let mut triggers = self.triggers.lock();
        let trigger = triggers.get_mut(id).filter(|trigger| trigger.team == team.id).ok_or("invalid_trigger_id")?;
        if trigger.used {
            return Err("exchanged_trigger_id".into());
        }
        if now >= trigger.expires_at {
            return Err("expired_trigger_id".into());
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    /// Returns the stored replies, oldest first.
    pub(crate) fn replies(&self) -> Vec<Reply> {
        self.replies.lock().iter().cloned().collect()
    }

    pub(crate) fn clear_replies(&self) {
        self.replies.lock().clear();
    }

    fn use_response(&self, key: &str, now: i64) -> Result<(Arc<Team>, Arc<Channel>, String), &'static str> {
        let mut responses = self.responses.lock();
        let url = responses.get_mut(key).ok_or("no_service")?;
        if now >= url.expires_at {
            return Err("expired_url");
        }
        url.left = url.left.checked_sub(1).ok_or("used_url")?;
        Ok((Arc::clone(&url.team), Arc::clone(&url.channel), url.user.clone()))
    }
}

impl Slack {
    /// Takes a reply to a command or a button, and shows it to everybody when it asks for that.
    pub(crate) fn take_reply(&self, team: &Team, channel: &Channel, user: &str, payload: Value) -> Result<(), Refusal> {
        let in_channel = payload["response_type"] == "in_channel";
        if in_channel {
            self.post_unasked(team, channel, &payload.to_string())?;
        }
        let reply =
            Reply { team: team.id.clone(), channel: channel.id.clone(), user: user.to_owned(), in_channel, payload };
        let mut replies = self.hooks.replies.lock();
        if replies.len() == REPLIES_KEPT {
            replies.pop_front();
        }
        replies.push_back(reply);
        Ok(())
    }

    /// Posts for an app without a token.
    fn post_unasked(&self, team: &Team, channel: &Channel, body: &str) -> Result<(), Refusal> {
        let mut params = Params::parse("", "application/json", body.as_bytes()).map_err(|_| "invalid_payload")?;
        let mut content = Content::by_bot(team, &self.app_id);
        read_content(&mut params, &mut content)?;
        if channel.is_archived() {
            return Err("channel_is_archived".into());
        }
        channel.post(&content, self.clock.now_micros(), &self.limits)?;
        Ok(())
    }
}

/// `POST /slack/hooks/commands/{team}/{key}`: a response URL.
#[handler]
pub(crate) fn respond(
    Path((_, key)): Path<(String, String)>,
    body: Vec<u8>,
    Data(world): Data<&Arc<World>>,
) -> Response {
    let slack = world.slack();
    let outcome = slack.hooks.use_response(&key, slack.clock.now_micros()).map_err(Refusal::from).and_then(
        |(team, channel, user)| {
            let payload = serde_json::from_slice(&body).map_err(|_| "invalid_payload")?;
            slack.take_reply(&team, &channel, &user, payload)
        },
    );
    plain(outcome)
}

/// `POST /slack/hooks/services/{team}/{bot}/{key}`: an incoming webhook.
#[handler]
pub(crate) fn webhook(
    Path((_, _, key)): Path<(String, String, String)>,
    request: &Request,
    body: Vec<u8>,
    Data(world): Data<&Arc<World>>,
) -> Response {
    let slack = world.slack();
    let Some(Webhook { team, channel }) = slack.hooks.webhooks.lock().get(&key).cloned() else {
        return plain(Err("no_service".into()));
    };
    // Older clients send a form whose one field holds the JSON.
    let json = match request.content_type() {
        Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => {
            Params::form(&body).take_text("payload").unwrap_or_default()
        }
        _ => String::from_utf8_lossy(&body).into_owned(),
    };
    plain(slack.post_unasked(&team, &channel, &json))
}

/// Answers in plain text, and with meaningful statuses.
fn plain(outcome: Result<(), Refusal>) -> Response {
    let (status, text) = match outcome {
        Ok(()) => (StatusCode::OK, "ok".to_owned()),
        Err(refusal) => {
            let status = match refusal.error.as_ref() {
                "no_service" | "expired_url" | "used_url" => StatusCode::NOT_FOUND,
                "channel_is_archived" => StatusCode::GONE,
                "ratelimited" => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::BAD_REQUEST,
            };
            (status, refusal.error.into_owned())
        }
    };
    Response::builder().status(status).content_type("text/plain; charset=utf-8").body(text)
}
