//! Sends signed requests to the app: events with retries, commands and interactions without.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use reqwest::Client;
use serde::Serialize;
use serde_json::{Value, json};

use super::workspace::Team;
use super::{Slack, sign};
use crate::clock::rfc3339;
use crate::tls;

/// Time limit of the app's answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Retry schedule of an event, in seconds: at once, a minute, five.
const RETRY_SECS: [f64; 3] = [0.0, 60.0, 300.0];
const DELIVERIES_KEPT: usize = 1_000;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// HTTP client, with a record of its deliveries.
pub(crate) struct Sender {
    client: Client,
    retry_factor: RwLock<f64>,
    deliveries: Mutex<VecDeque<Delivery>>,
}

/// An event with its outcome.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    event_id: String,
    team: String,
    #[serde(rename = "type")]
    kind: String,
    attempts: Vec<Attempt>,
    /// Set when no attempt will follow.
    done: bool,
    /// Set when the app accepted it.
    delivered: bool,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// The app's answer.
#[derive(Serialize)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
    #[serde(skip)]
    no_retry: bool,
}

impl Response {
    fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Reason and number of a retry.
struct Retry {
    number: usize,
    reason: &'static str,
}

impl Sender {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, retry_factor: RwLock::new(1.0), deliveries: Mutex::default() }
    }

    /// Builds the client of every stand-in: a short timeout, two redirects, and never a proxy.
    ///
    /// # Errors
    ///
    /// When the TLS library cannot be set up.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one client of this crate; it sends to where the app's settings say"
    )]
    pub(crate) fn client() -> io::Result<Client> {
        let builder = Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::limited(2))
            .user_agent("Slackbot 1.0 (+https://api.slack.com/robots)")
            .no_proxy()
            .tls_backend_preconfigured(tls::config()?);
        builder.build().map_err(io::Error::other)
    }

    /// Scales the retry schedule.
    pub(crate) fn set_retry_factor(&self, factor: f64) {
        *self.retry_factor.write() = factor.clamp(0.0, 1.0);
    }

    /// Returns the sent events, oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.lock().iter().cloned().collect()
    }

    fn begin(&self, event_id: &str, team: &Team, kind: &str) {
        let mut deliveries = self.deliveries.lock();
        if deliveries.len() == DELIVERIES_KEPT {
            deliveries.pop_front();
        }
        deliveries.push_back(Delivery {
            event_id: event_id.to_owned(),
            team: team.id.clone(),
            kind: kind.to_owned(),
            attempts: Vec::new(),
            done: false,
            delivered: false,
        });
    }

    fn record(&self, event_id: &str, record: impl FnOnce(&mut Delivery)) {
        let mut deliveries = self.deliveries.lock();
        // From the back, because the same event may have been sent before.
        if let Some(delivery) = deliveries.iter_mut().rev().find(|delivery| delivery.event_id == event_id) {
            record(delivery);
        }
    }
}

impl Slack {
    /// Sends an event about a workspace, with retries; returns its id, or nothing without an events address.
    pub(crate) fn send_event(self: &Arc<Self>, team: &Team, event: Value, event_id: Option<String>) -> Option<String> {
        let url = self.app().events_url.clone()?;
        let event_id = event_id.unwrap_or_else(|| self.ids.id("Ev"));
        self.sender.begin(&event_id, team, event["type"].as_str().unwrap_or_default());
        let body = self.envelope(team, event, &event_id).to_string();
        let (slack, id) = (Arc::clone(self), event_id.clone());
        tokio::spawn(async move { slack.deliver(&url, &id, &body).await });
        Some(event_id)
    }

    fn envelope(&self, team: &Team, mut event: Value, event_id: &str) -> Value {
        let now = self.clock.now_micros();
        if event.get("event_ts").is_none() {
            event["event_ts"] = json!(format!("{}.{:06}", now / 1_000_000, now % 1_000_000));
        }
        json!({
            "token": "standin-verification-token",
            "team_id": team.id,
            "context_team_id": team.id,
            "context_enterprise_id": null,
            "api_app_id": self.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": now / 1_000_000,
            "authorizations": [{
                "enterprise_id": null,
                "team_id": team.id,
                "user_id": team.bot.user_id,
                "is_bot": true,
                "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false,
            "event_context": format!("4-{event_id}"),
        })
    }

    async fn deliver(&self, url: &str, event_id: &str, body: &str) {
        let mut retry: Option<Retry> = None;
        for number in 0..=RETRY_SECS.len() {
            if let Some(secs) = number.checked_sub(1).and_then(|index| RETRY_SECS.get(index)) {
                let factor = *self.sender.retry_factor.read();
                tokio::time::sleep(Duration::from_secs_f64(secs * factor)).await;
            }
            let outcome = self.send(url, JSON, body, retry.as_ref()).await;
            let (status, reason) = match &outcome {
                Ok(response) if response.is_good() => (Some(response.status), None),
                Ok(response) => (Some(response.status), Some("http_error")),
                Err(reason) => (None, Some(*reason)),
            };
            let exhausted = number == RETRY_SECS.len() || outcome.as_ref().is_ok_and(|response| response.no_retry);
            let at = rfc3339(self.clock.now_micros());
            self.sender.record(event_id, |delivery| {
                delivery.attempts.push(Attempt { at, status, reason });
                delivery.delivered = reason.is_none();
                delivery.done = reason.is_none() || exhausted;
            });
            match reason {
                Some(reason) if !exhausted => retry = Some(Retry { number: number + 1, reason }),
                _ => return,
            }
        }
    }

    /// Asks the app to prove that the events address is its own, and returns the result.
    pub(crate) async fn verify_events_url(&self) -> Result<bool, &'static str> {
        let url = self.app().events_url.clone().ok_or("no_events_url")?;
        let challenge = self.ids.secret("challenge-");
        let body = json!({"token": "standin-verification-token", "challenge": challenge, "type": "url_verification"});
        let response = self.send(&url, JSON, &body.to_string(), None).await?;
        let echoed = serde_json::from_str::<Value>(&response.body)
            .ok()
            .and_then(|body| body["challenge"].as_str().map(str::to_owned));
        Ok(response.is_good() && (response.body.trim() == challenge || echoed.as_deref() == Some(&challenge)))
    }

    /// Sends a form once, as commands and interactions are.
    pub(crate) async fn send_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Response, &'static str> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(url, FORM, &body, None).await
    }

    async fn send(&self, url: &str, kind: &str, body: &str, retry: Option<&Retry>) -> Result<Response, &'static str> {
        let timestamp = self.clock.now_secs();
        let signature = sign::v0(&self.app().signing_secret, timestamp, body.as_bytes());
        let mut request = self
            .sender
            .client
            .post(url)
            .header("content-type", kind)
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature)
            .body(body.to_owned());
        if let Some(retry) = retry {
            request = request.header("x-slack-retry-num", retry.number).header("x-slack-retry-reason", retry.reason);
        }
        let response = request.send().await.map_err(|error| reason_of(&error))?;
        let status = response.status().as_u16();
        let no_retry = response.headers().get("x-slack-no-retry").is_some_and(|value| value == "1");
        let body = response.text().await.map_err(|error| reason_of(&error))?;
        Ok(Response { status, body, no_retry })
    }
}

/// Slack's name of a transport failure.
fn reason_of(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "http_timeout"
    } else if error.is_redirect() {
        "too_many_redirects"
    } else if error.is_connect() {
        "connection_failed"
    } else {
        "unknown_error"
    }
}
