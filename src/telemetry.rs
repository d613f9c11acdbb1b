//! Logging: set up once, at the start.

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter,
    filter::{LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{ConfigError, Log, LogFormat};

/// Crates limited to warnings and errors, independent of the filter: at finer levels sea-orm writes the database's
/// address with its password, and statements, into its spans, and every line of sqlx within them shows it.
const DISCREET: &[&str] = &["sea_orm", "sqlx", "sqlx_core", "sqlx_postgres", "sqlx_sqlite"];

/// Starts logging to the standard error stream.
///
/// # Errors
/// [`ConfigError::Wrong`] where the filter cannot be read.
pub fn start(log: &Log) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|error| ConfigError::Wrong { key: "log.filter", rule: error.to_string() })?;
    let discreet = filter_fn(|line| *line.level() <= LevelFilter::WARN || !is_discreet(line.target()));
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter).with(discreet);
    match log.format {
        LogFormat::Text => registry.with(lines).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
    }
    Ok(())
}

fn is_discreet(target: &str) -> bool {
    target.split("::").next().is_some_and(|name| DISCREET.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_are_matched_by_their_whole_name() {
        assert!(is_discreet("sqlx::postgres::notice") && is_discreet("sea_orm::driver") && is_discreet("sqlx"));
        assert!(!is_discreet("sea_orm_migration::migrator") && !is_discreet("tieline::store") && !is_discreet(""));
    }
}
