//! The figures of the registry as one Markdown table.

use super::RegistryFigures;
use crate::{
    Result,
    asked::Asked,
    grid::{Grid, read, sum},
    table::{millis, whole},
};

/// The figures as a Markdown table, a column for each database.
///
/// # Errors
/// When a file is not one of ours.
pub fn table(files: &[&str]) -> Result<String> {
    Ok(markdown(&read(files)?))
}

fn markdown(columns: &[RegistryFigures]) -> String {
    let Some(first) = columns.first() else { return String::new() };
    let mut grid = Grid::new(columns, |f: &RegistryFigures| &f.database);
    let bytes = |count: usize| whole(count as f64);
    grid.pair(&format!("A dry run of {} bytes", bytes(first.small_bytes)), |f| f.small);
    grid.pair(&format!("A dry run of {} bytes", bytes(first.large_bytes)), |f| f.large);
    for (index, (label, _)) in first.looked_up.iter().enumerate() {
        grid.pair(&format!("Of {} versions: {label}", bytes(first.versions)), |f| f.looked_up[index].1);
    }
    grid.asked(&format!("Creating them, {} bytes each, c={}", bytes(first.small_bytes), first.created.0), |f| {
        f.created.1
    });
    grid.row("Answered well / refused, all requests", |f| {
        let pairs = f.looked_up.iter().map(|(_, pair)| *pair).chain([f.small, f.large]);
        let all: Vec<Asked> = pairs.flat_map(|pair| [pair.closed, pair.open]).chain([f.created.1]).collect();
        format!("{} / {}", sum(&all, |asked| asked.answered), sum(&all, |asked| asked.refused))
    });
    grid.row("Resident memory, started", |f| format!("{:.0} MB", f.memory[0]));
    grid.row("Resident memory, most: created / looked up / small / large dry runs", |f| {
        let [_, created, looked_up, small, large] = f.memory;
        format!("{created:.0} / {looked_up:.0} / {small:.0} / {large:.0} MB")
    });
    grid.row("Disk: `fdatasync` of 4 KiB, p50", |f| format!("{} ms", millis(f.sync_ms)));
    grid.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asked::Pair;

    #[test]
    fn a_table_has_all_that_was_looked_up() {
        let asked = |answered| Asked { answered, refused: 1, per_second: 1_234.0, server_ms: 0.25, ..Asked::default() };
        let pair = Pair { connections: 16, closed: asked(10), rate: 100, open: asked(5) };
        let figures = RegistryFigures {
            database: "SQLite".to_owned(),
            versions: 10_000,
            small_bytes: 2_048,
            created: (8, asked(10_000)),
            looked_up: vec![("the newest 20".to_owned(), pair), ("by name, the latest".to_owned(), pair)],
            memory: [30.0, 40.0, 50.4, 60.0, 110.6],
            ..RegistryFigures::default()
        };
        let text = markdown(&[figures]);
        for row in [
            "| A dry run of 2,048 bytes, c=0 | 0.0/s, ",
            "| Of 10,000 versions: the newest 20, c=16 | 1,234/s, p50 0.00, p99 0.00 ms |\n| the same: CPU for each | 0.25 ms |\n",
            "| Of 10,000 versions: by name, the latest, c=16 | ",
            "| Answered well / refused, all requests | 10,030 / 5 |\n",
            "| Resident memory, most: created / looked up / small / large dry runs | 40 / 50 / 60 / 111 MB |\n",
        ] {
            assert!(text.contains(row), "{row}{text}");
        }
        assert_eq!(markdown(&[]), "");
    }
}
