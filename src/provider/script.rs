//! The engine that runs the scripts of webhook integrations: QuickJS in a box.
//!
//! A run has a JavaScript runtime of its own, on a thread of its own, and nothing outlives it but what it returns, what
//! it wrote to the console, and its Store; all three come out as JSON or text. There is no network, file, module, timer
//! or process in the box, so nothing is waited for: a promise settles while jobs are left, or never.
//!
//! The box is made of C. It holds what scripts can do by the language; a defect of QuickJS's memory safety it does not
//! hold. Hence what is seldom needed and often defective is left out of it (`script/guards.js`).

mod fault;
mod host;
mod run;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use crate::domain::script::{ScriptFault, ScriptLimits, ScriptMethod, ScriptRun};

/// What a thread needs of stack beside what scripts may use: the engine looks at the limit only where it calls.
const STACK_MARGIN: usize = 1024 * 1024;
/// How much longer than its time a run may take to stop before nobody waits for it any more.
const GRACE: Duration = Duration::from_secs(2);

/// Runs scripts, so many at a time. Cheap to clone; clones share the bound.
#[derive(Clone, Debug)]
pub struct ScriptEngine {
    limits: ScriptLimits,
    grace: Duration,
    slots: Arc<Semaphore>,
}

/// One text to evaluate, and what to call in it.
struct Job {
    text: Arc<str>,
    call: Option<(ScriptMethod, Value)>,
    store: Map<String, Value>,
}

impl ScriptEngine {
    /// An engine that runs up to `concurrent` scripts at the same time.
    pub fn new(limits: ScriptLimits, concurrent: usize) -> Self {
        let slots = Arc::new(Semaphore::new(concurrent.clamp(1, Semaphore::MAX_PERMITS)));
        Self { limits, grace: GRACE, slots }
    }

    /// Checks that it compiles and defines `class Script`. What stands outside of the class is executed for that.
    ///
    /// # Errors
    /// What is wrong with it; line and column of a syntax error are in the message.
    pub async fn compile(&self, text: &str) -> Result<(), ScriptFault> {
        self.exchange(Job { text: text.into(), call: None, store: Map::new() }).await.result.map(|_| ())
    }

    /// Evaluates the text, makes a `Script` and calls one of its methods. Waits for its turn first, for a bounded time.
    /// Where the caller stops waiting, the run is stopped.
    pub async fn run(
        &self,
        text: Arc<str>,
        method: ScriptMethod,
        argument: Value,
        store: Map<String, Value>,
    ) -> ScriptRun {
        self.exchange(Job { text, call: Some((method, argument)), store }).await
    }

    async fn exchange(&self, job: Job) -> ScriptRun {
        let Ok(Ok(slot)) = timeout(self.limits.time.saturating_mul(2), self.slots.clone().acquire_owned()).await else {
            let message = "too many scripts are running; try again, or raise script.concurrent";
            return failed(ScriptFault::new(ScriptFault::BUSY, message), Duration::ZERO);
        };
        let started = Instant::now();
        let (limits, given_up) = (self.limits, GivenUp::default());
        let (answer, answered) = oneshot::channel();
        let seen = given_up.0.clone();
        // Not one of the runtime's own threads: this one has a stack of a known size, and a run that cannot be stopped
        // does not hold up the end of the process.
        let thread = thread::Builder::new()
            .name("script".to_owned())
            .stack_size(limits.stack_bytes.saturating_add(STACK_MARGIN))
            .spawn(move || {
                let run = run::run(&job, &limits, seen);
                drop(slot);
                // Nobody may be waiting any more.
                let _ = answer.send(run);
            });
        if let Err(error) = thread {
            let fault = ScriptFault::new(ScriptFault::BUSY, format!("there is no thread for it: {error}"));
            return failed(fault, started.elapsed());
        }
        match timeout(limits.time.saturating_add(self.grace), answered).await {
            Ok(Ok(run)) => run,
            Ok(Err(_)) => {
                let message = "the engine failed while it ran; this is a defect of the service, not of the script";
                failed(ScriptFault::new("InternalError", message), started.elapsed())
            }
            Err(_) => {
                tracing::error!("a script does not stop; its slot is taken until it does");
                failed(run::timed_out(&limits), started.elapsed())
            }
        }
    }
}

fn failed(fault: ScriptFault, duration: Duration) -> ScriptRun {
    ScriptRun { result: Err(fault), console: Vec::new(), store: None, duration }
}

/// Tells the run when it is dropped that nobody waits for it.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
