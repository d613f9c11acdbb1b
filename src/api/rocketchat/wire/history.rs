//! Records of the history of outgoing webhooks.

use poem_openapi::{
    Object,
    types::{Any, Example, ToJSON},
};
use serde_json::{Value, json};

use super::IntegrationOut;
use crate::{
    api::{
        rocketchat::schema::{Kind, Shape, must, shaped},
        shared::{fault::Fault, media::Media, signed::Inbound, time::Timestamp},
    },
    domain::{pipeline::delivery::Attempt, webhooks::Webhook},
};

/// One call of one URL and its outcome.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookRun", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct HistoryOut {
    /// Id of the record.
    #[oai(rename = "_id")]
    pub id: String,
    /// Always `outgoing-webhook`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Last step of the run, such as `after-http-call`.
    pub step: Option<String>,
    /// The webhook with its present configuration, without its token and its script.
    pub integration: Option<Any<Value>>,
    /// Event that triggered the call.
    pub event: Option<String>,
    /// Data for the call; like all members of a record, without secrets.
    pub data: Option<Any<Value>>,
    /// Trigger word of the message.
    pub trigger_word: Option<String>,
    /// True if the script was run before the call.
    pub ran_prepare_script: Option<bool>,
    /// Messages that the script posted before the call.
    pub prepare_sent_message: Option<Any<Value>>,
    /// Messages that the script made from the response.
    pub process_sent_message: Option<Any<Value>>,
    /// Messages in the response.
    pub result_message: Option<Any<Value>>,
    /// True if the run was completed.
    pub finished: Option<bool>,
    /// Called URL.
    pub url: Option<String>,
    /// The request.
    pub http_call_data: Option<Any<Value>>,
    /// Reason why there was no response.
    pub http_error: Option<Any<Value>>,
    /// The response, as a JSON string.
    pub http_result: Option<String>,
    /// True if the run failed.
    pub error: Option<bool>,
    /// Error of the run, with its location.
    pub error_stack: Option<String>,
    /// Console output of the script.
    pub console: Option<Any<Value>>,
    /// Time at which the run began.
    #[oai(rename = "_createdAt")]
    pub created_at: Timestamp,
    /// Time at which the run ended.
    #[oai(rename = "_updatedAt")]
    pub updated_at: Timestamp,
}

impl HistoryOut {
    /// Renders a run.
    pub fn of(webhook: Option<&Webhook>, run: Attempt) -> Self {
        let detail = run.detail.unwrap_or_default();
        let text = |key: &str| detail[key].as_str().map(str::to_owned);
        let any = |key: &str| detail.get(key).cloned().map(Any);
        let snapshot = |webhook: &Webhook| {
            let mut shown = IntegrationOut::of(webhook.clone(), None);
            shown.script = None;
            Any(shown.to_json().unwrap_or_default())
        };
        Self {
            id: run.id.to_string(),
            kind: "outgoing-webhook".to_owned(),
            step: text("step"),
            integration: webhook.map(snapshot),
            event: text("event"),
            data: any("data"),
            trigger_word: text("triggerWord"),
            ran_prepare_script: detail["ranPrepareScript"].as_bool(),
            prepare_sent_message: any("prepareSentMessage"),
            process_sent_message: any("processSentMessage"),
            result_message: any("resultMessage"),
            finished: detail["finished"].as_bool(),
            url: text("url"),
            http_call_data: any("httpCallData"),
            http_error: any("httpError"),
            http_result: text("httpResult"),
            error: detail["error"].as_bool(),
            error_stack: text("errorStack"),
            console: any("console"),
            created_at: run.created_at.into(),
            updated_at: (run.created_at + run.duration).into(),
        }
    }
}

