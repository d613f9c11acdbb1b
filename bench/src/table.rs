//! The figures as one Markdown table, a column for each database, and beside them the best of the peers.

use std::fmt::Write;

use crate::figures::{Figures, Inbound, Run, Taken};

/// Figures of Svix server 1.100.0 (PostgreSQL and Redis, both durable; one endpoint; events of 550 bytes), measured in
/// November 2026 on another machine of two cores, likewise with the load generator and the sink on the same cores.
mod svix {
    pub(super) const ACCEPTED: [(usize, &str); 3] = [
        (1, "612/s, p50 1.55, p99 2.7 ms"),
        (16, "1,087/s, p50 14.4, p99 25 ms"),
        (64, "1,030/s, p50 60.8, p99 113 ms"),
    ];
    pub(super) const DELIVERED: [(usize, &str); 2] = [(16, "1,150/s"), (64, "1,113/s")];
    pub(super) const RATE_ACCEPT: [(u32, &str); 1] = [(100, "p50 2.9, p99 4.7 ms")];
    pub(super) const RATE_END_TO_END: [(u32, &str); 1] = [(100, "p50 2.1, p99 4.1 ms")];
    pub(super) const CPU: &str = "1.62 ms (0.81 + PostgreSQL 0.73 + Redis 0.08)";
    pub(super) const ONE_ENDPOINT: &str = "1,150/s";
    pub(super) const READS: &str = "4,307/s, p50 3.6, p99 8.1 ms";
    pub(super) const COLD_START: &str = "52 ms";
    pub(super) const STOP: &str = "17,000 ms";
    pub(super) const MEMORY_IDLE: &str = "38 MB";
    pub(super) const MEMORY_PEAK: &str = "55 MB";
}

/// Not measured.
const UNKNOWN: &str = "–";

/// The table.
pub fn markdown(columns: &[Figures]) -> String {
    let mut table = Table { columns, text: String::new() };
    table.head();
    if let Some(first) = columns.first() {
        accepting(&mut table, first);
        delivering(&mut table, first);
        pacing(&mut table, first);
    }
    let reads = |f: &Figures| {
        let (rate, latency) = (f.reads.1.per_second, f.reads.1.latency);
        format!("{}/s, p50 {}, p99 {} ms", whole(rate), millis(latency.p50_ms), millis(latency.p99_ms))
    };
    table.row("Reads, `GET /v1/channels/{id}`, c=16", svix::READS, reads);
    inbound(&mut table, "Slack's signed events", |f| &f.slack);
    inbound(&mut table, "GitHub's webhooks", |f| &f.github);
    table.row("Cold start, migrated database", svix::COLD_START, |f| format!("{} ms", whole(f.starts.migrated_ms)));
    table.row("Cold start, empty database", UNKNOWN, |f| format!("{} ms", whole(f.starts.fresh_ms)));
    table.row("Idle: SIGTERM to exit", svix::STOP, |f| format!("{} ms", whole(f.starts.stop_ms)));
    table.row("Resident memory, idle", svix::MEMORY_IDLE, |f| format!("{:.0} MB", f.memory.idle_mb));
    table.row("Resident memory, most under load", svix::MEMORY_PEAK, |f| format!("{:.0} MB", f.memory.peak_mb));
    table.row("Disk: `fdatasync` of 4 KiB, p50", UNKNOWN, |f| format!("{} ms", millis(f.sync_ms)));
    table.text
}

fn accepting(table: &mut Table<'_>, first: &Figures) {
    for (index, (connections, _)) in first.closed.iter().enumerate() {
        let label = format!("Accepted while delivering, c={connections}");
        table.row(&label, known(&svix::ACCEPTED, connections), |f| accepted(&f.closed[index].1));
    }
}

fn delivering(table: &mut Table<'_>, first: &Figures) {
    for (index, (connections, _)) in first.closed.iter().enumerate().skip(1) {
        let label = format!("Delivered, end to end, {} channels, c={connections}", first.organisations);
        table.row(&label, known(&svix::DELIVERED, connections), |f| delivered(&f.closed[index].1));
    }
    let label = format!("Delivered, end to end, one channel in order, c={}", first.one_channel.0);
    table.row(&label, svix::ONE_ENDPOINT, |f| delivered(&f.one_channel.1));
    if let Some((connections, _)) = first.closed.last() {
        let last = |f: &Figures| f.closed.last().map(|(_, run)| cpu(run)).unwrap_or_default();
        table.row(&format!("CPU for each delivered message, c={connections}"), svix::CPU, last);
        let others = |f: &Figures| f.closed.last().map(|(_, run)| others(run)).unwrap_or_default();
        table.row(&format!("CPU of the load itself, c={connections}: stand-in + generator"), UNKNOWN, others);
    }
    table.row("Accepted / lost / duplicates / refused, all runs", UNKNOWN, tally);
}

