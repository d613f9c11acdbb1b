//! Record of one run of an outgoing webhook, step by step. Bounded, and without secrets.
//!
//! Not here: the run itself (`outgoing`).

use serde_json::{Map, Value, json};

use crate::{
    domain::{
        pipeline::delivery::Outcome,
        secret::Secret,
        webhooks::script::{ConsoleLine, ScriptFault, ScriptMethod},
    },
    provider::redact,
};

/// Longest stored text, in bytes.
const TEXT_BYTES: usize = 16 * 1024;
/// Largest record, in bytes; of a larger one, the largest parts are left out.
const RECORD_BYTES: usize = 128 * 1024;
/// Deepest nesting of values that scripts produce.
const DEPTH: usize = 32;
/// Parts that are left out of an oversized record, in this order.
const LARGE: [&str; 7] =
    ["httpCallData", "data", "httpResult", "prepareSentMessage", "processSentMessage", "resultMessage", "console"];
/// Members with secret values.
const SECRET_MEMBERS: [&str; 7] =
    ["token", "auth", "authorization", "proxy-authorization", "cookie", "webhook-signature", "x-auth-token"];
const REDACTED: &str = "[redacted]";

/// Record of one run.
pub(super) struct Run {
    kept: Map<String, Value>,
    secrets: Vec<Secret>,
    /// Request that was sent.
    pub(super) request: String,
    /// Answer that was received.
    pub(super) answer: Option<String>,
    /// HTTP status.
    pub(super) status: Option<u16>,
    /// Outcome classification of the call.
    pub(super) outcome: Outcome,
}

impl Run {
    pub(super) fn begin(url: &str, event: &str, trigger_word: Option<&str>, token: Option<Secret>) -> Self {
        let mut run = Self {
            kept: Map::new(),
            secrets: token.into_iter().filter(|token| token.expose().len() >= 4).collect(),
            request: String::new(),
            answer: None,
            status: None,
            outcome: Outcome::Delivered,
        };
        run.step("start-execute-trigger-url");
        run.set("url", url);
        run.set("event", event);
        if let Some(word) = trigger_word {
            run.set("triggerWord", word);
        }
        run.set("ranPrepareScript", false);
        run.set("finished", false);
        run.set("error", false);
        for none in ["prepareSentMessage", "processSentMessage", "resultMessage"] {
            run.set(none, json!([]));
        }
        run
    }

    pub(super) fn step(&mut self, step: &str) {
        self.set("step", step);
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.kept.insert(key.to_owned(), value.into());
    }

    /// Ends the run successfully at a step.
    pub(super) fn finish(&mut self, step: &str) {
        self.step(step);
        self.set("finished", true);
    }

    /// Ends the run, or the attempt before a retry, with a failure at a step.
    pub(super) fn fail(&mut self, step: &str) {
        self.step(step);
        self.set("error", true);
    }

    /// Records the reason of a failure.
    pub(super) fn because(&mut self, reason: &str) {
        self.set("errorStack", reason);
    }

    pub(super) fn script_failed(&mut self, method: ScriptMethod, fault: &ScriptFault) {
        self.fail(&format!("execute-script-error-running-{}", method.as_str()));
        let stack = if fault.stack.is_empty() { fault.to_string() } else { format!("{fault}\n{}", fault.stack) };
        self.because(&stack);
    }

    pub(super) fn console(&mut self, lines: Vec<ConsoleLine>) {
        if lines.is_empty() {
            return;
        }
        let lines = lines.into_iter().map(|line| json!({"level": line.level, "text": line.text}));
        match self.kept.get_mut("console").and_then(Value::as_array_mut) {
            Some(before) => before.extend(lines),
            None => self.set("console", lines.collect::<Vec<_>>()),
        }
    }

    /// Returns a request or an answer as text for the record of the attempt.
    pub(super) fn shown(&self, value: &Value) -> String {
        self.clean(value, 0).to_string()
    }

    /// Returns a text without secrets, truncated.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = redact(text).into_owned();
        for secret in &self.secrets {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), REDACTED);
            }
        }
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        text
    }

    /// Returns the whole record.
    pub(super) fn into_detail(self) -> Value {
        let mut all: Map<String, Value> =
            self.kept.iter().map(|(key, value)| (key.clone(), self.clean(value, 0))).collect();
        for large in LARGE {
            if Value::Object(all.clone()).to_string().len() <= RECORD_BYTES {
                break;
            }
            if let Some(value) = all.get_mut(large) {
                *value = if value.is_array() { json!([]) } else { "[too large to be kept]".into() };
            }
        }
        Value::Object(all)
    }

    fn clean(&self, value: &Value, depth: usize) -> Value {
        match value {
            _ if depth > DEPTH => "[nested too deep to be kept]".into(),
            Value::String(text) => self.text(text).into(),
            Value::Array(all) => all.iter().map(|one| self.clean(one, depth + 1)).collect(),
            Value::Object(all) => {
                let clean = |(key, value): (&String, &Value)| {
                    let secret = SECRET_MEMBERS.iter().any(|member| key.eq_ignore_ascii_case(member));
                    let value = if secret && !value.is_null() { REDACTED.into() } else { self.clean(value, depth + 1) };
                    (key.clone(), value)
                };
                Value::Object(all.iter().map(clean).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run::begin("https://a.example/?token=abc", "sendMessage", Some("hi"), Some(Secret::new("t0ken-of-mine")))
    }

    #[test]
    fn secrets_are_left_out_wherever_they_stand() {
        let mut run = run();
        run.set(
            "data",
            json!({"token": "t0ken-of-mine", "text": "it is t0ken-of-mine", "n": [{"Authorization": "x"}]}),
        );
        run.set("httpResult", "you sent t0ken-of-mine");
        let detail = run.into_detail();
        assert!(!detail.to_string().contains("t0ken"), "{detail}");
        assert_eq!(detail["data"]["n"][0]["Authorization"], REDACTED);
        assert_eq!(detail["url"], "https://a.example/?token=[redacted]");
        assert_eq!((&detail["step"], &detail["triggerWord"]), (&json!("start-execute-trigger-url"), &json!("hi")));
    }

    #[test]
    fn what_is_large_is_cut_and_then_left_out() {
        let mut run = run();
        run.set("data", json!({"text": "é".repeat(TEXT_BYTES)}));
        run.set("httpCallData", vec![json!("x".repeat(TEXT_BYTES)); 20]);
        let mut deep = json!("x");
        for _ in 0..200 {
            deep = json!([deep]);
        }
        run.set("resultMessage", deep);
        let detail = run.into_detail();
        assert!(detail.to_string().len() <= RECORD_BYTES);
        assert_eq!(detail["httpCallData"], json!([]));
        assert_eq!(detail["data"]["text"].as_str().unwrap().len(), TEXT_BYTES);
    }
}