impl Example for HistoryOut {
    fn example() -> Self {
        let data = json!({
            "token": "[redacted]", "bot": false, "channel_id": "0199c1de-0000-7000-8000-000000000011",
            "channel_name": "general", "text": "deploy web", "user_name": "ada", "trigger_word": "deploy",
        });
        let at = Timestamp(chrono::DateTime::from_timestamp_nanos(1_795_000_000_000_000_000));
        Self {
            id: "0199c1de-0000-7000-8000-000000000031".into(),
            kind: "outgoing-webhook".into(),
            step: Some("url-response-sent-message".into()),
            integration: None,
            event: Some("sendMessage".into()),
            data: Some(Any(data.clone())),
            trigger_word: Some("deploy".into()),
            ran_prepare_script: Some(false),
            prepare_sent_message: Some(Any(json!([]))),
            process_sent_message: Some(Any(json!([]))),
            result_message: Some(Any(json!([{"channel": "#general", "message": {"msg": "done"}}]))),
            finished: Some(true),
            url: Some("https://deploy.example/hook".into()),
            http_call_data: Some(Any(data)),
            http_error: None,
            http_result: Some("\"{\\\"text\\\":\\\"done\\\"}\"".into()),
            error: Some(false),
            error_stack: None,
            console: None,
            created_at: at,
            updated_at: at,
        }
    }
}

/// A page of a history.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookHistory", example)]
pub struct HistoryListOut {
    /// The page; with `fields`, only the requested members of each.
    pub history: Vec<Any<Value>>,
    /// Number of skipped items.
    pub offset: u64,
    /// Number of items on this page.
    pub items: u64,
    /// Same as `items`.
    pub count: u64,
    /// Number of all items.
    pub total: u64,
    /// Always true.
    pub success: bool,
}

impl Example for HistoryListOut {
    fn example() -> Self {
        let one = HistoryOut::example().to_json().unwrap_or_default();
        Self { history: vec![Any(one)], offset: 0, items: 1, count: 1, total: 1, success: true }
    }
}

/// The request succeeded.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookDone", example)]
pub struct DoneOut {
    /// Always true.
    pub success: bool,
}

impl Example for DoneOut {
    fn example() -> Self {
        Self { success: true }
    }
}

/// Body of `clearHistory`.
pub struct Clearing;
/// Body of `replayOutgoing`.
pub struct Replay;

/// Webhook whose history is cleared.
#[derive(Clone, Debug, Object)]
#[oai(rename = "HistoryClearing", rename_all = "camelCase", example)]
pub struct ClearingIn {
    /// Id of the webhook.
    pub integration_id: String,
}

impl Example for ClearingIn {
    fn example() -> Self {
        Self { integration_id: "0199c1de-0000-7000-8000-000000000021".into() }
    }
}

/// Run to be repeated.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookReplay", rename_all = "camelCase", example)]
pub struct ReplayIn {
    /// Id of the webhook.
    pub integration_id: String,
    /// Id of the run.
    pub history_id: String,
}

impl Example for ReplayIn {
    fn example() -> Self {
        let history_id = "0199c1de-0000-7000-8000-000000000031".to_owned();
        Self { integration_id: "0199c1de-0000-7000-8000-000000000021".into(), history_id }
    }
}

const CLEAR: Shape = Shape { members: &[&[must("integrationId", Kind::Some)]], closed: true };
const REPLAY: Shape =
    Shape { members: &[&[must("integrationId", Kind::Some), must("historyId", Kind::Some)]], closed: true };

/// Parses the body of `clearHistory`; returns the webhook's id.
///
/// # Errors
/// The messages of the product's validator.
pub fn clearing(raw: &[u8]) -> Result<String, Fault> {
    let body = shaped(raw, &CLEAR)?;
    Ok(body["integrationId"].as_str().unwrap_or_default().to_owned())
}

/// Parses the body of `replayOutgoing`; returns the ids of the webhook and the run.
///
/// # Errors
/// The messages of the product's validator.
pub fn replay(raw: &[u8]) -> Result<(String, String), Fault> {
    let body = shaped(raw, &REPLAY)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((text("integrationId"), text("historyId")))
}

/// Maximum size of these operations' bodies.
const LIMIT_BYTES: usize = 16 * 1024;

impl Inbound for Clearing {
    const MEDIA: &'static [Media] = &[Media::Json];
    const LIMIT_BYTES: usize = LIMIT_BYTES;

    type Schema = ClearingIn;
}

impl Inbound for Replay {
    const MEDIA: &'static [Media] = &[Media::Json];
    const LIMIT_BYTES: usize = LIMIT_BYTES;

    type Schema = ReplayIn;
}
