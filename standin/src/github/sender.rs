//! Sends signed webhooks to the app, once each, and records the result. GitHub never retries by itself; a redelivery
//! has to be requested, and has the same id as before.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::Client;
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::app::{App, ContentType};
use super::{GitHub, sign};
use crate::clock::rfc3339;
use crate::ids::Ids;
use crate::tls;

/// Time limit of the app's answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const KEPT: usize = 1_000;
/// Stored length of an answer, in bytes: its beginning is enough for a reader.
const ANSWER_KEPT: usize = 4_000;
const AGENT: &str = "GitHub-Hookshot/5t4nd1n";

/// A webhook that is about to be sent.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) guid: String,
    pub(crate) event: String,
    /// Action, as the payload names it.
    pub(crate) action: Option<String>,
    pub(crate) installation: Option<u64>,
    /// Payload, exactly as it is signed.
    pub(crate) payload: Arc<str>,
}

/// One attempt to deliver a webhook.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) guid: String,
    pub(crate) event: String,
    pub(crate) action: Option<String>,
    pub(crate) installation_id: Option<u64>,
    pub(crate) delivered_at: String,
    #[serde(skip)]
    pub(crate) at: i64,
    pub(crate) duration_ms: u64,
    pub(crate) redelivery: bool,
    /// HTTP status, or 0 without an answer.
    pub(crate) status: u16,
    /// Beginning of the app's answer.
    pub(crate) body: String,
    /// Reason for a missing answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'static str>,
    pub(crate) bytes: usize,
    #[serde(skip)]
    pub(crate) headers: Vec<(&'static str, String)>,
    #[serde(skip)]
    pub(crate) payload: Arc<str>,
}

impl Delivery {
    /// Reports that the app accepted it.
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the delivery together with its request.
    pub(crate) fn in_full(&self) -> Value {
        let mut shown = json!(self);
        let headers: Map<String, Value> =
            self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let payload = serde_json::from_str(&self.payload).unwrap_or_else(|_| json!(&*self.payload));
        shown["request"] = json!({"headers": headers, "payload": payload});
        shown
    }
}

/// HTTP client, with a record of its deliveries.
pub(crate) struct Sender {
    client: Client,
    ids: Ids,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    deliveries: VecDeque<Delivery>,
    sent: u64,
    taken: u64,
}

impl Sender {
    pub(crate) fn new(client: Client, ids: Ids) -> Self {
        Self { client, ids, log: Mutex::default() }
    }

    /// Builds the client of every stand-in: GitHub's timeout, no redirects, and never a proxy.
    ///
    /// # Errors
    ///
    /// When the TLS library cannot be set up.
    #[allow(clippy::disallowed_methods, reason = "the client of this half; it sends to where the app's settings say")]
    pub(crate) fn client() -> io::Result<Client> {
        let builder = Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(AGENT)
            .no_proxy()
            .tls_backend_preconfigured(tls::config()?);
        builder.build().map_err(io::Error::other)
    }

    /// Returns a new delivery id.
    pub(crate) fn guid(&self) -> String {
        let hex = self.ids.digits(32);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }

    /// Returns the stored deliveries, oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.log.lock().deliveries.iter().cloned().collect()
    }

    /// Returns the last attempt of a webhook.
    pub(crate) fn last(&self, guid: &str) -> Option<Delivery> {
        self.log.lock().deliveries.iter().rev().find(|delivery| delivery.guid == guid).cloned()
    }

    /// Returns the number of sent and of accepted webhooks.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let log = self.log.lock();
        (log.sent, log.taken)
    }

    /// Clears the record.
    pub(crate) fn clear(&self) {
        self.log.lock().deliveries.clear();
    }

    fn record(&self, delivery: Delivery) -> Delivery {
        let mut log = self.log.lock();
        log.sent += 1;
        log.taken += u64::from(delivery.is_good());
        if log.deliveries.len() == KEPT {
            log.deliveries.pop_front();
        }
        let delivery = Delivery { id: log.sent, ..delivery };
        log.deliveries.push_back(delivery.clone());
        delivery
    }
}

