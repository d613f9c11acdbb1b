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
/// Maximum size of an answer in the record of the attempt.
const MAX_EXCERPT_BYTES: usize = 512;

/// Outcome of posting a message. `answer` is the beginning of Slack's answer, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostAnswer {
    /// The message is in the channel.
    Posted {
        /// Slack's id of the message: text, although it looks like a number.
        ts: String,
        /// Slack's answer.
        answer: String,
    },
    /// Rate limited, for 1 second to 1 hour.
    RateLimited {
        /// Requested backoff.
        retry_after: Duration,
        /// Slack's answer.
        answer: String,
    },
    /// Refused by Slack.
    Refused {
        /// Slack's error code: see `domain::slack::outcome`.
        code: String,
        /// The HTTP status.
        status: u16,
        /// Slack's answer.
        answer: String,
    },
    /// No proper answer. The message may have been posted.
    Unreachable {
        /// The failure.
        reason: Unreachable,
        /// The HTTP status, if there was one.
        status: Option<u16>,
        /// The received part of Slack's answer.
        answer: Option<String>,
    },
}

/// The thread that a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// `ts` of the thread's first message.
    pub thread_ts: &'a str,
    /// Shows the reply in the channel as well.
    pub broadcast: bool,
}

#[derive(Serialize)]
struct Post<'a> {
    channel: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    blocks: &'a Value,
    // A link in a tenant's data is no reason to fetch it and show its contents.
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

/// Builds the body of the request that posts a message, so that it can be stored as sent.
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
    // Texts and a JSON value can always be serialised.
    serde_json::to_string(&post).unwrap_or_default()
}

impl SlackClient {
    /// Posts the result of [`post_body`], once: a failure is an outcome, and the caller decides on a retry.
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

/// Beginning of an answer as text, without secrets.
fn excerpt(body: &[u8]) -> String {
    let start = String::from_utf8_lossy(&body[..body.len().min(MAX_EXCERPT_BYTES)]);
    let mut text = redact(&start).into_owned();
    // The placeholder of a secret may be longer than the secret, and that of a broken character longer than its bytes.
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
