//! Faults on demand: a selected call fails in a configured way. A fault without an answer breaks or stalls the
//! connection, as a bad network or a bad server would.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use poem::http::StatusCode;
use poem::{Body, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

const CHUNK: usize = 16 * 1024;

/// A configured fault. An absent filter matches every call; an absent effect is not applied.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    /// Method it applies to, or the route such as `GET /user`; `*` for all.
    #[serde(default = "any_method")]
    method: String,
    /// Restriction to calls for this channel, by id or by name, as the caller wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// Restriction to calls with a token of this workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// Error code of an `ok: false` answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Value of `Retry-After`; alone it means 429.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_secs: Option<u64>,
    /// Seconds until the hourly rate limit resets, reported as used up; alone it means 403. GitHub only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate_limit_reset_secs: Option<i64>,
    /// Exact text of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    /// Delay before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    /// Closes the connection without an answer, before or after the method has done its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    drop: Option<Moment>,
    /// Never answers, or sends headers and never a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    hang: Option<Part>,
    /// Number of bytes of nonsense in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    endless_bytes: Option<u64>,
    /// Number of calls it applies to; unlimited until cleared when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
}

fn any_method() -> String {
    "*".to_owned()
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Moment {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Headers,
    Body,
}

impl Fault {
    fn matches(&self, method: &str, team: Option<&str>, channel: Option<&str>) -> bool {
        let bare = |name: &str| name.trim_start_matches('#').to_owned();
        (self.method == "*" || self.method == method)
            && self.team.as_deref().is_none_or(|wanted| team == Some(wanted))
            && self.channel.as_deref().is_none_or(|wanted| channel.map(bare) == Some(bare(wanted)))
    }

    /// Reports a fault that answers in place of the method.
    pub(crate) fn replaces_answer(&self) -> bool {
        self.drops_before() || self.hang.is_some() || self.endless_bytes.is_some() || self.speaks()
    }

    /// Reports a fault after which the caller never receives a complete answer.
    pub(crate) fn is_silent(&self) -> bool {
        self.drop.is_some() || self.hang.is_some()
    }

    /// Status that the caller receives, or 0 without a complete answer; 200 by default.
    pub(crate) fn logged_status(&self) -> u16 {
        if self.is_silent() { 0 } else { self.status(200).as_u16() }
    }

    fn speaks(&self) -> bool {
        let limits = self.retry_after_secs.is_some() || self.rate_limit_reset_secs.is_some();
        limits || self.status.is_some() || self.body.is_some() || self.error.is_some()
    }

    /// Returns the configured or implied status, or the default.
    pub(crate) fn status(&self, otherwise: u16) -> StatusCode {
        let meant = match (self.retry_after_secs, self.rate_limit_reset_secs) {
            (Some(_), _) => 429,
            (None, Some(_)) => 403,
            (None, None) => otherwise,
        };
        StatusCode::from_u16(self.status.unwrap_or(meant)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Reports a fault that ends the connection before the work is done.
    pub(crate) fn drops_before(&self) -> bool {
        self.drop == Some(Moment::Before)
    }

    /// Reports a fault that does the work and loses the answer.
    pub(crate) fn drops_after(&self) -> bool {
        self.drop == Some(Moment::After)
    }

    /// Waits for the configured delay.
    pub(crate) async fn delay(&self) {
        if let Some(millis) = self.latency_ms {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }

    /// Answers in place of the method; the body, if there is one, is in the provider's format.
    pub(crate) async fn answer(&self, say: impl FnOnce(&Self) -> Response) -> Response {
        match self.hang {
            Some(Part::Headers) => return std::future::pending().await,
            Some(Part::Body) => return hold(Response::builder()),
            None => {}
        }
        if let Some(bytes) = self.endless_bytes {
            return Response::builder().content_type(JSON).body(nonsense(bytes));
        }
        say(self)
    }

    /// Formats the fault as Slack does.
    pub(crate) fn as_slack(&self) -> Response {
        let status = self.status(200);
        let word = match (&self.error, status) {
            (Some(error), _) => error,
            (None, StatusCode::TOO_MANY_REQUESTS) => "ratelimited",
            (None, _) => "internal_error",
        };
        let mut response = Response::builder().status(status).content_type(JSON);
        if let Some(secs) = self.retry_after_secs {
            response = response.header("retry-after", secs);
        }
        let body = self.body.clone().unwrap_or_else(|| json!({"ok": false, "error": word}).to_string());
        response.body(body)
    }
}

const JSON: &str = "application/json; charset=utf-8";

fn hold(response: poem::ResponseBuilder) -> Response {
    let silent = stream::pending::<Result<Vec<u8>, io::Error>>();
    response.content_type(JSON).body(Body::from_bytes_stream(silent))
}

fn nonsense(bytes: u64) -> Body {
    let chunks = stream::unfold(bytes, |left| async move {
        let size = left.min(CHUNK as u64);
        (size > 0).then(|| (vec![b'x'; size as usize], left - size))
    });
    Body::from_bytes_stream(chunks.map(Ok::<_, io::Error>))
}

/// Active faults, oldest first.
#[derive(Default)]
pub(crate) struct Faults {
    // Read on each call so that a world without faults pays one load and no lock.
    any: AtomicBool,
    rules: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.rules.lock().push(fault);
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.rules.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.rules.lock().clear();
        self.any.store(false, Ordering::Release);
    }

    /// Returns the first fault that matches this call, and counts the use.
    pub(crate) fn take(&self, method: &str, team: Option<&str>, channel: Option<&str>) -> Option<Fault> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut rules = self.rules.lock();
        let index = rules.iter().position(|fault| fault.matches(method, team, channel))?;
        let fault = rules[index].clone();
        if let Some(times) = &mut rules[index].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                rules.remove(index);
            }
        }
        Some(fault)
    }
}