/// Returns the headers and the body of a webhook as they are sent.
pub(crate) fn request(app: &App, hook: &Hook) -> (Vec<(&'static str, String)>, String) {
    let (kind, body) = match app.webhook_content_type {
        ContentType::Json => ("application/json", hook.payload.to_string()),
        ContentType::Form => {
            let form = Serializer::new(String::new()).append_pair("payload", &hook.payload).finish();
            ("application/x-www-form-urlencoded", form)
        }
    };
    let mut headers = vec![
        ("Accept", "*/*".to_owned()),
        ("Content-Type", kind.to_owned()),
        ("User-Agent", AGENT.to_owned()),
        ("X-GitHub-Delivery", hook.guid.clone()),
        ("X-GitHub-Event", hook.event.clone()),
        ("X-GitHub-Hook-ID", hook_id(app).to_string()),
        ("X-GitHub-Hook-Installation-Target-ID", app.id.to_string()),
        ("X-GitHub-Hook-Installation-Target-Type", "integration".to_owned()),
    ];
    if !app.webhook_secret.is_empty() {
        headers.push(("X-Hub-Signature", sign::sha1(&app.webhook_secret, body.as_bytes())));
        headers.push(("X-Hub-Signature-256", sign::sha256(&app.webhook_secret, body.as_bytes())));
    }
    (headers, body)
}

/// Returns the id of the app's one webhook.
pub(crate) fn hook_id(app: &App) -> u64 {
    app.id * 1_000 + 1
}

impl GitHub {
    /// Sends a webhook and waits for the answer; nothing is sent when the app has no address for it.
    pub(crate) async fn deliver(&self, hook: &Hook, redelivery: bool) -> Option<Delivery> {
        let app = self.app();
        let url = app.webhook_url.as_ref()?;
        let (headers, body) = request(&app, hook);
        let bytes = body.len();
        let mut call = self.sender.client.post(url).body(body);
        for (name, value) in &headers {
            call = call.header(*name, value);
        }
        let at = self.clock.now_micros();
        let begun = Instant::now();
        let outcome = async {
            let response = call.send().await?;
            let status = response.status().as_u16();
            Ok::<_, reqwest::Error>((status, response.text().await?))
        };
        let (status, mut body, error) = match outcome.await {
            Ok((status, body)) => (status, body, None),
            Err(error) => (0, String::new(), Some(reason_of(&error))),
        };
        body.truncate(body.floor_char_boundary(ANSWER_KEPT));
        Some(self.sender.record(Delivery {
            id: 0,
            guid: hook.guid.clone(),
            event: hook.event.clone(),
            action: hook.action.clone(),
            installation_id: hook.installation,
            delivered_at: rfc3339(at),
            at,
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            redelivery,
            status,
            body,
            error,
            bytes,
            headers,
            payload: Arc::clone(&hook.payload),
        }))
    }

    /// Sends a webhook in the background.
    pub(crate) fn notify(self: &Arc<Self>, hook: Hook) {
        if self.app().webhook_url.is_none() {
            return;
        }
        let github = Arc::clone(self);
        tokio::spawn(async move { github.deliver(&hook, false).await });
    }

    /// Sends a webhook again, with the same id.
    pub(crate) async fn redeliver(&self, guid: &str) -> Result<Delivery, &'static str> {
        let last = self.sender.last(guid).ok_or("delivery_not_found")?;
        let hook = Hook {
            guid: last.guid,
            event: last.event,
            action: last.action,
            installation: last.installation_id,
            payload: last.payload,
        };
        self.deliver(&hook, true).await.ok_or("no_webhook_url")
    }
}

/// GitHub's name of a transport failure.
fn reason_of(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timed_out"
    } else if error.is_connect() {
        "failed_to_connect"
    } else {
        "service_did_not_respond"
    }
}
