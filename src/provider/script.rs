//! Runs the scripts of webhooks: QuickJS in separate processes, which have no network and are killed at their deadline.
//! Where the operator allows it, this process makes requests for them.
//!
//! A process serves one organisation; each of its runs has a JavaScript runtime of its own, and nothing outlives a run
//! but its result, its console lines and its Store. Not in it: the use of these results (`app`).
//!
//! - `slots`: runs at the same time, in all and of one organisation.
//! - `pool`: processes that wait for the next script of their organisation.
//! - `process`: one process, from outside; `wire`: the messages to it.
//! - [`worker`]: the same process, from inside; `confine`: the limits that it puts on itself.
//! - `fetch`: requests that scripts make; [`request`]: how a script describes one.
//! - `run`, `host`, `fault`, `sloppy`: the engine, and a run of it.

mod confine;
mod fault;
mod fetch;
mod host;
mod pool;
mod process;
pub mod request;
mod run;
mod sloppy;
mod slots;
#[cfg(test)]
mod tests;
mod wire;
pub mod worker;

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use self::{
    fetch::{Fetcher, Fetches},
    pool::Pool,
    process::{Broken, Process, Program},
    slots::Slots,
    wire::Job,
};
use super::guard::Guard;
use crate::domain::{
    Error, Result,
    ids::OrganisationId,
    webhooks::script::{ScriptFault, ScriptLimits, ScriptMethod, ScriptRun},
};

/// Maximum number of attempts: a process that ends in the midst of a run is replaced and the run is repeated.
const TRIES: usize = 2;
/// Message for a run that ended after a request: another one would make it again.
const NOT_REPEATED: &str = "the process of the script ended after the script had made a request";
const BUSY: Error = Error::Unavailable { what: "the engine of scripts" };

/// Bounds on the engine of scripts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Limits of one run.
    pub limits: ScriptLimits,
    /// Runs at the same time.
    pub concurrent: usize,
    /// Runs of one organisation at the same time.
    pub concurrent_per_organisation: usize,
    /// Warm processes that wait for the next script of their organisation.
    pub warm: usize,
    /// Idle time after which a warm process ends.
    pub warm_for: Duration,
    /// Program that runs scripts; empty: the one that is running.
    pub program: PathBuf,
}

/// Bounded runner of scripts. Cheap to clone; clones share the bounds and the processes.
#[derive(Clone, Debug)]
pub struct ScriptEngine {
    limits: ScriptLimits,
    program: Program,
    slots: Slots,
    pool: Arc<Pool>,
    fetcher: Option<Fetcher>,
}

impl ScriptEngine {
    /// Creates an engine without any process yet.
    pub fn new(settings: Settings) -> Self {
        let Settings { limits, concurrent, concurrent_per_organisation, warm, warm_for, program } = settings;
        Self {
            limits,
            program: Program::new(&program, limits),
            slots: Slots::new(concurrent, concurrent_per_organisation),
            pool: Arc::new(Pool::new(warm, warm_for)),
            fetcher: None,
        }
    }

    /// Allows each run this number of requests through the guard; none is the default.
    #[must_use]
    pub fn fetching(self, guard: Guard, most: u32) -> Self {
        Self { fetcher: (most > 0).then_some(Fetcher { guard, most }), ..self }
    }

    /// Checks that a text compiles and defines `class Script`. Code outside of the class is executed for that.
    ///
    /// # Errors
    /// [`Error::Unavailable`] as [`Self::run`]; the fault of the text is within the result, with line and column where it
    /// is a syntax error.
    pub async fn compile(&self, organisation_id: OrganisationId, text: &str) -> Result<Result<(), ScriptFault>> {
        let job = Job { text: text.to_owned(), call: None, store: "{}".to_owned(), fetches: 0 };
        Ok(self.exchange(organisation_id, &job).await?.result.map(|_| ()))
    }

    /// Evaluates a text, creates a `Script` and calls one of its methods. Waits for a slot first, for a bounded time.
    /// The run is stopped when the caller stops waiting.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without a slot, or when no process could run it: it had no effect, and may be retried.
    pub async fn run(
        &self,
        organisation_id: OrganisationId,
        text: &str,
        (method, argument): (ScriptMethod, &Value),
        store: Map<String, Value>,
    ) -> Result<ScriptRun> {
        let call = Some((method, argument.to_string()));
        let fetches = self.fetcher.as_ref().map_or(0, |fetcher| fetcher.most);
        let job = Job { text: text.to_owned(), call, store: Value::Object(store).to_string(), fetches };
        self.exchange(organisation_id, &job).await
    }

    async fn exchange(&self, organisation_id: OrganisationId, job: &Job) -> Result<ScriptRun> {
        let frame = wire::frame(job).map_err(|error| Error::Internal(format!("a script cannot be sent: {error}")))?;
        let Some(_slot) = self.slots.claim(organisation_id, self.limits.time.saturating_mul(2)).await else {
            tracing::warn!(organisation = %organisation_id, "the script engine is busy: a run got no slot (script.concurrent)");
            return Err(BUSY);
        };
        for _ in 0..TRIES {
            let started = Instant::now();
            let mut process = match self.process(organisation_id).await {
                Ok(process) => process,
                Err(error) => {
                    tracing::error!(%error, "a script process cannot be started");
                    return Err(BUSY);
                }
            };
            let mut fetches = Fetches::new(self.fetcher.as_ref().filter(|_| job.fetches > 0));
            match process.run(&frame, &self.limits, &mut fetches).await {
                Ok(run) => {
                    self.pool.keep(organisation_id, process);
                    return Ok(run);
                }
                Err(Broken::Deadline) => {
                    tracing::warn!(organisation = %organisation_id, "a script did not stop; its process was killed");
                    return Ok(stopped(run::timed_out(&self.limits), started));
                }
                Err(Broken::Ended(reason)) => {
                    tracing::warn!(organisation = %organisation_id, reason, "a script process ended in the midst of a run");
                    if fetches.any() {
                        return Ok(stopped(ScriptFault::new("InternalError", NOT_REPEATED), started));
                    }
                }
            }
        }
        Err(BUSY)
    }

    async fn process(&self, organisation_id: OrganisationId) -> io::Result<Process> {
        match self.pool.take(organisation_id) {
            Some(process) => Ok(process),
            None => self.program.start().await,
        }
    }
}

/// Outcome of a run whose process has ended.
fn stopped(fault: ScriptFault, started: Instant) -> ScriptRun {
    ScriptRun { result: Err(fault), console: Vec::new(), store: None, duration: started.elapsed() }
}
