//! The figures with few and with many stored events as one Markdown table.

use super::{CONNECTIONS, ITEMS, PAGES, Pass, RATE, ScaleFigures, Size, fill::DUE};
use crate::{
    Result,
    asked::Asked,
    grid::{Grid, read},
    latency::Percentiles,
    table::{millis, whole},
};

/// Names of the pages, in their order.
const NAMES: [&str; PAGES] =
    ["deliveries", "failed deliveries", "skipped deliveries", "deliveries to one destination", "events"];

/// The figures as a Markdown table, a column for each database.
///
/// # Errors
/// When a file is not one of ours.
pub fn table(files: &[&str]) -> Result<String> {
    Ok(markdown(&read(files)?))
}

fn markdown(columns: &[ScaleFigures]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(columns, |f: &ScaleFigures| &f.database);
    grid.row("Stored events, few → many", |f| pair(f, |size| whole(size.stored as f64)));
    grid.row("Database", |f| pair(f, |size| format!("{} MB", whole(size.bytes as f64 / 1e6))));
    grid.row(&format!("Events accepted, c={CONNECTIONS}"), |f| {
        pair(f, |size| format!("{}/s", whole(size.accepted.per_second)))
    });
    asked(&mut grid, |size| size.accepted);
    for (index, (name, items)) in NAMES.into_iter().zip(ITEMS).enumerate() {
        grid.row(&format!("The newest {items} {name}, c=1"), |f| times(f, |size| size.pages[index].latency));
        grid.row("the same: CPU for each", |f| grown(f, |size| cpu(&size.pages[index])));
    }
    grid.row(&format!("{RATE} events a second: accepted"), |f| times(f, |size| size.quiet.latency));
    grid.row("the same: the longest", |f| grown(f, |size| size.quiet.longest_ms));
    let passed = |f: &ScaleFigures, of: fn(&Pass) -> String| {
        pair(f, |size| size.pass.as_ref().map_or_else(|| "–".to_owned(), of))
    };
    grid.row(&format!("A pass of retention that removes {} events", whole(DUE as f64)), |f| {
        passed(f, |pass| format!("{} ms", millis(pass.took_ms)))
    });
    grid.row(&format!("the same beside {RATE} events a second: accepted, p99"), |f| {
        passed(f, |pass| format!("{} ms", millis(pass.beside.latency.p99_ms)))
    });
    grid.row("the same: the longest", |f| passed(f, |pass| format!("{} ms", millis(pass.beside.longest_ms))));
    grid.row("the same: accepted / refused", |f| {
        passed(f, |pass| format!("{} / {}", whole(pass.beside.answered as f64), whole(pass.beside.refused as f64)))
    });
    grid.row("Disk: `fdatasync` of 4 KiB, p50", |f| format!("{} ms", millis(f.sync_ms)));
    grid.text()
}

/// Adds the rows of the latency and the cost of requests.
fn asked(grid: &mut Grid<'_, ScaleFigures>, of: fn(&Size) -> Asked) {
    grid.row("the same: latency", |f| times(f, |size| of(size).latency));
    grid.row("the same: CPU for each", |f| grown(f, |size| cpu(&of(size))));
}

fn cpu(asked: &Asked) -> f64 {
    asked.server_ms + asked.database_ms
}

fn pair(figures: &ScaleFigures, of: impl Fn(&Size) -> String) -> String {
    let [few, many] = &figures.sizes;
    format!("{} → {}", of(few), of(many))
}

/// Formats both percentiles.
fn times(figures: &ScaleFigures, of: impl Fn(&Size) -> Percentiles) -> String {
    let (p50, p99) = (grown(figures, |size| of(size).p50_ms), grown(figures, |size| of(size).p99_ms));
    format!("p50 {p50}, p99 {p99}")
}

/// Formats a time with few and with many stored events, and the ratio of both.
fn grown(figures: &ScaleFigures, of: impl Fn(&Size) -> f64) -> String {
    let [few, many] = [&figures.sizes[0], &figures.sizes[1]].map(of);
    format!("{} → {} ms (×{:.2})", millis(few), millis(many), many / few)
}

#[cfg(test)]
mod tests {
    use super::{super::Paced, *};

    #[test]
    fn a_table_has_the_growth() {
        let size = |stored, factor: f64, pass| Size {
            stored,
            bytes: stored * 1_500,
            accepted: Asked { per_second: 1_000.0, server_ms: 0.5, database_ms: 0.5 * factor, ..Asked::default() },
            pages: [Asked { latency: Percentiles { p50_ms: factor, p99_ms: 2.0 }, ..Asked::default() }; PAGES],
            pass,
            ..Size::default()
        };
        let beside = Paced { answered: 2_000, longest_ms: 31.4, ..Paced::default() };
        let sizes = [size(20_000, 1.0, None), size(1_000_000, 1.5, Some(Pass { took_ms: 730.0, beside }))];
        let text = markdown(&[ScaleFigures { database: "SQLite".to_owned(), sizes, ..ScaleFigures::default() }]);
        for row in [
            "| Stored events, few → many | 20,000 → 1,000,000 |\n",
            "| Database | 30 MB → 1,500 MB |\n",
            "| the same: CPU for each | 1.00 → 1.25 ms (×1.25) |\n",
            "| The newest 10 failed deliveries, c=1 | p50 1.00 → 1.50 ms (×1.50), p99 2.00 → 2.00 ms (×1.00) |\n",
            "| A pass of retention that removes 10,000 events | – → 730 ms |\n",
            "| the same: the longest | – → 31.4 ms |\n",
        ] {
            assert!(text.contains(row), "{row}{text}");
        }
        assert_eq!(markdown(&[]), "");
    }
}
