//! `chat.postMessage`: the hot path.

use std::{borrow::Cow, time::Duration};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SlackClient, answer, answer::Said, bearer};
use crate::{
    domain::{secret::Secret, slack::SlackMessage},
    provider::{http::Unreachable, redact::redact},
};

/// Slack warns about JSON without a charset (Slack API: "POST bodies").
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// How much of an answer is kept for the record of the attempt.
const MAX_EXCERPT_BYTES: usize = 512;

/// What came of posting a message. `answer` is the beginning of what Slack said, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostAnswer {
    /// It is in the channel.
    Posted {
        /// Slack's name for the message: text, although it looks like a number.
        ts: String,
        /// What Slack said.
        answer: String,
    },
    /// Slack asks for a pause, of 1 second to 1 hour.
    RateLimited {
        /// How long.
        retry_after: Duration,
        /// What Slack said.
        answer: String,
    },
    /// Slack does not take it.
    Refused {
        /// Slack's error code: see `domain::slack::verdict`.
        code: String,
        /// The HTTP status.
        status: u16,
        /// What Slack said.
        answer: String,
    },
    /// There is no proper answer. The message may have been posted.
    Unreachable {
        /// What went wrong.
        reason: Unreachable,
        /// The HTTP status, where there was one.
        status: Option<u16>,
        /// As much as Slack said.
        answer: Option<String>,
    },
}

/// The thread that a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The `ts` of the message that began it.
    pub thread_ts: &'a str,
    /// Whether the channel shows the reply as well.
    pub broadcast: bool,
}

#[derive(Serialize)]
struct Post<'a> {
    channel: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    blocks: &'a Value,
    // A link in somebody's data is no reason to fetch it and show what is behind it.
    unfurl_links: bool,
    unfurl_media: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_broadcast: Option<bool>,
}

#[derive(Deserialize)]
struct Posted<'a> {
    #[serde(borrow)]
    ts: Cow<'a, str>,
}

/// The body of the request that posts a message, so that it can be kept as it was sent.
pub fn post_body(channel: &str, message: &SlackMessage, reply: Option<Reply<'_>>) -> String {
    let post = Post {
        channel,
        text: &message.text,
        blocks: &message.blocks,
        unfurl_links: false,
        unfurl_media: false,
        thread_ts: reply.map(|reply| reply.thread_ts),
        reply_broadcast: reply.filter(|reply| reply.broadcast).map(|_| true),
    };
    // Texts and a JSON value can always be written.
    serde_json::to_string(&post).unwrap_or_default()
}

impl SlackClient {
    /// Posts what [`post_body`] made, once: a failure is an answer, and trying again is the caller's decision.
    pub async fn post(&self, token: &Secret, body: String) -> PostAnswer {
        let Some(bearer) = bearer(token) else {
            return PostAnswer::Unreachable { reason: Unreachable::Other, status: None, answer: None };
        };
        let url = self.post_message.clone();
        let request = self.http.post(url).header(AUTHORIZATION, bearer).header(CONTENT_TYPE, JSON).body(body);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;

        let status = got.status.map(|status| status.as_u16());
        let answer = excerpt(&got.body);
        let unreachable = |reason, answer| PostAnswer::Unreachable { reason, status, answer: status.map(|_| answer) };
        match answer::read(&got, failure) {
            Said::Yes => match serde_json::from_slice::<Posted<'_>>(&got.body) {
                Ok(Posted { ts }) if !ts.is_empty() => PostAnswer::Posted { ts: ts.into_owned(), answer },
                _ => unreachable(Unreachable::NotJson, answer),
            },
            Said::No(code) => PostAnswer::Refused { code, status: status.unwrap_or_default(), answer },
            Said::Later(retry_after) => PostAnswer::RateLimited { retry_after, answer },
            Said::Nonsense(reason) => unreachable(reason, answer),
        }
    }
}

fn is_empty(blocks: &&Value) -> bool {
    blocks.as_array().is_none_or(Vec::is_empty)
}

/// The beginning of an answer as text, without secrets.
fn excerpt(body: &[u8]) -> String {
    let start = String::from_utf8_lossy(&body[..body.len().min(MAX_EXCERPT_BYTES)]);
    let mut text = redact(&start).into_owned();
    // What stands in for a secret may be longer than the secret, and for a broken character than its bytes.
    text.truncate(text.floor_char_boundary(MAX_EXCERPT_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_valid_and_without_secrets() {
        assert_eq!(excerpt(br#"{"token":"abc"}"#), r#"{"token":"[redacted]"}"#);
        assert_eq!(excerpt("ä".repeat(2_000).as_bytes()).len(), 512);
        for body in [vec![0xff; 10_000], "xoxb-1 ".repeat(1_000).into_bytes(), "x😀".repeat(1_000).into_bytes()] {
            let excerpt = excerpt(&body);
            assert!(excerpt.len() <= 512 && !excerpt.contains("xoxb"));
        }
    }
}