fn pacing(table: &mut Table<'_>, first: &Figures) {
    for (index, (rate, _)) in first.open.iter().enumerate() {
        let name = whole(f64::from(*rate));
        let run = |f: &Figures| f.open[index].1;
        table.row(&format!("At {name} events/s: accept"), known(&svix::RATE_ACCEPT, rate), |f| {
            let accept = run(f).accept;
            format!("p50 {}, p99 {} ms", millis(accept.p50_ms), millis(accept.p99_ms))
        });
        let label = format!("At {name} events/s: sent to arrived in Slack");
        table.row(&label, known(&svix::RATE_END_TO_END, rate), |f| match run(f).end_to_end {
            Some(took) => format!("p50 {}, p99 {} ms", millis(took.p50_ms), millis(took.p99_ms)),
            None => UNKNOWN.to_owned(),
        });
        table.row(&format!("At {name} events/s: CPU for each"), UNKNOWN, |f| cpu(&run(f)));
    }
}

/// Adds the requests initiated by an upstream. There are no figures of a peer for it.
fn inbound(table: &mut Table<'_>, name: &str, of: fn(&Figures) -> &Inbound) {
    let Some(first) = table.columns.first().map(of) else { return };
    let answer = |taken: &Taken| format!("p50 {}, p99 {} ms", millis(taken.answer.p50_ms), millis(taken.answer.p99_ms));
    let used = |taken: &Taken| time((taken.server_ms, taken.database_ms));
    let label = format!("{name} of {} bytes, c={}: answered", whole(first.body_bytes as f64), first.closed.0);
    table.row(&label, UNKNOWN, |f| {
        let taken = &of(f).closed.1;
        format!("{}/s, {}", whole(taken.per_second), answer(taken))
    });
    table.row(&format!("{name}, c={}: CPU for each", first.closed.0), UNKNOWN, |f| used(&of(f).closed.1));
    table.row(&format!("{name}, {} a second: answered", first.open.0), UNKNOWN, |f| answer(&of(f).open.1));
    table.row(&format!("{name}, {} a second: CPU for each", first.open.0), UNKNOWN, |f| used(&of(f).open.1));
    table.row(&format!("{name}: answered well / kept as events / refused"), UNKNOWN, |f| {
        let runs = [of(f).closed.1, of(f).open.1];
        let sum = |count: fn(&Taken) -> u64| whole(runs.iter().map(|taken| count(taken) as f64).sum());
        format!("{} / {} / {}", sum(|taken| taken.accepted), sum(|taken| taken.kept), sum(|taken| taken.refused))
    });
}

/// A table that grows row by row.
struct Table<'a> {
    columns: &'a [Figures],
    text: String,
}

impl Table<'_> {
    fn head(&mut self) {
        let names: Vec<&str> = self.columns.iter().map(|figures| figures.database.as_str()).collect();
        let rule = "---|".repeat(names.len() + 2);
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "| | {} | Svix, elsewhere |\n|{rule}", names.join(" | "));
    }

    fn row(&mut self, label: &str, peer: &str, cell: impl Fn(&Figures) -> String) {
        let cells: Vec<String> = self.columns.iter().map(cell).collect();
        let _ = writeln!(self.text, "| {label} | {} | {peer} |", cells.join(" | "));
    }
}

fn accepted(run: &Run) -> String {
    let (p50, p99) = (millis(run.accept.p50_ms), millis(run.accept.p99_ms));
    format!("{}/s, p50 {p50}, p99 {p99} ms", whole(run.accepted_per_second))
}

fn delivered(run: &Run) -> String {
    format!("{}/s (backlog {:.1} s)", whole(run.delivered_per_second), run.backlog_seconds)
}

fn cpu(run: &Run) -> String {
    time((run.cpu.server_ms, run.cpu.database_ms))
}

/// Processor time of the server, and of PostgreSQL where there is one.
pub fn time((server, database): (f64, f64)) -> String {
    match database > 0.0 {
        true => format!("{:.2} ms ({server:.2} + PostgreSQL {database:.2})", server + database),
        false => format!("{server:.2} ms"),
    }
}

fn others(run: &Run) -> String {
    format!("{:.2} + {:.2} ms", run.cpu.standin_ms, run.cpu.generator_ms)
}

fn tally(figures: &Figures) -> String {
    let closed = figures.closed.iter().map(|(_, run)| run);
    let open = figures.open.iter().map(|(_, run)| run);
    let runs: Vec<&Run> = closed.chain(open).chain([&figures.one_channel.1]).collect();
    let sum = |count: fn(&Run) -> u64| whole(runs.iter().map(|run| count(run) as f64).sum());
    let (accepted, lost) = (sum(|run| run.accepted), sum(|run| run.lost));
    format!("{accepted} / {lost} / {} / {}", sum(|run| run.duplicates), sum(|run| run.refused))
}

fn known<K: PartialEq>(peer: &[(K, &'static str)], key: &K) -> &'static str {
    peer.iter().find(|(known, _)| known == key).map_or(UNKNOWN, |(_, figure)| figure)
}

/// Formats a value to three digits.
pub fn millis(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => whole(value),
    }
}

/// Formats a whole number with its thousands apart.
pub fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([whole(7.4), whole(999.0), whole(1_087.0), whole(1_234_567.0)], ["7", "999", "1,087", "1,234,567"]);
        assert_eq!([millis(0.314), millis(14.42), millis(113.2)], ["0.31", "14.4", "113"]);
        assert_eq!([known(&svix::ACCEPTED, &16), known(&svix::ACCEPTED, &2)], ["1,087/s, p50 14.4, p99 25 ms", "–"]);
    }
}
