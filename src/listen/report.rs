//! Report of the command: calls on the standard output, all else on the standard error.

use std::{
    io::{self, Write},
    mem,
};

use serde_json::{Value, json};
use url::Url;

use super::relay::Call;
use crate::domain::{Error, Result, ambient::timestamp, secret::Secret};

/// Writer of the report.
pub(super) struct Report {
    json: bool,
    ready: bool,
    away: bool,
}

impl Report {
    /// Creates a writer of lines for people, or of JSON.
    pub fn new(json: bool) -> Self {
        Self { json, ready: false, away: false }
    }

    /// Reports the beginning.
    pub fn begins(&self, server: &Url, target: &Url, secret: &Secret) {
        self.says(&format!("relaying from {server} to {target}"));
        self.says(&format!("signing secret: {}", secret.expose()));
    }

    /// Reports once that the server answers.
    pub fn reached(&mut self) {
        if mem::take(&mut self.away) {
            self.says("the server is back");
        }
        if !mem::replace(&mut self.ready, true) {
            self.says("ready; enter r and a number to send a call again, Ctrl-C to end");
        }
    }

    /// Reports once that the server does not answer.
    pub fn away(&mut self, server: &Url, reason: &str) {
        if !mem::replace(&mut self.away, true) {
            self.says(&format!("the server at {server} is away ({reason}); trying again until it is back"));
        }
    }

    /// Writes a sentence.
    pub fn says(&self, text: &str) {
        // Without a standard error there is nobody to read it.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Writes the line of a call.
    ///
    /// # Errors
    /// [`Error::Internal`] where the standard output is closed.
    pub fn relayed(&self, call: &Call) -> Result<()> {
        let line = if self.json { in_json(call).to_string() } else { in_words(call) };
        writeln!(io::stdout(), "{line}").map_err(|error| Error::Internal(format!("the output ended: {error}")))
    }
}

fn in_words(call: &Call) -> String {
    let time = call.at.with_timezone(&chrono::Local).format("%H:%M:%S");
    let outcome = match &call.outcome {
        Ok(status) => format!("{status}  {} ms", call.duration.as_millis()),
        Err(reason) => reason.clone(),
    };
    format!("{time}  {}  {}  {}  {outcome}", call.number, call.message.kind, call.message.id)
}

fn in_json(call: &Call) -> Value {
    let (name, outcome) = match &call.outcome {
        Ok(status) => ("status", json!(status)),
        Err(reason) => ("failure", json!(reason)),
    };
    let mut line = json!({
        "number": call.number,
        "time": timestamp(call.at),
        "type": call.message.kind,
        "id": call.message.id,
        "durationMs": u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
        name: outcome,
    });
    if let Ok(body) = &call.message.body {
        line["body"] = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
    }
    line
}
