//! Scripts of webhook integrations: what they are called for, what they may use, and what comes of a run.
//!
//! What runs them is `provider::script`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether scripts are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ScriptMode {
    /// They are saved and run.
    On,
    /// None is run, and none is saved.
    Off,
    /// Those that are there run; saving one is refused.
    Frozen,
}

impl ScriptMode {
    /// Whether scripts are run.
    pub fn runs(self) -> bool {
        matches!(self, Self::On | Self::Frozen)
    }

    /// Whether a script may be saved.
    pub fn saves(self) -> bool {
        matches!(self, Self::On)
    }
}

// Not derived: the error of the derived one does not say what is allowed.
impl TryFrom<String> for ScriptMode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "frozen" => Ok(Self::Frozen),
            _ => Err("it must be on, off or frozen"),
        }
    }
}

/// One of the three methods of `class Script`. Each may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScriptMethod {
    /// What came in by a webhook becomes a message.
    ProcessIncomingRequest,
    /// What is about to be sent may be changed, or not sent.
    PrepareOutgoingRequest,
    /// What the far end answered becomes a message.
    ProcessOutgoingResponse,
}

impl ScriptMethod {
    /// Its name in a script.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProcessIncomingRequest => "process_incoming_request",
            Self::PrepareOutgoingRequest => "prepare_outgoing_request",
            Self::ProcessOutgoingResponse => "process_outgoing_response",
        }
    }
}

/// Why a script could not be read or run.
///
/// `name` is that of the error that was thrown, `SyntaxError`, `TypeError` or one of the script's own, or one of the
/// names below, which are ours. A script may throw errors with these names too; nothing follows from a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ScriptFault {
    /// What kind of error.
    pub name: String,
    /// What is wrong, for whoever wrote the script. A syntax error has its line and column here.
    pub message: String,
    /// Where, a call a line; empty where that is not known.
    pub stack: String,
}

impl ScriptFault {
    /// It ran, or was silent, for longer than it may.
    pub const TIMEOUT: &'static str = "ScriptTimeout";
    /// It wanted more memory than it may have.
    pub const MEMORY: &'static str = "ScriptMemory";
    /// Its calls, or its values, are nested too deep.
    pub const STACK: &'static str = "ScriptStack";
    /// What it returned, or keeps in its Store, is too large, is nested too deep, or is not JSON.
    pub const OUTPUT: &'static str = "ScriptOutput";
    /// It was not run: too many others were.
    pub const BUSY: &'static str = "ScriptBusy";

    /// A fault without a place.
    pub fn new(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), message: message.into(), stack: String::new() }
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptRun {
    /// What the method returned, or why it did not.
    pub result: Result<ScriptValue, ScriptFault>,
    /// What it wrote to the console, also where it failed.
    pub console: Vec<ConsoleLine>,
    /// The Store, where it changed; also where the script then threw.
    pub store: Option<Map<String, Value>>,
    /// How long it took, without the time it waited for its turn.
    pub duration: Duration,
}

/// What a method returned.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptValue {
    /// The class has no such method.
    NoMethod,
    /// Nothing.
    Undefined,
    /// Something; `null` is `Value::Null`.
    Json(Value),
}

/// One line that a script wrote to the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// By which of the console's functions.
    pub level: ConsoleLevel,
    /// What it wrote.
    pub text: String,
}

/// The functions of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleLevel {
    /// `console.debug`
    Debug,
    /// `console.log`
    Log,
    /// `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

/// How much a script may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptLimits {
    /// Memory, the engine's own for it included.
    pub memory_bytes: usize,
    /// Time on the clock, from reading the text to having the result.
    pub time: Duration,
    /// Stack, so how deep calls and values may be nested.
    pub stack_bytes: usize,
    /// What it returns, as JSON.
    pub output_bytes: usize,
}

impl ScriptLimits {
    /// What the Store may hold, as JSON.
    pub const STORE_BYTES: usize = 64 * 1024;
    /// How many lines of the console are kept.
    pub const CONSOLE_LINES: usize = 100;
    /// How much of the console is kept altogether.
    pub const CONSOLE_BYTES: usize = 16 * 1024;

    /// With what is usual for stack and output.
    pub const fn new(memory_bytes: usize, time: Duration) -> Self {
        Self { memory_bytes, time, stack_bytes: 256 * 1024, output_bytes: 1024 * 1024 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_say_what_is_allowed() {
        let mode = |text: &str| ScriptMode::try_from(text.to_owned());
        assert_eq!(mode("on").map(|mode| (mode.runs(), mode.saves())), Ok((true, true)));
        assert_eq!(mode("frozen").map(|mode| (mode.runs(), mode.saves())), Ok((true, false)));
        assert_eq!(mode("off").map(|mode| (mode.runs(), mode.saves())), Ok((false, false)));
        assert!(mode("ON").unwrap_err().contains("frozen"));
    }

    #[test]
    fn a_fault_is_a_line() {
        let fault = ScriptFault::new(ScriptFault::BUSY, "too many scripts are running");
        assert_eq!(fault.to_string(), "ScriptBusy: too many scripts are running");
    }
}
