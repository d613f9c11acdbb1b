//! The history of outgoing webhooks, as it is shown.

use poem_openapi::{
    Object,
    registry::{MetaSchemaRef, Registry},
    types::{Any, Example, ToJSON, Type},
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

/// One call of one URL, and what came of it.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookRun", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct HistoryOut {
    /// Its id.
    #[oai(rename = "_id")]
    pub id: String,
    /// Always `outgoing-webhook`.
    #[oai(rename = "type")]
    pub kind: String,
    /// How far it came, such as `after-http-call`.
    pub step: Option<String>,
    /// The webhook as it is now, without its token and its script.
    pub integration: Option<Any<Value>>,
    /// What it was called for.
    pub event: Option<String>,
    /// What it was to be sent; without secrets, as everything here.
    pub data: Option<Any<Value>>,
    /// By which of its words it was called.
    pub trigger_word: Option<String>,
    /// Whether its script was asked before the call.
    pub ran_prepare_script: Option<bool>,
    /// The messages that the script posted before the call.
    pub prepare_sent_message: Option<Any<Value>>,
    /// The messages that the script made of the answer.
    pub process_sent_message: Option<Any<Value>>,
    /// The messages that were in the answer.
    pub result_message: Option<Any<Value>>,
    /// Whether it ended as it should.
    pub finished: Option<bool>,
    /// Where it was called.
    pub url: Option<String>,
    /// What was sent.
    pub http_call_data: Option<Any<Value>>,
    /// Why there was no answer.
    pub http_error: Option<Any<Value>>,
    /// The answer, as a JSON string.
    pub http_result: Option<String>,
    /// Whether something failed.
    pub error: Option<bool>,
    /// What failed, and where.
    pub error_stack: Option<String>,
    /// What the script wrote to its console.
    pub console: Option<Any<Value>>,
    /// When it began.
    #[oai(rename = "_createdAt")]
    pub created_at: Timestamp,
    /// When it ended.
    #[oai(rename = "_updatedAt")]
    pub updated_at: Timestamp,
}

impl HistoryOut {
    /// A run as it is shown.
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

/// Some of a history.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookHistory", example)]
pub struct HistoryListOut {
    /// The page; with `fields`, only what was asked for of each.
    pub history: Vec<Any<Value>>,
    /// How many came before.
    pub offset: u64,
    /// How many are on this page.
    pub items: u64,
    /// The same.
    pub count: u64,
    /// How many there are.
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

/// It is done.
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

/// The body of a clearing.
pub struct Clearing;
/// The body of a replay.
pub struct Replay;

/// Which history is to be cleared.
#[derive(Clone, Debug, Object)]
#[oai(rename = "HistoryClearing", rename_all = "camelCase", example)]
pub struct ClearingIn {
    /// The id of the webhook.
    pub integration_id: String,
}

impl Example for ClearingIn {
    fn example() -> Self {
        Self { integration_id: "0199c1de-0000-7000-8000-000000000021".into() }
    }
}

/// Which run is to be made once more.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WebhookReplay", rename_all = "camelCase", example)]
pub struct ReplayIn {
    /// The id of the webhook.
    pub integration_id: String,
    /// The id of the run.
    pub history_id: String,
}

impl Example for ReplayIn {
    fn example() -> Self {
        let history_id = "0199c1de-0000-7000-8000-000000000031".to_owned();
        Self { integration_id: "0199c1de-0000-7000-8000-000000000021".into(), history_id }
    }
}

const CLEAR: Shape = Shape { members: &[must("integrationId", Kind::Some)], closed: true };
const REPLAY: Shape =
    Shape { members: &[must("integrationId", Kind::Some), must("historyId", Kind::Some)], closed: true };

/// Whose history is to be cleared.
///
/// # Errors
/// What the product's validator says.
pub fn clearing(raw: &[u8]) -> Result<String, Fault> {
    let body = shaped(raw, &CLEAR)?;
    Ok(body["integrationId"].as_str().unwrap_or_default().to_owned())
}

/// Of which webhook which run is to be made once more.
///
/// # Errors
/// What the product's validator says.
pub fn replay(raw: &[u8]) -> Result<(String, String), Fault> {
    let body = shaped(raw, &REPLAY)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((text("integrationId"), text("historyId")))
}

/// The longest body of these operations.
const LIMIT_BYTES: usize = 16 * 1024;

macro_rules! inbound {
    ($name:ty, $shape:ty) => {
        impl Inbound for $name {
            const MEDIA: &'static [Media] = &[Media::Json];
            const LIMIT_BYTES: usize = LIMIT_BYTES;

            fn schema(_: Media) -> MetaSchemaRef {
                <$shape>::schema_ref()
            }

            fn register(registry: &mut Registry) {
                <$shape as Type>::register(registry);
            }
        }
    };
}

inbound!(Clearing, ClearingIn);
inbound!(Replay, ReplayIn);
