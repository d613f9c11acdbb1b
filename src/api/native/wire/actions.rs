//! Calls of the actions of apps.

use std::collections::BTreeMap;

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::{Value, json};

/// Call of an action.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CallAppAction", example)]
pub struct ActionIn {
    /// Input, valid by the action's input schema.
    pub input: BTreeMap<String, Any<Value>>,
}

impl Example for ActionIn {
    fn example() -> Self {
        Self { input: [("text".to_owned(), Any(json!("hello")))].into() }
    }
}

impl From<ActionIn> for Value {
    fn from(call: ActionIn) -> Self {
        call.input.into_iter().map(|(name, Any(value))| (name, value)).collect()
    }
}

/// Result of a call of an action.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AppActionResult", example)]
pub struct ActionOut {
    /// Output, valid by the action's output schema.
    pub output: Any<Value>,
}

impl Example for ActionOut {
    fn example() -> Self {
        Self { output: Any(json!({"messageId": "17"})) }
    }
}
