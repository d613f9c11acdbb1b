//! Schema of the error of a script that does not compile.

use poem_openapi::Object;

use crate::domain::webhooks::script::ScriptFault;

/// Error of a script that does not compile.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ScriptError")]
pub struct ScriptErrorOut {
    /// Class of the error.
    pub name: String,
    /// Message of the error.
    pub message: String,
    /// Location of the error.
    pub stack: String,
}

impl From<ScriptFault> for ScriptErrorOut {
    fn from(ScriptFault { name, message, stack }: ScriptFault) -> Self {
        Self { name, message, stack }
    }
}
