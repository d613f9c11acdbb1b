//! Logging, set up once, at the start; and [`trace`], the traces of a process.

pub mod trace;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::IsTerminal,
    panic::PanicHookInfo,
};

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
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic as a line like any other; the standard hook writes plain text.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let message = panic.payload_as_str().unwrap_or("no text");
    tracing::error!(location, backtrace, panic = message, "a thread panicked");
}

fn is_discreet(target: &str) -> bool {
    target.split("::").next().is_some_and(|name| DISCREET.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_a_line_of_the_log() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = fmt::layer().json().with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let former = std::panic::take_hook();
            std::panic::set_hook(Box::new(log_panic));
            let panicked = std::panic::catch_unwind(|| panic!("two\nlines"));
            std::panic::set_hook(former);
            assert!(panicked.is_err());
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!((&line["level"], &line["fields"]["panic"]), (&"ERROR".into(), &"two\nlines".into()), "{line}");
        assert!(line["fields"]["location"].as_str().unwrap().contains("telemetry.rs"), "{line}");
    }

    #[test]
    fn the_crates_are_matched_by_their_whole_name() {
        assert!(is_discreet("sqlx::postgres::notice") && is_discreet("sea_orm::driver") && is_discreet("sqlx"));
        assert!(!is_discreet("sea_orm_migration::migrator") && !is_discreet("tieline::store") && !is_discreet(""));
    }
}
