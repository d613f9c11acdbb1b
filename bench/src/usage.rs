//! Resource use of processes: processor time and memory, from /proc.
//!
//! Processor time is there twice, and neither is enough. /proc/PID/stat has that of a whole process, with its ended
//! threads and, apart, its ended children, but cut down to 10 ms, once for user and once for system time: with a
//! connection's process each that adds up. The files of a thread (`schedstat`, or `sched` in a kernel without it) have
//! nanoseconds, but go with the thread, and /proc/PID/schedstat is that of the first thread only. Neither is ever more
//! than what was used, so the larger one of a process is the nearer: exact where no thread ended, as in PostgreSQL's
//! processes, and otherwise less than 20 ms short. Of ended processes only the sum in `stat` of their parent is left.

use std::{fs, path::Path, time::Duration};

use crate::Result;

/// Linux counts processor time for user space in hundredths of a second, independent of the kernel's own tick.
const TICK: Duration = Duration::from_millis(10);
/// Number of attempts to read a family of processes during which no child ends.
const READINGS: usize = 5;

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
            server: own(self.server)?,
            database: self.postmaster.map(family).transpose()?.unwrap_or_default(),
            standin: self.standin.map(own).transpose()?.unwrap_or_default(),
            generator: own(std::process::id())?,
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

/// Returns the processor time of a process, with its ended threads.
fn own(pid: u32) -> Result<Duration> {
    // The threads last: what is used meanwhile is in the larger figure.
    let stat = Stat::of(pid)?.own;
    Ok(stat.max(threads(pid)))
}

/// Returns the processor time of the present threads of a process; zero where the kernel does not tell.
fn threads(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads.map(|thread| self::thread(&thread.path())).sum()
}

/// Returns the processor time of a thread by its folder in /proc; zero where it has ended or the kernel does not tell.
pub fn thread(folder: &Path) -> Duration {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    let nanoseconds = || read("schedstat")?.split(' ').next()?.parse().ok().map(Duration::from_nanos);
    nanoseconds().or_else(|| run_time(&read("sched")?)).unwrap_or_default()
}

/// Parses the line `se.sum_exec_runtime : MILLISECONDS.NANOSECONDS` of a thread's `sched`.
fn run_time(sched: &str) -> Option<Duration> {
    let line = sched.lines().find_map(|line| line.strip_prefix("se.sum_exec_runtime"))?;
    let (milliseconds, rest) = line.split_once(':')?.1.trim().split_once('.')?;
    Some(Duration::from_millis(milliseconds.parse().ok()?) + Duration::from_nanos(rest.parse().ok()?))
}

/// Returns the processor time of a process with its children, including those whose end it has collected.
fn family(pid: u32) -> Result<Duration> {
    let mut ended = Stat::of(pid)?.ended_children;
    for reading in 1.. {
        let present = own(pid)? + children(pid)?;
        let ended_since = Stat::of(pid)?.ended_children;
        // A child that ended meanwhile is in one of the two, in both or in neither.
        if ended == ended_since || reading == READINGS {
            return Ok(present + ended);
        }
        ended = ended_since;
    }
    Ok(ended)
}

/// Returns the processor time of the present children of a process.
fn children(pid: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that has ended since is counted with its parent.
        if Stat::of(child).is_ok_and(|stat| stat.parent == pid) {
            total += own(child).unwrap_or_default();
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
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
        time::Instant,
    };

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
    fn nanoseconds_are_read_from_the_kernels_table() {
        let sched = "tieline (12, #threads: 3)\n----\nse.exec_start      :  85.1\nse.sum_exec_runtime       :      1234.000567\n";
        assert_eq!(run_time(sched), Some(Duration::new(1, 234_000_567)));
        assert_eq!(run_time("se.exec_start : 85.1"), None);
    }

    #[test]
    fn threads_that_have_ended_are_counted() {
        let before = own(std::process::id()).unwrap();
        let spin = || {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(60) {}
            thread(Path::new("/proc/thread-self"))
        };
        let used: Duration =
            [(); 2].map(|()| std::thread::spawn(spin)).map(|thread| thread.join().unwrap()).iter().sum();
        let counted = own(std::process::id()).unwrap() - before;
        // Other tests may add to it; `stat` may be 20 ms short.
        assert!(counted + Duration::from_millis(20) >= used, "{counted:?} of {used:?}");
    }

    #[test]
    fn children_are_counted_before_and_after_their_end() {
        let spin = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; echo done; read line";
        let mut child =
            Command::new("/bin/sh").args(["-c", spin]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (used, present) = (own(child.id()).unwrap(), children(std::process::id()).unwrap());
        assert!(used > Duration::ZERO && present >= used, "{used:?} of {present:?}");
        let ended = Stat::of(std::process::id()).unwrap().ended_children;
        drop(child.stdin.take());
        child.wait().unwrap();
        let after = Stat::of(std::process::id()).unwrap().ended_children - ended;
        assert!(after + 2 * TICK >= used, "{after:?} of {used:?}");
    }

    #[test]
    fn this_process_uses_memory() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.now_mb > 0.5 && memory.peak_mb >= memory.now_mb, "{memory:?}");
    }
}
