use std::collections::HashSet;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use standardwebhooks::{Webhook, WebhookError};

/// Receives the headers and the bytes of the body from your framework's handler.
pub struct Receiver {
    webhook: Webhook,
    /// A table with a unique column, where it has to outlive the process.
    seen: HashSet<String>,
}

impl Receiver {
    pub fn new(secret: &str) -> Result<Self, WebhookError> {
        Ok(Self { webhook: Webhook::new(secret)?, seen: HashSet::new() })
    }

    pub fn receive(&mut self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        if self.webhook.verify(body, headers).is_err() {
            return StatusCode::UNAUTHORIZED;
        }
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        if !self.seen.contains(id) {
            let Ok(call) = serde_json::from_slice::<Value>(body) else { return StatusCode::BAD_REQUEST };
            println!("{}", call["message"]);
            self.seen.insert(id.to_owned());
        }
        StatusCode::NO_CONTENT
    }
}
