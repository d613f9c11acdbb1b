//! Runs the script of an outgoing webhook on the request before it is sent, and on its answer.
//!
//! Not here: the processes that run scripts (`provider::script`).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Job, run::Run};
use crate::{
    app::webhooks::Webhooks,
    domain::{
        Error, Result,
        pipeline::delivery::{Next, Outcome},
        webhooks::script::{ScriptFault, ScriptMethod, ScriptRun, ScriptValue},
    },
    provider::{
        guard::{Answer, HeaderName, HeaderValue},
        script::request,
    },
};

/// Retry interval of a delivery whose answer could not be processed because all script runners were busy.
const BUSY_PAUSE: Duration = Duration::from_secs(30);

/// Request to send, if any.
pub(super) enum Prepared {
    Send(Map<String, Value>),
    Ended(Next),
}

/// Outcome of a script.
enum Scripted {
    /// There is no script, or it has no such method.
    Absent,
    Failed(ScriptFault),
    Nothing,
    Said(Value),
}

impl Webhooks {
    /// Returns the request, as the script transformed it.
    pub(super) async fn prepare(&self, job: &Job<'_>, run: &mut Run) -> Result<Prepared> {
        let usual = request::usual(job.url, job.payload.clone());
        let argument = json!({"request": usual.clone()});
        let said = self.ask_outgoing(job, run, ScriptMethod::PrepareOutgoingRequest, argument).await?;
        let mut wanted = match said {
            Scripted::Absent => {
                run.step("after-maybe-ran-prepare");
                return Ok(Prepared::Send(usual));
            }
            Scripted::Failed(fault) => {
                return Ok(Prepared::Ended(Next::Failed { reason: format!("the script failed: {fault}") }));
            }
            Scripted::Said(Value::Object(wanted)) => wanted,
            Scripted::Said(_) | Scripted::Nothing => {
                run.set("ranPrepareScript", true);
                run.finish("after-prepare-no-opts");
                return Ok(Prepared::Ended(Next::Delivered));
            }
        };
        run.set("ranPrepareScript", true);
        run.step("after-maybe-ran-prepare");
        if let Some(Value::Object(message)) = wanted.remove("message") {
            match self.post_answer(job, &message).await? {
                Ok(posted) => {
                    run.set("prepareSentMessage", posted);
                    run.step("after-prepare-send-message");
                }
                Err(fault) => {
                    run.because(&fault.to_string());
                    run.finish("after-prepare-send-message-failed");
                    return Ok(Prepared::Ended(Next::Delivered));
                }
            }
        }
        Ok(Prepared::Send(wanted))
    }

    /// Runs the script on an answer; `None` where the usual rules decide.
    pub(super) async fn process(
        &self,
        job: &Job<'_>,
        run: &mut Run,
        wanted: &Map<String, Value>,
        answer: &Answer,
    ) -> Result<Option<Next>> {
        if job.webhook.script.runnable().is_none() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&answer.body);
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), Value::from(String::from_utf8_lossy(value.as_bytes())))
        };
        let headers: Map<String, Value> = answer.headers.iter().map(header).collect();
        let argument = json!({
            "request": wanted,
            "response": {
                "error": null,
                "status_code": answer.status,
                "content": text,
                "content_raw": text,
                "headers": headers,
            },
        });
        let said = match self.ask_outgoing(job, run, ScriptMethod::ProcessOutgoingResponse, argument).await {
            Err(busy @ Error::Unavailable { .. }) => {
                let reason = busy.to_string();
                run.set("error", true);
                run.because(&reason);
                run.outcome = Outcome::Faltered { reason: reason.clone() };
                return Ok(Some(Next::RetryAt { at: self.base.now() + BUSY_PAUSE, reason }));
            }
            said => said?,
        };
        let said = match said {
            Scripted::Said(said) => said,
            Scripted::Absent | Scripted::Nothing => {
                run.step("after-http-call");
                return Ok(None);
            }
            Scripted::Failed(_) => return Ok(None),
        };
        if said == Value::Bool(false) {
            run.finish("after-process-false-result");
            return Ok(Some(Next::Delivered));
        }
        let content = match said.get("content") {
            None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
            Some(content) => content.as_object().cloned().unwrap_or_default(),
        };
        match self.post_answer(job, &content).await? {
            Ok(posted) => {
                run.set("processSentMessage", posted);
                run.finish("after-process-send-message");
            }
            Err(fault) => {
                run.because(&fault.to_string());
                run.finish("after-process-send-message-failed");
            }
        }
        Ok(Some(Next::Delivered))
    }

    async fn ask_outgoing(
        &self,
        job: &Job<'_>,
        run: &mut Run,
        method: ScriptMethod,
        argument: Value,
    ) -> Result<Scripted> {
        let runnable = job.webhook.script.runnable().filter(|_| self.rules.script_mode.runs());
        let Some(text) = runnable else { return Ok(Scripted::Absent) };
        run.step(&format!("execute-script-before-running-{}", method.as_str()));
        let ScriptRun { result, console, .. } = self.run_script(job.webhook, text, (method, &argument)).await?;
        run.console(console);
        match result {
            Err(fault) => {
                run.script_failed(method, &fault);
                Ok(Scripted::Failed(fault))
            }
            Ok(ScriptValue::NoMethod) => Ok(Scripted::Absent),
            Ok(ScriptValue::Undefined | ScriptValue::Json(Value::Null)) => Ok(Scripted::Nothing),
            Ok(ScriptValue::Json(said)) => Ok(Scripted::Said(said)),
        }
    }
}
