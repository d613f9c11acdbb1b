//! The real binary as a separate process, with an environment, a folder and a database of its own.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use standin::Options;

use super::{Client, Database, Slack};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Time limit of a start on a busy machine.
const START: Duration = Duration::from_secs(20);

/// An installed Tieline: a working directory, settings and a database.
pub struct Deployment {
    /// The working directory of every process.
    pub folder: PathBuf,
    environment: BTreeMap<String, String>,
    /// Arguments of the shell's `ulimit` for every process.
    limits: Option<String>,
    /// Kept for as long as it is used.
    database: Option<Database>,
}

impl Deployment {
    /// A deployment without any setting: all defaults, but for the port.
    pub fn bare() -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tieline-process-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let listen = [("TIELINE_LISTEN".to_owned(), "127.0.0.1:0".to_owned())];
        Self { folder, environment: listen.into(), limits: None, database: None }
    }

    /// A deployment on a database, with a Slack at this base. Its channels have no rate limit.
    pub fn new(database: Database, slack_base: &str) -> Self {
        let url = database.url.clone();
        let options = Options::default();
        let mut this = Self::bare();
        this.database = Some(database);
        this.set("DATABASE_URL", url)
            .set("TIELINE_SECRET_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
            .set("TIELINE_SLACK__CLIENT_ID", options.client_id)
            .set("TIELINE_SLACK__CLIENT_SECRET", options.client_secret)
            .set("TIELINE_SLACK__SIGNING_SECRET", options.signing_secret)
            .set("TIELINE_SLACK__WEB_BASE", slack_base)
            .set("TIELINE_SLACK__API_BASE", format!("{slack_base}/api"))
            .set("TIELINE_SLACK__HOOKS_BASE", format!("{slack_base}/hooks"))
            .set("TIELINE_SLACK__CHANNEL_INTERVAL_MS", "0");
        this
    }

    /// Sets an environment variable of the future processes.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Sets several environment variables of the future processes.
    pub fn set_all(&mut self, variables: impl IntoIterator<Item = (&'static str, String)>) -> &mut Self {
        self.environment.extend(variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// Limits the resources of the future processes: arguments of the shell's `ulimit`.
    pub fn limit(&mut self, arguments: &str) -> &mut Self {
        self.limits = Some(arguments.to_owned());
        self
    }

    /// Removes an environment variable.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.environment.remove(name);
        self
    }

    /// Reports that the database is a file.
    pub fn is_embedded(&self) -> bool {
        self.database.as_ref().is_none_or(|database| database.url.starts_with("sqlite"))
    }

    /// Path of a name in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Builds a command, to be refined and run.
    fn command(&self, arguments: &[&str]) -> Command {
        let tieline = env!("CARGO_BIN_EXE_tieline");
        let mut command = Command::new(if self.limits.is_some() { "/bin/sh" } else { tieline });
        if let Some(limits) = &self.limits {
            command.args(["-c", &format!("ulimit {limits} && exec \"$0\" \"$@\""), tieline]);
        }
        command.args(arguments).env_clear().envs(&self.environment).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Ran {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Serves in this role and waits until it listens.
    pub async fn serve(&self, role: &str) -> Process {
        let mut process = self.begin(role);
        let listens = |output: &str| {
            let line = output.lines().find_map(|line| line.strip_prefix("tieline listens on "));
            line.map(|address| address.to_owned())
        };
        process.address = until("it listens", START, async || {
            let output = process.output();
            assert!(process.exit_status().is_none(), "it ended at once: {output}");
            listens(&output)
        })
        .await;
        process
    }

    /// Serves in this role, and waits for nothing.
    pub fn begin(&self, role: &str) -> Process {
        let child = self.command(&["serve", "--role", role]).spawn().unwrap();
        Process::of(child)
    }

    /// Starts a command with an open standard input.
    pub fn start(&self, arguments: &[&str]) -> (Process, ChildStdin) {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        (Process::of(child), input)
    }

    /// Creates an organisation with an owner and returns the owner's token.
    pub async fn owner(&self, slug: &str) -> String {
        self.run(&["org", "create", slug]).await.ok();
        self.token(slug, "olga", "owner").await
    }

    /// Creates a token and returns its text.
    pub async fn token(&self, slug: &str, username: &str, role: &str) -> String {
        let made = self.run(&["token", "create", "--org", slug, "--user", username, "--role", role]).await.ok();
        made["token"].as_str().unwrap().to_owned()
    }

    /// Creates an organisation whose owner connects it to a workspace and chooses a channel, by way of a running
    /// process.
    pub async fn connected(&self, process: &Process, slug: &str, slack: &Slack, at: (&str, &str)) -> String {
        let token = self.owner(slug).await;
        slack.connect(&process.client(&token), at.0, at.1).await;
        token
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Result of a command.
#[derive(Debug)]
pub struct Ran {
    /// Exit status 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error, and its log.
    pub stderr: String,
}

impl Ran {
    /// Asserts success, and returns the one line of JSON that it printed.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.success, "{self:?}");
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Asserts a failure without other output, and returns its complaint.
    #[track_caller]
    pub fn refused(&self) -> &str {
        assert!(!self.success && self.stdout.is_empty(), "{self:?}");
        &self.stderr
    }
}

/// A serving process, killed when dropped.
pub struct Process {
    /// Its address.
    pub address: String,
    child: Child,
    output: Arc<Mutex<String>>,
    /// They end with the process, when they have read everything.
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    fn of(mut child: Child) -> Self {
        let output = Arc::default();
        let stdout = gather(child.stdout.take().unwrap(), &output);
        let readers = vec![stdout, gather(child.stderr.take().unwrap(), &output)];
        Self { address: String::new(), child, output, readers }
    }

    /// A caller with a token.
    pub fn client(&self, token: &str) -> Client {
        self.anon().with_token(token)
    }

    /// A caller without a token.
    pub fn anon(&self) -> Client {
        Client::new(format!("http://{}", self.address)).holding()
    }

    /// Everything printed and logged so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Its exit status, if it has ended.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end, and returns its exit status and the time taken.
    pub async fn exited(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let status = until("it exits", limit, async || self.exit_status()).await;
        let took = begun.elapsed();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        (status, took)
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        terminate(&self.child);
    }

    /// Ends it as a crash would: nothing of it runs any more afterwards.
    pub fn kill(mut self) {
        self.end();
    }

    /// Its present limit of open files.
    pub fn file_limit(&self) -> u64 {
        let path = Path::new("/proc").join(self.child.id().to_string()).join("limits");
        let limits = std::fs::read_to_string(path).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Child processes that have not been reaped.
    pub fn children(&self) -> Vec<u32> {
        let parent = format!("PPid:\t{}", self.child.id());
        let processes =
            std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let is_child = |pid: &u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.lines().any(|line| line == parent)
        };
        processes.filter_map(|name| name.parse().ok()).filter(is_child).collect()
    }

    /// Number of its open files.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(Path::new("/proc").join(self.child.id().to_string()).join("fd")).unwrap().count()
    }

    /// Peak memory, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("status"));
        let status = status.unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        if thread::panicking() {
            eprintln!("---- what {} said\n{}", self.address, self.output());
        }
    }
}

/// Collects the output of a pipe, until it ends.
fn gather(pipe: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// Polls for a condition, and fails the test at the time limit.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sends SIGTERM by the shell: a small machine has no program `kill`.
pub fn terminate(child: &Child) {
    let command = format!("kill -TERM {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &command]).status().unwrap().success());
}
