//! Frames between Tieline and a script process: a length of four bytes, and as many bytes of JSON.
//!
//! Not in it: the pipes. Values within a frame are texts of JSON, so that their nesting depth is counted from their own
//! beginning.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::domain::webhooks::script::{ConsoleLine, ScriptFault, ScriptMethod, ScriptRun, ScriptValue};

/// Length of the length.
pub(super) const HEAD: usize = 4;

/// First frame of a process: it is confined, and waits for jobs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    /// False where the kernel prevented it from opening a socket.
    pub(super) has_network: bool,
}

/// One text to evaluate, and the method to call.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) text: String,
    /// The method and its argument as JSON; none where the text is only compiled.
    pub(super) call: Option<(ScriptMethod, String)>,
    /// The Store as JSON.
    pub(super) store: String,
    /// Maximum number of requests that it may make.
    pub(super) fetches: u32,
}

/// Frame of a process that has a job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// The script makes a request, described as JSON. The process waits for a [`Fetched`], or
    /// for `null` once the time of the run is up.
    Fetch(String),
    /// The end of the job.
    Done(Done),
}

/// Result of a script's request, which the script reads as it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fetched {
    /// The answer, with any status.
    Answer { status: u16, headers: BTreeMap<String, String>, body: String },
    /// Reason for a missing answer.
    Failure(String),
}

/// Outcome of a job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    result: Result<Returned, ScriptFault>,
    console: Vec<ConsoleLine>,
    store: Option<String>,
    micros: u64,
}

#[derive(Debug, Serialize, Deserialize)]
enum Returned {
    NoMethod,
    Undefined,
    Json(String),
}

impl From<ScriptRun> for Done {
    fn from(ScriptRun { result, console, store, duration }: ScriptRun) -> Self {
        let result = result.map(|value| match value {
            ScriptValue::NoMethod => Returned::NoMethod,
            ScriptValue::Undefined => Returned::Undefined,
            ScriptValue::Json(value) => Returned::Json(value.to_string()),
        });
        let store = store.map(|store| Value::Object(store).to_string());
        Self { result, console, store, micros: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX) }
    }
}

impl TryFrom<Done> for ScriptRun {
    type Error = serde_json::Error;

    fn try_from(Done { result, console, store, micros }: Done) -> Result<Self, Self::Error> {
        let result = match result {
            Ok(Returned::NoMethod) => Ok(ScriptValue::NoMethod),
            Ok(Returned::Undefined) => Ok(ScriptValue::Undefined),
            Ok(Returned::Json(text)) => Ok(ScriptValue::Json(serde_json::from_str(&text)?)),
            Err(fault) => Err(fault),
        };
        let store = store.map(|text| serde_json::from_str::<Map<String, Value>>(&text)).transpose()?;
        Ok(Self { result, console, store, duration: Duration::from_micros(micros) })
    }
}

/// Builds a frame.
pub(super) fn frame(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; HEAD];
    serde_json::to_writer(&mut bytes, value)?;
    let length = u32::try_from(bytes.len() - HEAD).map_err(|_| std::io::Error::other("a frame has up to 4 GiB"))?;
    bytes[..HEAD].copy_from_slice(&length.to_be_bytes());
    Ok(bytes)
}

/// Returns the length in the head of a frame.
pub(super) fn length(head: [u8; HEAD]) -> usize {
    usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX)
}

/// Parses the content of a frame.
pub(super) fn content<T: DeserializeOwned>(bytes: &[u8]) -> std::io::Result<T> {
    Ok(serde_json::from_slice(bytes)?)
}
