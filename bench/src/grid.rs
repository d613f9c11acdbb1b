//! Figures as a Markdown table that grows row by row, a column for each database.

use std::fmt::Write;

use serde::de::DeserializeOwned;

use crate::{
    Result,
    asked::{Asked, Pair},
    latency::Percentiles,
    table::{millis, time, whole},
};

/// The table.
pub struct Grid<'a, F> {
    columns: &'a [F],
    text: String,
}

impl<'a, F> Grid<'a, F> {
    /// Creates a table with only its head.
    pub fn new(columns: &'a [F], name: impl Fn(&F) -> &str) -> Self {
        let names: Vec<&str> = columns.iter().map(name).collect();
        Self { columns, text: format!("| | {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len() + 1)) }
    }

    /// Returns the figures of the first column.
    pub fn first(&self) -> Option<&'a F> {
        self.columns.first()
    }

    /// Adds a row.
    pub fn row(&mut self, label: &str, cell: impl Fn(&F) -> String) {
        let cells: Vec<String> = self.columns.iter().map(cell).collect();
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "| {label} | {} |", cells.join(" | "));
    }

    /// Adds the throughput and the cost of requests as fast as possible.
    pub fn asked(&mut self, label: &str, of: impl Fn(&F) -> Asked) {
        self.row(label, |f| speed(of(f)));
        self.row("the same: CPU for each", |f| cost(of(f)));
    }

    /// Adds the results of the closed and of the open loop.
    pub fn pair(&mut self, label: &str, of: impl Fn(&F) -> Pair) {
        let Some(first) = self.columns.first().map(&of) else { return };
        self.asked(&format!("{label}, c={}", first.connections), |f| of(f).closed);
        self.row(&format!("the same, {} a second", whole(f64::from(first.rate))), |f| both(of(f).open.latency));
        self.row("the same: CPU for each", |f| cost(of(f).open));
    }

    /// Returns the table.
    pub fn text(self) -> String {
        self.text
    }
}

/// Reads figures from files.
///
/// # Errors
/// When a file is not one of ours.
pub fn read<F: DeserializeOwned>(files: &[&str]) -> Result<Vec<F>> {
    let one = |file: &&str| {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        Ok(serde_json::from_str(&text)?)
    };
    files.iter().map(one).collect()
}

/// Formats requests a second, with their percentiles.
pub fn speed(asked: Asked) -> String {
    let rate = if asked.per_second < 100.0 { format!("{:.1}", asked.per_second) } else { whole(asked.per_second) };
    format!("{rate}/s, {}", both(asked.latency))
}

/// Formats both percentiles.
pub fn both(latency: Percentiles) -> String {
    format!("p50 {}, p99 {} ms", millis(latency.p50_ms), millis(latency.p99_ms))
}

fn cost(asked: Asked) -> String {
    time((asked.server_ms, asked.database_ms))
}

/// Formats the sum of a counter over several results.
pub fn sum(all: &[Asked], count: fn(&Asked) -> u64) -> String {
    whole(all.iter().map(count).sum::<u64>() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_takes_four_rows() {
        let asked = |per_second, database_ms| Asked {
            answered: 7,
            per_second,
            latency: Percentiles { p50_ms: 1.25, p99_ms: 31.4 },
            server_ms: 0.5,
            database_ms,
            ..Asked::default()
        };
        let pair = |database_ms| Pair {
            connections: 16,
            closed: asked(4_321.0, database_ms),
            rate: 100,
            open: asked(12.34, database_ms),
        };
        let columns = [("One", pair(0.0)), ("Two", pair(0.25))];
        let mut grid = Grid::new(&columns, |column| column.0);
        grid.pair("Lists", |column| column.1);
        let expected = "\
| | One | Two |
|---|---|---|
| Lists, c=16 | 4,321/s, p50 1.25, p99 31.4 ms | 4,321/s, p50 1.25, p99 31.4 ms |
| the same: CPU for each | 0.50 ms | 0.75 ms (0.50 + PostgreSQL 0.25) |
| the same, 100 a second | p50 1.25, p99 31.4 ms | p50 1.25, p99 31.4 ms |
| the same: CPU for each | 0.50 ms | 0.75 ms (0.50 + PostgreSQL 0.25) |
";
        assert_eq!(grid.text(), expected);
        assert_eq!(speed(pair(0.0).open), "12.3/s, p50 1.25, p99 31.4 ms");
        assert_eq!(sum(&[pair(0.0).closed, pair(0.0).open], |asked| asked.answered), "14");
    }
}
