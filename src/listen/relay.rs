//! Calls of the local server: signed as those of webhook destinations, remembered, and made again on request.
//!
//! The egress guard is for servers. This process is the developer's own, and its address the one that they typed.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use aws_lc_rs::hmac;
use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::Value;
use url::Url;

use super::feed::Message;
use crate::{
    domain::{
        Result,
        ambient::{Ambient, Time},
        secret::Secret,
    },
    provider::{
        http::{self, Limits, Unreachable, exchange},
        webhook::{self, Signer},
    },
};

/// Number of messages that can be sent again.
const REMEMBERED: usize = 100;
/// Maximum number of bytes that are read of an answer.
const ANSWER_BYTES: usize = 64 * 1024;
/// Time limit of a call. A developer may have stopped the local server at a breakpoint.
const TOTAL: Duration = Duration::from_secs(60);

/// Result of relaying a message.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Number of the message in this run, from 1.
    pub number: u64,
    /// The message.
    pub message: Message,
    /// Time at which it was relayed.
    pub at: Time,
    /// Status of the answer, or the failure in words.
    pub outcome: Result<u16, String>,
    /// Duration of the call.
    pub duration: Duration,
}

/// Caller of the local server.
pub(super) struct Relay {
    client: Client,
    target: Url,
    signer: Signer,
    ambient: Ambient,
    count: u64,
    remembered: VecDeque<(u64, Message)>,
}

/// Returns the signing secret of a token: the same in each run, so that the local server keeps its setting.
pub(super) fn secret_of(token: &Secret) -> Secret {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.expose().as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hmac::sign(&key, b"tieline listen").as_ref());
    webhook::generate(bytes)
}

impl Relay {
    /// Creates a caller.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(target: Url, signer: Signer, ambient: Ambient) -> Result<Self> {
        let client = http::client(&Limits::default())?;
        Ok(Self { client, target, signer, ambient, count: 0, remembered: VecDeque::new() })
    }

    /// Relays a message, and remembers it.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::domain::Error::Internal).
    pub async fn relay(&mut self, message: Message) -> Result<Call> {
        self.count += 1;
        self.remembered.push_back((self.count, message.clone()));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
        self.call(self.count, message).await
    }

    /// Obeys a line: `r` and a number send a message again, `r` alone the last one. The inner error is the rule that the
    /// line breaks.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::domain::Error::Internal).
    pub async fn command(&self, line: &str) -> Result<Result<Call, String>> {
        let mut words = line.split_whitespace();
        let number = match (words.next(), words.next().map(str::parse), words.next()) {
            (Some("r"), None, None) => self.count,
            (Some("r"), Some(Ok(number)), None) => number,
            _ => return Ok(Err("enter r and the number of a call, or r alone for the last one".to_owned())),
        };
        match self.remembered.iter().find(|(known, _)| *known == number) {
            Some((number, message)) => Ok(Ok(self.call(*number, message.clone()).await?)),
            None => Ok(Err(format!("there is no call {number} among the last {REMEMBERED}"))),
        }
    }

    async fn call(&self, number: u64, message: Message) -> Result<Call> {
        let (at, timer) = (self.ambient.now(), Instant::now());
        let outcome = match &message.body {
            Ok(body) => self.post(&message, body, at).await?,
            Err(reason) => Err(reason.clone()),
        };
        Ok(Call { number, message, at, outcome, duration: timer.elapsed() })
    }

    async fn post(&self, message: &Message, body: &str, at: Time) -> Result<Result<u16, String>> {
        let id = format!("msg_{}", message.id.simple());
        let mut headers: HeaderMap = self.signer.headers(&id, at, body.as_bytes())?.into_iter().collect();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(body)));
        let request = self.client.post(self.target.clone()).headers(headers).body(body.to_owned());
        let (answer, failure) = exchange(request, TOTAL, ANSWER_BYTES).await;
        Ok(match (answer.status, failure) {
            // The status decides, also where the body is too long or does not end.
            (Some(status), _) => Ok(status.as_u16()),
            (None, Some(Unreachable::Connect)) => Err(format!("no server answers at {}", self.target)),
            (None, failure) => Err(failure.unwrap_or(Unreachable::Other).to_string()),
        })
    }
}

/// Returns the media type of a body: some kinds of destination send texts.
fn content_type(body: &str) -> &'static str {
    if serde_json::from_str::<Value>(body).is_ok() { "application/json" } else { "text/plain; charset=utf-8" }
}
