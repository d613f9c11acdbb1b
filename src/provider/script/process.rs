//! A script process from its parent's side: started with an empty environment, given jobs, killed at their deadline.
//!
//! Not in it: its work inside (`worker`), and the organisation it belongs to (`pool`).

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::{
    fetch::Fetches,
    wire::{self, Done, HEAD, Hello, Said},
};
use crate::domain::webhooks::script::{ScriptLimits, ScriptRun};

/// Time limit for the start and confinement of a process, on a busy machine.
const START: Duration = Duration::from_secs(10);
/// Time after the deadline of a run at which its process is killed: a run ends itself in time where it can.
const GRACE: Duration = Duration::from_secs(1);
/// Console, faults and the envelope of the result.
const REPLY_MARGIN: usize = 1024 * 1024;
/// Runs, or time in them, after which a process is replaced: leaks of an engine are bounded.
const RUNS: u32 = 1_000;
const TIME: Duration = Duration::from_secs(20);

/// Program of a process, with its limits.
#[derive(Clone, Debug)]
pub(super) struct Program {
    path: PathBuf,
    limits: ScriptLimits,
}

/// Reason for which a process gave no outcome.
pub(super) enum Broken {
    /// Killed at the deadline of its job.
    Deadline,
    /// Ended, or sent an invalid outcome.
    Ended(String),
}

/// One process, killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    runs: u32,
    time: Duration,
}

impl Program {
    /// With no path, the program that is running, also where its file was replaced meanwhile.
    pub(super) fn new(path: &Path, limits: ScriptLimits) -> Self {
        let itself = || match cfg!(target_os = "linux") {
            true => PathBuf::from("/proc/self/exe"),
            false => std::env::current_exe().unwrap_or_default(),
        };
        let path = if path.as_os_str().is_empty() { itself() } else { path.to_owned() };
        Self { path, limits }
    }

    /// Starts a process and waits until it is confined.
    pub(super) async fn start(&self) -> io::Result<Process> {
        let mut command = Command::new(&self.path);
        let milliseconds = self.limits.time.as_millis();
        command.arg("script-worker").args(["--memory-bytes", &self.limits.memory_bytes.to_string()]);
        command.args(["--time-ms", &milliseconds.to_string()]);
        // Local times in scripts are those of the service.
        let zone: Option<OsString> = std::env::var_os("TZ");
        command.env_clear().envs(zone.map(|zone| ("TZ", zone))).current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no pipes"));
        };
        let mut process = Process { child, input, output, runs: 0, time: Duration::ZERO };
        let hello: Hello = match timeout(START, process.read(REPLY_MARGIN)).await {
            Ok(Ok(hello)) => hello,
            Ok(Err(error)) => return Err(process.end(&error.to_string()).await),
            Err(_) => return Err(process.end("it does not say that it is ready").await),
        };
        if hello.has_network {
            tracing::warn!("this kernel has no seccomp: script processes are bounded, but could open sockets");
        }
        Ok(process)
    }
}

impl Process {
    /// Sends a job and waits for its outcome, and makes its requests meanwhile. After any error, the process has ended.
    pub(super) async fn run(
        &mut self,
        job: &[u8],
        limits: &ScriptLimits,
        fetches: &mut Fetches<'_>,
    ) -> Result<ScriptRun, Broken> {
        let deadline = Instant::now() + limits.time;
        let most = limits.output_bytes.saturating_mul(2).saturating_add(REPLY_MARGIN);
        let exchange = async {
            self.input.write_all(job).await?;
            loop {
                match self.read::<Said>(most).await? {
                    Said::Done(done) => return Ok(done),
                    Said::Fetch(wanted) => {
                        let fetched = fetches.make(&wanted, deadline, limits.output_bytes).await?;
                        // The clock of the process started later: by it, the run could go on with a late failure.
                        let fetched = (Instant::now() < deadline).then_some(fetched);
                        self.input.write_all(&wire::frame(&fetched)?).await?;
                    }
                }
            }
        };
        let done: io::Result<Done> = match timeout(limits.time.saturating_add(GRACE), exchange).await {
            Ok(done) => done,
            Err(_) => {
                self.end("deadline").await;
                return Err(Broken::Deadline);
            }
        };
        match done.and_then(|done| Ok(ScriptRun::try_from(done)?)) {
            Ok(run) => {
                self.runs += 1;
                self.time += run.duration;
                Ok(run)
            }
            Err(error) => Err(Broken::Ended(self.end(&error.to_string()).await.to_string())),
        }
    }

    /// Returns true while it may be given another job.
    pub(super) fn is_good(&mut self) -> bool {
        self.runs < RUNS && self.time < TIME && matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the process and reaps it. Returns its exit status as an error.
    async fn end(&mut self, reason: &str) -> io::Error {
        // It may have ended by itself: then the kill has no target, and its own status is reported.
        let _ = self.child.start_kill();
        match self.child.wait().await {
            Ok(status) => io::Error::other(format!("{status}: {reason}")),
            Err(error) => error,
        }
    }

    async fn read<T: DeserializeOwned>(&mut self, most: usize) -> io::Result<T> {
        let mut head = [0; HEAD];
        self.output.read_exact(&mut head).await?;
        let length = wire::length(head);
        if length > most {
            return Err(io::Error::other(format!("it wants to say {length} bytes; {most} are read")));
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).await?;
        wire::content(&bytes)
    }
}
