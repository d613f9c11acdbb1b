//! Verification of the webhooks that Tieline sends, as Standard Webhooks 1.0.0 specifies it.

use std::{error, fmt};

use http::HeaderMap;
use standardwebhooks::Webhook;

/// A call that is not Tieline's, or not a fresh one. Answer it with 401.
#[derive(Debug)]
pub struct WebhookRefused(String);

impl fmt::Display for WebhookRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the webhook is refused: {}", self.0)
    }
}

impl error::Error for WebhookRefused {}

/// Verifies a call over the raw bytes of its body, and returns its id: do nothing twice for one id. While a secret is
/// replaced, `secrets` has the new one and the former one.
///
/// # Errors
/// [`WebhookRefused`] where no secret made a signature, or the call is more than five minutes old or ahead.
pub fn verify_webhook<'a>(secrets: &[&str], headers: &'a HeaderMap, body: &[u8]) -> Result<&'a str, WebhookRefused> {
    let mut reason = "there is no secret to verify it by".to_owned();
    for secret in secrets {
        match Webhook::new(secret).and_then(|webhook| webhook.verify(body, headers)) {
            Ok(()) => return Ok(headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default()),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(WebhookRefused(reason))
}
