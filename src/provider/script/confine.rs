//! Limits that a script process puts on itself before it reads the first script, and cannot lift again.
//!
//! Not in it: the limits of a single run, which the engine keeps (`run`) and the parent enforces by killing (`process`).

use std::{io, net::UdpSocket, time::Duration};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use crate::domain::webhooks::script::ScriptLimits;

/// Address space in addition to that of the process as it is and that of the script: frames, and the engine's own
/// memory.
const MARGIN_BYTES: u64 = 128 * 1024 * 1024;
/// Assumed size of a process where it is unknown.
const UNKNOWN_BYTES: u64 = 1024 * 1024 * 1024;
/// Limit of open files: the three pipes, and those that the standard library needs for a moment.
const FILES: u64 = 8;
/// Processor time of a process in addition to that of its last run. The parent replaces it long before.
pub(super) const CPU: Duration = Duration::from_secs(60);

/// Has the kernel kill this process when its parent ends for any reason.
pub(super) fn end_with_the_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Limits memory, processor time, files and core dumps, and drops the network. Returns true where a socket can still be
/// opened: the kernel has no seccomp.
pub(super) fn confine(limits: &ScriptLimits) -> io::Result<bool> {
    let memory = u64::try_from(limits.memory_bytes).unwrap_or(u64::MAX);
    let cpu = (CPU + limits.time.saturating_mul(2)).as_secs();
    let space = address_space().unwrap_or(UNKNOWN_BYTES).saturating_add(MARGIN_BYTES);
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, FILES),
        (Resource::Cpu, cpu),
        (Resource::As, space.saturating_add(memory.saturating_mul(2))),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    seccomp::forbid_the_rest();
    Ok(UdpSocket::bind("127.0.0.1:0").is_ok())
}

/// Size of this process, in bytes.
fn address_space() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    size.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(target_os = "linux")]
mod seccomp {
    //! The system calls that remain. All others fail with EPERM, in every thread.

    use std::collections::BTreeMap;

    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};

    /// Pipes, memory, locks, clocks, randomness, and the end. None opens, names or signals anything.
    const ALLOWED: [i64; 30] = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_lseek,
        libc::SYS_brk,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_clock_gettime,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_set_robust_list,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// Forbids nothing on a kernel without seccomp; the caller detects that by trying.
    pub(super) fn forbid_the_rest() {
        let rules: BTreeMap<i64, Vec<_>> = ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
        let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let Ok(machine) = std::env::consts::ARCH.try_into() else { return };
        let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, machine);
        let program: Result<BpfProgram, _> = filter.and_then(TryInto::try_into);
        let _ = program.map(|program| apply_filter_all_threads(&program));
    }
}

#[cfg(not(target_os = "linux"))]
mod seccomp {
    //! No such thing here.

    pub(super) fn forbid_the_rest() {}
}
