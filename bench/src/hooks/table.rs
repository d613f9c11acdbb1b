//! The figures of webhooks as one Markdown table.

use super::{HookFigures, Outgoing, outgoing::OutgoingResult};
use crate::{
    Result,
    grid::{Grid, both, read, sum},
    latency::Percentiles,
    table::{millis, time, whole},
};

/// The figures as a Markdown table, a column for each database.
///
/// # Errors
/// When a file is not one of ours.
pub fn table(files: &[&str]) -> Result<String> {
    Ok(markdown(&read(files)?))
}

fn markdown(columns: &[HookFigures]) -> String {
    let Some(first) = columns.first() else { return String::new() };
    let mut grid = Grid::new(columns, |f: &HookFigures| &f.database);
    let bytes = whole(first.body_bytes as f64);
    let label = format!("Posts by incoming webhooks, {bytes} bytes, c={}: without a script", first.connections);
    grid.asked(&label, |f| f.plain);
    grid.asked(&format!("Posts, c={}: with a script of {} lines", first.connections, first.script_lines), |f| {
        f.scripted
    });
    grid.row(&format!("Posts, {} a second, in turn: without a script", first.in_turn.rate), |f| both(f.in_turn.plain));
    grid.row("the same: with a script", |f| both(f.in_turn.scripted));
    grid.row("the same: what the script adds to either", |f| difference(f.in_turn.plain, f.in_turn.scripted));
    grid.row("The script by the engine alone, in a warm process, every few ms", |f| both(f.engine.paced));
    grid.row("the same: one run at once after the other", |f| both(f.engine.at_once));
    grid.row("the same: in a process that is started for it", |f| both(f.engine.cold));
    grid.row("Posts answered well / kept as events / refused", |f| {
        let (answered, kept) = f.posted;
        let refused = f.plain.refused + f.scripted.refused + f.in_turn.refused;
        [answered, kept, refused].map(|count| whole(count as f64)).join(" / ")
    });
    grid.pair(&format!("`integrations.get` of {} webhooks", whole(first.webhooks as f64)), |f| f.gets);
    grid.asked(&format!("`integrations.create`, c={}", first.made.0), |f| f.made.1);
    outgoing_rows(&mut grid, "Outgoing webhooks to", |f| &f.outgoing);
    grid.row("`integrations.get` answered well / refused", |f| {
        let all = [f.gets.closed, f.gets.open];
        format!("{} / {}", sum(&all, |asked| asked.answered), sum(&all, |asked| asked.refused))
    });
    grid.row("Resident memory, webhooks made", |f| format!("{:.0} MB", f.memory[0]));
    grid.row("Resident memory, most: posts without / with a script / all", |f| {
        let [_, plain, scripted, all] = f.memory;
        format!("{plain:.0} / {scripted:.0} / {all:.0} MB")
    });
    grid.row("Disk: `fdatasync` of 4 KiB, p50", |f| format!("{} ms", millis(f.sync_ms)));
    grid.text()
}

/// Adds the rows of calls, for each number of URLs.
pub fn outgoing_rows<F>(grid: &mut Grid<'_, F>, label: &str, of: impl Fn(&F) -> &[Outgoing]) {
    let Some(first) = grid.first().map(|first| of(first).to_vec()) else { return };
    for (index, one) in first.iter().enumerate() {
        let name = if one.urls == 1 { "one URL".to_owned() } else { format!("{} URLs", one.urls) };
        let (burst, paced) = (|f: &F| of(f)[index].burst, |f: &F| of(f)[index].paced);
        grid.row(&format!("{label} {name}, as fast as possible"), |f| {
            format!("{} calls/s", whole(burst(f).per_second))
        });
        grid.row("the same: CPU for each call", |f| cost(burst(f)));
        grid.row(&format!("{label} {name}, {} a second: sent to called", one.rate), |f| both(paced(f).called));
        grid.row("the same: CPU for each call", |f| cost(paced(f)));
    }
    grid.row("Accepted / calls made / missing / repeated", |f| {
        let all = || of(f).iter().flat_map(|one| [one.burst, one.paced]);
        let sum = |count: fn(OutgoingResult) -> u64| whole(all().map(count).sum::<u64>() as f64);
        let (accepted, calls) = (sum(|result| result.accepted), sum(|result| result.calls));
        format!("{accepted} / {calls} / {} / {}", sum(|result| result.missing), sum(|result| result.repeated))
    });
}

/// Returns the processor time of a call.
pub fn cost(result: OutgoingResult) -> String {
    time((result.server_ms, result.database_ms))
}

/// Difference of the percentiles, which is not a percentile itself.
fn difference(without: Percentiles, with: Percentiles) -> String {
    let apart = |less: f64, more: f64| format!("{:+.2}", more - less);
    format!("p50 {}, p99 {} ms", apart(without.p50_ms, with.p50_ms), apart(without.p99_ms, with.p99_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::InTurn;

    #[test]
    fn a_table_says_what_a_script_adds_and_what_was_called() {
        let result =
            |calls| OutgoingResult { accepted: 7, calls, missing: 1, per_second: 1_234.0, ..OutgoingResult::default() };
        let percentiles = |p50_ms, p99_ms| Percentiles { p50_ms, p99_ms };
        let (plain, scripted) = (percentiles(2.0, 9.5), percentiles(3.25, 9.0));
        let figures = HookFigures {
            database: "SQLite".to_owned(),
            webhooks: 1_000,
            connections: 64,
            in_turn: InTurn { rate: 200, refused: 2, plain, scripted },
            posted: (5_000, 4_999),
            outgoing: vec![Outgoing { urls: 100, burst: result(600), rate: 2, paced: result(99) }],
            memory: [30.4, 40.0, 50.0, 60.6],
            ..HookFigures::default()
        };
        let text = markdown(&[figures]);
        for row in [
            "| | SQLite |\n|---|---|\n",
            "| the same: what the script adds to either | p50 +1.25, p99 -0.50 ms |\n",
            "| Posts answered well / kept as events / refused | 5,000 / 4,999 / 2 |\n",
            "| Outgoing webhooks to 100 URLs, as fast as possible | 1,234 calls/s |\n",
            "| Accepted / calls made / missing / repeated | 14 / 699 / 2 / 0 |\n",
            "| Resident memory, most: posts without / with a script / all | 40 / 50 / 61 MB |\n",
        ] {
            assert!(text.contains(row), "{row}{text}");
        }
        assert_eq!(markdown(&[]), "");
    }
}
