//! The measured processes. Each ends when its handle is dropped, in every case.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{Error, Result};

/// Time limit in which a server reports its address.
const START: Duration = Duration::from_secs(30);
/// Time limit for the end of a process after SIGTERM.
const END: Duration = Duration::from_secs(30);

/// A running server, killed when dropped.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// Process id.
    pub pid: u32,
    /// Its address.
    pub address: SocketAddr,
    /// Start time.
    pub began: Instant,
}

/// Program with its settings and the folder of its logs.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    settings: Vec<(String, String)>,
    logs: PathBuf,
}

impl Program {
    /// Finds the program of that name beside this one; its log goes into the folder `logs`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn beside(name: &str, logs: &Path) -> Result<Self> {
        let path = std::env::current_exe()?.with_file_name(name);
        if !path.exists() {
            return Err(format!("{} is not there: build it with --release first", path.display()).into());
        }
        Ok(Self { path, settings: Vec::new(), logs: logs.to_owned() })
    }

    /// Sets an environment variable.
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.settings.push((key.to_owned(), value.into()));
        self
    }

    /// Runs it to its end and returns its output.
    ///
    /// # Errors
    /// When it fails.
    pub async fn output(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} {} failed: {said}", self.path.display(), arguments.join(" ")).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts it as a server and waits for the line that reports its address, at its end.
    ///
    /// # Errors
    /// When it ends or prints no such line.
    pub async fn serve(&self, arguments: &[&str]) -> Result<Server> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = self.logs.join(format!("{name}.log"));
        let began = Instant::now();
        let mut child =
            self.command(arguments).stdout(Stdio::piped()).stderr(File::create(&log)?).kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or("a process that has just started has no id")?;
        let stdout = child.stdout.take().ok_or("a pipe that was asked for is missing")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = address_in(&line) {
                    return Ok(address);
                }
            }
            Err(Error::from("it ended without saying where it listens"))
        };
        let address = match timeout(START, address).await {
            Ok(Ok(address)) => address,
            Ok(Err(error)) => return Err(format!("{name}: {error}; it said: {}", tail(&log)).into()),
            Err(_) => return Err(format!("{name} did not start within {START:?}; it said: {}", tail(&log)).into()),
        };
        Ok(Server { child, log, pid, address, began })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).envs(self.settings.iter().map(|(key, value)| (key, value))).stdin(Stdio::null());
        // Otherwise a settings file in the user's folder would change the measurement.
        command.current_dir(&self.logs);
        command
    }
}

impl Server {
    /// Returns the last lines of its log.
    pub fn last_words(&self) -> String {
        tail(&self.log)
    }

    /// Sends SIGTERM and returns the time until the process ended.
    ///
    /// # Errors
    /// When it does not end in time, or not with 0.
    pub async fn terminate(mut self) -> Result<Duration> {
        let began = Instant::now();
        Command::new("/bin/sh").args(["-c", &format!("kill -TERM {}", self.pid)]).status().await?;
        match timeout(END, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(began.elapsed()),
            Ok(status) => Err(format!("the server ended with {}; it said: {}", status?, self.last_words()).into()),
            Err(_) => Err(format!("the server did not end within {END:?} of SIGTERM").into()),
        }
    }
}

/// Parses the address in `… listens on 127.0.0.1:8080` or `… at http://127.0.0.1:8090/slack`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let last = line.rsplit(' ').next()?;
    let last = last.strip_prefix("http://").unwrap_or(last);
    last.split('/').next()?.parse().ok()
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_where_they_listen() {
        let address = Some(SocketAddr::from(([127, 0, 0, 1], 8090)));
        assert_eq!(address_in("tieline listens on 127.0.0.1:8090"), address);
        assert_eq!(address_in("stand-in Slack at http://127.0.0.1:8090/slack"), address);
        assert_eq!(address_in("hello"), None);
    }
}
