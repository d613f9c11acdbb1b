//! Resource use of processes: processor time and memory, from /proc.

use std::{fs, time::Duration};

use crate::Result;

/// Linux counts processor time for user space in hundredths of a second, independent of the kernel's own tick.
const TICK: Duration = Duration::from_millis(10);

/// Processor time by its user.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// Tieline.
    pub server: Duration,
    /// All processes of PostgreSQL, including ended ones.
    pub database: Duration,
    /// The stand-in Slack.
    pub standin: Duration,
    /// This process.
    pub generator: Duration,
}

/// Processes whose processor time is read.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// Tieline's process id.
    pub server: u32,
    /// The postmaster's, if there is one.
    pub postmaster: Option<u32>,
    /// The stand-in's, if there is one.
    pub standin: Option<u32>,
}

impl Watched {
    /// Reads the processor time used so far.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn cpu(&self) -> Result<Cpu> {
        Ok(Cpu {
            server: Stat::of(self.server)?.own,
            database: self.postmaster.map(family).transpose()?.unwrap_or_default(),
            standin: self.standin.map(Stat::of).transpose()?.map_or(Duration::ZERO, |stat| stat.own),
            generator: Stat::of(std::process::id())?.own,
        })
    }
}

impl Cpu {
    /// Returns the use since an earlier reading.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            server: self.server.saturating_sub(earlier.server),
            database: self.database.saturating_sub(earlier.database),
            standin: self.standin.saturating_sub(earlier.standin),
            generator: self.generator.saturating_sub(earlier.generator),
        }
    }
}

/// A process with its children, including those whose end it has collected.
fn family(pid: u32) -> Result<Duration> {
    let first = Stat::of(pid)?;
    let mut total = first.own + first.ended_children;
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that has ended since is counted with its parent the next time.
        if let Ok(stat) = Stat::of(child)
            && stat.parent == pid
        {
            total += stat.own;
        }
    }
    Ok(total)
}

/// Fields of /proc/PID/stat (proc(5)).
struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn of(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(&text).ok_or_else(|| format!("/proc/{pid}/stat cannot be read: {text}").into())
    }

    fn parse(text: &str) -> Option<Self> {
        // The second field is a name in parentheses, which may hold anything; the third is the first after it.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let ticks = |number: usize| field(number)?.parse::<u32>().ok();
        Some(Self {
            parent: field(4)?.parse().ok()?,
            own: TICK * (ticks(14)? + ticks(15)?),
            ended_children: TICK * (ticks(16)? + ticks(17)?),
        })
    }
}

/// Resident memory of a process.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Present, in MB.
    pub now_mb: f64,
    /// Peak, in MB.
    pub peak_mb: f64,
}

impl Memory {
    /// Reads the memory of that process.
    ///
    /// # Errors
    /// When it is gone.
    pub fn of(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let megabytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            kibibytes.map(|kibibytes| kibibytes * 1.024 / 1000.0).ok_or(format!("no {name} in /proc/{pid}/status"))
        };
        Ok(Self { now_mb: megabytes("VmRSS")?, peak_mb: megabytes("VmHWM")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_the_name() {
        let text = "12 (a) b) S 7 12 12 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 5";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(stat.parent, 7);
        assert_eq!(stat.own, Duration::from_secs(2));
        assert_eq!(stat.ended_children, Duration::from_millis(500));
    }

    #[test]
    fn this_process_uses_memory() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.now_mb > 0.5 && memory.peak_mb >= memory.now_mb, "{memory:?}");
    }
}
