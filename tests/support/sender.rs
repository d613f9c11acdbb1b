//! Slack as a sender: requests signed as Slack signs them, with every byte and header under the test's control.

use std::fmt::Write;

use aws_lc_rs::hmac;
use reqwest::{Method, RequestBuilder, Url, header};
use serde_json::{Value, json};
use standin::Options;

use super::{Answer, Client};

/// Path of slash commands.
pub const COMMANDS: &str = "/api/v2/integration/slack/commands";
/// Path of events.
pub const EVENTS: &str = "/api/v2/integration/slack/events";
/// Path of interactions.
pub const INTERACTIVITY: &str = "/api/v2/integration/slack/interactivity";

/// A signature of version 0 over any time and body.
pub fn sign(secret: &str, timestamp: &[u8], body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    for part in [b"v0:", timestamp, b":", body] {
        context.update(part);
    }
    let hex = |mut text: String, byte: &u8| {
        write!(text, "{byte:02x}").unwrap();
        text
    };
    context.sign().as_ref().iter().fold("v0=".to_owned(), hex)
}

/// Body of a form.
pub fn form(fields: &[(&str, &str)]) -> String {
    Url::parse_with_params("http://x", fields).unwrap().query().unwrap().to_owned()
}

/// Sender of Slack's requests to one Tieline at one time.
#[derive(Clone)]
pub struct Sender {
    tieline: Client,
    now: i64,
}

impl Sender {
    /// Creates a sender at `now`, in seconds since 1970.
    pub fn new(tieline: &Client, now: i64) -> Self {
        Self { tieline: tieline.clone(), now }
    }

    /// A request with a correct signature.
    pub fn signed(&self, path: &str, body: &str) -> RequestBuilder {
        let timestamp = self.now.to_string();
        let signature = sign(&Options::default().signing_secret, timestamp.as_bytes(), body.as_bytes());
        self.request(path, body).header("X-Slack-Request-Timestamp", timestamp).header("X-Slack-Signature", signature)
    }

    /// A request without a signature.
    pub fn request(&self, path: &str, body: &str) -> RequestBuilder {
        let kind = if path == EVENTS { "application/json" } else { "application/x-www-form-urlencoded" };
        self.tieline.request(Method::POST, path).header(header::CONTENT_TYPE, kind).body(body.to_owned())
    }

    /// Sends a body with a correct signature.
    pub async fn send(&self, path: &str, body: &str) -> Answer {
        self.tieline.send(self.signed(path, body)).await
    }

    /// Sends an event in a workspace, and asserts that it is accepted. The fields of `over` replace those of the
    /// envelope.
    pub async fn event(&self, team: &str, event_id: &str, event: Value, over: Value) {
        let answer = self.send(EVENTS, &self.envelope(team, event_id, event, over).to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    }

    /// Slack's envelope of an event.
    pub fn envelope(&self, team: &str, event_id: &str, event: Value, over: Value) -> Value {
        let mut envelope = json!({
            "token": "deprecated",
            "team_id": team,
            "context_team_id": team,
            "context_enterprise_id": null,
            "api_app_id": Options::default().app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": self.now,
            "authorizations": [{
                "enterprise_id": null, "team_id": team, "user_id": "U0STANDINBOT", "is_bot": true,
                "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false,
        });
        envelope.as_object_mut().unwrap().extend(over.as_object().cloned().unwrap_or_default());
        envelope
    }
}
