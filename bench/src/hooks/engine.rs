//! What a script takes of the engine alone: the one that Tieline has, in this process, one run after the other.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tieline::{
    domain::script::{ScriptLimits, ScriptMethod},
    provider::script::ScriptEngine,
};

use crate::{Error, Result, latency::Percentiles};

/// How often it is run, and how often before that.
const RUNS: usize = 300;
const WARM_UP: usize = 20;
/// What a run may take, as Tieline's defaults say.
const MEMORY_BYTES: usize = 8 << 20;
const TIME: Duration = Duration::from_secs(3);

/// Runs a script on a body: from reading its text to having its result, with the runtime that is made for it.
///
/// # Errors
/// When it fails.
pub async fn measure(script: &str, body: &str) -> Result<Percentiles> {
    let engine = ScriptEngine::new(ScriptLimits::new(MEMORY_BYTES, TIME), 1);
    let (text, content): (Arc<str>, Value) = (script.into(), serde_json::from_str(body)?);
    let argument = json!({"request": {"content": content, "content_raw": body, "headers": {}, "url": {"query": {}}}});
    let mut took = Vec::with_capacity(RUNS);
    for index in 0..WARM_UP + RUNS {
        let method = ScriptMethod::ProcessIncomingRequest;
        let run = engine.run(text.clone(), method, argument.clone(), Map::new()).await;
        run.result.map_err(|fault| Error::from(format!("the script failed: {fault}")))?;
        if index >= WARM_UP {
            took.push(run.duration);
        }
    }
    Ok(Percentiles::of(took))
}
