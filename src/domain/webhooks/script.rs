//! Scripts of webhooks: their methods, their limits, and the outcome of a run.
//!
//! Not here: the engine and its processes (`provider::script`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Mode of scripts: saved and run, only run, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ScriptMode {
    /// They are saved and run.
    On,
    /// Scripts are neither saved nor run.
    Off,
    /// Existing scripts run; saving one is refused.
    Frozen,
}

impl ScriptMode {
    /// Returns true if scripts are run.
    pub fn runs(self) -> bool {
        matches!(self, Self::On | Self::Frozen)
    }

    /// Returns true if a script may be saved.
    pub fn saves(self) -> bool {
        matches!(self, Self::On)
    }
}

// Not derived: the error of the derived one does not list the allowed values.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScriptMethod {
    /// Turns a request to an incoming webhook into a message.
    ProcessIncomingRequest,
    /// Changes or cancels a request of an outgoing webhook.
    PrepareOutgoingRequest,
    /// Turns the answer of a target into a message.
    ProcessOutgoingResponse,
}

impl ScriptMethod {
    /// Returns its name in a script.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProcessIncomingRequest => "process_incoming_request",
            Self::PrepareOutgoingRequest => "prepare_outgoing_request",
            Self::ProcessOutgoingResponse => "process_outgoing_response",
        }
    }
}

/// Error that ended a script, or kept it from being read.
///
/// `name` is that of the thrown error, `SyntaxError`, `TypeError` or one of the script's own, or one of the names
/// below, which are ours. A script may throw errors with these names too; nothing follows from a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ScriptFault {
    /// Kind of the error.
    pub name: String,
    /// Message for the author of the script. A syntax error has its line and column here.
    pub message: String,
    /// Stack, a call a line; empty if it is not known.
    pub stack: String,
}

impl ScriptFault {
    /// It ran, or was silent, beyond its time limit.
    pub const TIMEOUT: &'static str = "ScriptTimeout";
    /// It exceeded its memory limit.
    pub const MEMORY: &'static str = "ScriptMemory";
    /// Its calls, or its values, are nested too deep.
    pub const STACK: &'static str = "ScriptStack";
    /// Its result, or its Store, is too large, is nested too deep, or is not JSON.
    pub const OUTPUT: &'static str = "ScriptOutput";

    /// Returns a fault without a stack.
    pub fn new(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), message: message.into(), stack: String::new() }
    }
}

/// Outcome of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptRun {
    /// Value that the method returned, or the fault that ended it.
    pub result: Result<ScriptValue, ScriptFault>,
    /// Console lines, also of a run that failed.
    pub console: Vec<ConsoleLine>,
    /// The Store, if it changed; also if the script then threw.
    pub store: Option<Map<String, Value>>,
    /// Wall-clock time, without the wait for a free process.
    pub duration: Duration,
}

/// Result of a method.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptValue {
    /// The class has no such method.
    NoMethod,
    /// `undefined`.
    Undefined,
    /// A value; `null` is `Value::Null`.
    Json(Value),
}

/// One line that a script wrote to the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// Function of the console that wrote it.
    pub level: ConsoleLevel,
    /// Text of the line.
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

/// Limits of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptLimits {
    /// Memory, including the engine's own.
    pub memory_bytes: usize,
    /// Wall-clock time, from reading the text to having the result.
    pub time: Duration,
    /// Stack, which bounds the nesting of calls and values.
    pub stack_bytes: usize,
    /// Size of the result as JSON.
    pub output_bytes: usize,
}

impl ScriptLimits {
    /// Size of the Store as JSON.
    pub const STORE_BYTES: usize = 64 * 1024;
    /// Maximum number of console lines kept.
    pub const CONSOLE_LINES: usize = 100;
    /// Maximum size of the console kept, in bytes.
    pub const CONSOLE_BYTES: usize = 16 * 1024;

    /// Returns limits with the defaults for stack and output.
    pub const fn new(memory_bytes: usize, time: Duration) -> Self {
        Self { memory_bytes, time, stack_bytes: 256 * 1024, output_bytes: 1024 * 1024 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_mode_lists_the_allowed_ones() {
        let mode = |text: &str| ScriptMode::try_from(text.to_owned());
        assert_eq!(mode("on").map(|mode| (mode.runs(), mode.saves())), Ok((true, true)));
        assert_eq!(mode("frozen").map(|mode| (mode.runs(), mode.saves())), Ok((true, false)));
        assert_eq!(mode("off").map(|mode| (mode.runs(), mode.saves())), Ok((false, false)));
        assert!(mode("ON").unwrap_err().contains("frozen"));
    }

    #[test]
    fn a_fault_is_a_line() {
        let fault = ScriptFault::new(ScriptFault::TIMEOUT, "the script did not end within 3000 ms");
        assert_eq!(fault.to_string(), "ScriptTimeout: the script did not end within 3000 ms");
    }
}
