//! Scripts of webhook integrations: what they may use, and what comes of a run. The engine is a provider.

use serde::{Deserialize, Serialize};

/// Why a script could not be read or run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ScriptFault {
    /// The class of the error, such as `SyntaxError`.
    pub name: String,
    /// In words.
    pub message: String,
    /// Where it happened.
    pub stack: String,
}
