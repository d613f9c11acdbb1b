//! Facts about the process under the names that Prometheus' client libraries share: CPU time, memory, open files, start.
//!
//! They are read from `/proc` at each request; elsewhere than on Linux they are left out.

use std::{fs, num::NonZero, str::FromStr};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
};

/// Collector of the facts.
#[derive(Debug)]
pub(super) struct Process;

/// Facts of `/proc/self/stat` (proc_pid_stat(5)).
struct Facts {
    cpu_seconds: f64,
    virtual_bytes: f64,
    resident_bytes: f64,
    started_ticks: f64,
}

impl Facts {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The name of the program, which may have any character, ends with the last bracket; field 3 follows.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |field: usize| f64::from_str(fields.get(field - 3)?).ok();
        let ticks = ticks();
        Some(Self {
            cpu_seconds: (number(14)? + number(15)?) / ticks,
            virtual_bytes: number(23)?,
            resident_bytes: number(24)? * f64::from(u32::try_from(page_size()).ok()?),
            started_ticks: number(22)?,
        })
    }
}

fn ticks() -> f64 {
    let ticks = u32::try_from(clock_ticks_per_second()).ok().and_then(NonZero::new);
    f64::from(ticks.map_or(100, NonZero::get))
}

/// Returns the time at which the machine was started, in seconds of the Unix epoch.
fn boot_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Name, help, unit and value of a gauge.
type Measured = (&'static str, &'static str, Option<Unit>, f64);

fn gauges(facts: Option<&Facts>) -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    if let Some(facts) = facts {
        all.push(("process_virtual_memory", "Virtual memory size", Some(Unit::Bytes), facts.virtual_bytes));
        all.push(("process_resident_memory", "Resident memory size", Some(Unit::Bytes), facts.resident_bytes));
        if let Some(boot) = boot_seconds() {
            let help = "Start time of the process since the Unix epoch";
            all.push(("process_start_time", help, Some(Unit::Seconds), boot + facts.started_ticks / ticks()));
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        all.push(("process_open_fds", "Number of open file descriptors", None, counted(open.count())));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        all.push(("process_max_fds", "Maximum number of open file descriptors", None, counted(most)));
    }
    all
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let facts = Facts::read();
        for (name, help, unit, value) in gauges(facts.as_ref()) {
            let described = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(described)?;
        }
        let Some(Facts { cpu_seconds, .. }) = facts else { return Ok(()) };
        let (help, seconds) = ("User and system CPU time spent", Some(&Unit::Seconds));
        ConstCounter::new(cpu_seconds).encode(encoder.encode_descriptor(
            "process_cpu",
            help,
            seconds,
            MetricType::Counter,
        )?)
    }
}

fn counted(number: impl TryInto<u32>) -> f64 {
    number.try_into().map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_name_may_have_brackets() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 17 18 19 4096000 10";
        let facts = Facts::parse(&format!("4711 (a) b) {rest}")).unwrap();
        assert!((facts.cpu_seconds - 300.0 / ticks()).abs() < 1e-9);
        assert!((facts.virtual_bytes - 4_096_000.0).abs() < 0.5 && facts.resident_bytes >= 40_960.0);
        assert!(Facts::parse("4711 (a) S 1").is_none() && Facts::parse("").is_none());
    }
}
