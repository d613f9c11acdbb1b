//! Measures a script in the engine alone: Tieline's own, with its process, one run after the other.
//!
//! Excluded: requests and the database.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tieline::{
    domain::{
        ids::OrganisationId,
        webhooks::script::{ScriptLimits, ScriptMethod},
    },
    provider::script::{ScriptEngine, Settings},
};

use crate::{Error, Result, latency::Percentiles};

/// Number of measured runs, and of warm-up runs before them.
const RUNS: usize = 300;
const WARM_UP: usize = 20;
/// Number of cold runs, each in a process started for it.
const COLD_RUNS: usize = 50;
/// Pause between two runs, in which a process makes the runtime of the next.
const PAUSE: Duration = Duration::from_millis(5);
/// Limits of a run, as in Tieline's defaults.
const MEMORY_BYTES: usize = 8 << 20;
const TIME: Duration = Duration::from_secs(3);

/// Times of a script on a body, from handing it over to its result.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Alone {
    /// In a warm process that had time to prepare the runtime.
    pub paced: Percentiles,
    /// In a warm process, one run at once after the other.
    pub at_once: Percentiles,
    /// In a process started for the run.
    pub cold: Percentiles,
}

/// Measures a script on a body.
///
/// # Errors
/// When it fails.
pub async fn measure(script: &str, body: &str) -> Result<Alone> {
    let content: Value = serde_json::from_str(body)?;
    let argument = json!({"request": {"content": content, "content_raw": body, "headers": {}, "url": {"query": {}}}});
    runs(script, &argument, (1, WARM_UP, Duration::ZERO)).await?;
    Ok(Alone {
        paced: runs(script, &argument, (1, RUNS, PAUSE)).await?,
        at_once: runs(script, &argument, (1, RUNS, Duration::ZERO)).await?,
        cold: runs(script, &argument, (0, COLD_RUNS, Duration::ZERO)).await?,
    })
}

async fn runs(script: &str, argument: &Value, (warm, count, pause): (usize, usize, Duration)) -> Result<Percentiles> {
    let engine = ScriptEngine::new(Settings {
        limits: ScriptLimits::new(MEMORY_BYTES, TIME),
        concurrent: 1,
        concurrent_per_organisation: 1,
        warm,
        warm_for: Duration::from_secs(60),
        program: std::env::current_exe()?.with_file_name("tieline"),
    });
    let organisation_id: OrganisationId = "0199c1de-0000-7000-8000-000000000001".parse()?;
    let mut took = Vec::with_capacity(count);
    // The first run of a warm process starts it.
    for index in 0..count + warm {
        tokio::time::sleep(pause).await;
        let started = Instant::now();
        let call = (ScriptMethod::ProcessIncomingRequest, argument);
        let run = engine.run(organisation_id, script, call, Map::new()).await?;
        run.result.map_err(|fault| Error::from(format!("the script failed: {fault}")))?;
        if index >= warm {
            took.push(started.elapsed());
        }
    }
    Ok(Percentiles::of(took))
}
