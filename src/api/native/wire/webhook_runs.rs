//! Runs of outgoing webhooks.

use poem_openapi::{Object, types::Any};
use serde_json::Value;
use uuid::Uuid;

use super::AttemptOut;
use crate::domain::pipeline::delivery::Attempt;

/// One call of one URL of an outgoing webhook: an attempt of its delivery, with the steps beside it.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OutgoingWebhookRun", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct WebhookRunOut {
    /// The attempt.
    #[oai(flatten)]
    pub attempt: AttemptOut,
    /// Id of the delivery.
    pub delivery_id: Uuid,
    /// Event that triggered the call.
    pub event: Option<String>,
    /// Trigger word of the message.
    pub trigger_word: Option<String>,
    /// Last step of the run, such as `after-http-call`.
    pub step: Option<String>,
    /// True if the run was completed.
    pub finished: Option<bool>,
    /// Data for the call, without secrets.
    pub data: Option<Any<Value>>,
    /// True if the script was run before the call.
    pub ran_prepare_script: Option<bool>,
    /// Messages that the script posted before the call.
    pub prepared_messages: Option<Any<Value>>,
    /// Messages that the script made from the response.
    pub processed_messages: Option<Any<Value>>,
    /// Messages in the response.
    pub response_messages: Option<Any<Value>>,
    /// Error of the script or of the call, with its location.
    pub error: Option<String>,
    /// Console output of the script.
    pub console: Option<Any<Value>>,
}

impl From<Attempt> for WebhookRunOut {
    fn from(mut run: Attempt) -> Self {
        let detail = run.detail.take().unwrap_or_default();
        let text = |key: &str| detail[key].as_str().map(str::to_owned);
        let any = |key: &str| detail.get(key).filter(|value| !value.is_null()).cloned().map(Any);
        Self {
            delivery_id: run.delivery_id.0,
            event: text("event"),
            trigger_word: text("triggerWord"),
            step: text("step"),
            finished: detail["finished"].as_bool(),
            data: any("data"),
            ran_prepare_script: detail["ranPrepareScript"].as_bool(),
            prepared_messages: any("prepareSentMessage"),
            processed_messages: any("processSentMessage"),
            response_messages: any("resultMessage"),
            error: text("errorStack"),
            console: any("console"),
            attempt: run.into(),
        }
    }
}
