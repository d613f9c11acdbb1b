//! A release: its version, its documents and its migrations belong together.

use std::{fs, path::Path, process::Command};

use migration::{Migrator, MigratorTrait};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The last migration that may take away or rename (docs/upgrades/0.2.0.md).
const LAST_TO_TAKE_AWAY: &str = "m20261204_000100_partitions";

/// Statements by which a process of the former version would fail.
const TAKEN_AWAY: &[&str] = &["DROP TABLE", "DROP COLUMN", "RENAME ", "SET NOT NULL", "ALTER COLUMN"];

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_version_has_an_entry_in_the_changelog_and_a_page_about_its_upgrade() {
    let changelog = read("CHANGELOG.md");
    let heading = changelog.lines().find_map(|line| line.strip_prefix(&format!("## [{VERSION}] - ")));
    let date = heading.unwrap_or_else(|| panic!("CHANGELOG.md has no heading \"## [{VERSION}] - YYYY-MM-DD\""));
    assert!(chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok(), "{date}");
    let notes = Command::new("scripts/release-notes").arg(VERSION).current_dir(ROOT).output().unwrap();
    assert!(notes.status.success() && notes.stdout.len() > 1_000, "{}", String::from_utf8_lossy(&notes.stderr));
    let unknown = Command::new("scripts/release-notes").arg("99.0.0").current_dir(ROOT).output().unwrap();
    assert!(!unknown.status.success(), "{}", String::from_utf8_lossy(&unknown.stdout));

    let page = read(format!("docs/upgrades/{VERSION}.md"));
    let last = Migrator::migrations().last().unwrap().name().to_owned();
    assert!(page.contains(&last), "docs/upgrades/{VERSION}.md does not name the last migration, {last}");
    assert!(Path::new(ROOT).join("openapi/released").join(VERSION).is_dir(), "make release-openapi");
}

#[test]
fn migrations_only_add() {
    let mut looked_at = 0;
    for entry in fs::read_dir(Path::new(ROOT).join("migration/src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if !name.starts_with('m') || name <= LAST_TO_TAKE_AWAY {
            looked_at += 1;
            continue;
        }
        let text = read(&path);
        let up = text.split("async fn down").next().unwrap().to_uppercase();
        for statement in TAKEN_AWAY {
            assert!(
                !up.contains(statement),
                "{name}: {statement} stops processes of the former version that still run"
            );
        }
    }
    assert!(looked_at > 20, "{looked_at}");
}

#[test]
fn migrations_are_applied_as_a_whole() {
    for migration in Migrator::migrations() {
        assert_eq!(migration.use_transaction(), Some(true), "{}: SQLite would keep a part of it", migration.name());
    }
}
