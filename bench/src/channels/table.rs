//! The figures of channels and ticks as one Markdown table.

use std::fmt::Write;

use super::{ChannelFigures, Messages, Passage};
use crate::{Result, latency::Percentiles};

/// The figures as a Markdown table, a column for each database.
///
/// # Errors
/// When a file is not one of ours.
pub fn table(files: &[&str]) -> Result<String> {
    let read = |file: &&str| Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?);
    let columns = files.iter().map(read).collect::<Result<Vec<ChannelFigures>>>()?;
    let Some(first) = columns.first() else { return Ok(String::new()) };
    let names: Vec<&str> = columns.iter().map(|column| column.database.as_str()).collect();
    let mut text = format!("| | {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len() + 1));
    let mut row = |label: String, cell: &dyn Fn(&ChannelFigures) -> String| {
        let cells: Vec<String> = columns.iter().map(cell).collect();
        // Writing to a String does not fail.
        let _ = writeln!(text, "| {label} | {} |", cells.join(" | "));
    };
    for (index, Messages { channels, rate, .. }) in first.messages.iter().enumerate() {
        let name = if *channels == 1 { "one channel".to_owned() } else { format!("{channels} channels") };
        let burst = |f: &ChannelFigures| f.messages[index].burst;
        let paced = |f: &ChannelFigures| f.messages[index].paced;
        row(format!("Messages through {name}, as fast as possible"), &|f| format!("{:.0}/s", burst(f).per_second));
        row("the same: CPU for each message".to_owned(), &|f| cpu(burst(f).server_ms, burst(f).database_ms));
        row(format!("At {rate} messages/s, {name}: accepted to both outputs called"), &|f| both(paced(f).through));
        row("the same: added by the pipeline itself".to_owned(), &|f| both(paced(f).added));
        row("the same: CPU for each message".to_owned(), &|f| cpu(paced(f).server_ms, paced(f).database_ms));
    }
    row("Messages accepted / calls missing / repeated, all runs".to_owned(), &|f| {
        let all = || f.messages.iter().flat_map(|messages| [messages.burst, messages.paced]);
        let sum = |count: fn(&Passage) -> u64| all().map(|passage| count(&passage)).sum::<u64>();
        format!("{} / {} / {}", sum(|one| one.accepted), sum(|one| one.missing), sum(|one| one.repeated))
    });
    let name =
        format!("{} integrations ticking each minute, {} minutes", first.ticks.integrations, first.ticks.minutes);
    row(format!("{name}: after the whole minute"), &|f| {
        format!("{}, latest {:.0} ms", both(f.ticks.lateness), f.ticks.latest_ms)
    });
    row("the same: CPU for each tick".to_owned(), &|f| cpu(f.ticks.server_ms, f.ticks.database_ms));
    row("the same: missing / repeated".to_owned(), &|f| format!("{} / {}", f.ticks.missing, f.ticks.repeated));
    row("Disk: `fdatasync` of 4 KiB, p50".to_owned(), &|f| format!("{:.2} ms", f.sync_ms));
    Ok(text)
}

fn both(percentiles: Percentiles) -> String {
    format!("p50 {:.1}, p99 {:.1} ms", percentiles.p50_ms, percentiles.p99_ms)
}

fn cpu(server: f64, database: f64) -> String {
    match database > 0.0 {
        true => format!("{:.2} ms ({server:.2} + PostgreSQL {database:.2})", server + database),
        false => format!("{server:.2} ms"),
    }
}
