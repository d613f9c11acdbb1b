//! The configuration, for the operator.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::Failure;
use crate::config::Config;

/// Commands about the configuration.
#[derive(Subcommand)]
pub enum Command {
    /// Check the file and the environment; prints one line of JSON, or fails and names the setting.
    Check,
    /// Print the settings in effect as TOML, without secrets.
    Print {
        /// Print every setting with its default and its meaning instead.
        #[arg(long)]
        reference: bool,
        /// Print only what differs from the defaults.
        #[arg(long, conflicts_with = "reference")]
        changed: bool,
    },
}

/// Prints the reference of all settings.
pub fn print_reference() {
    print!("{}", Config::reference());
}

/// Runs a command. The configuration was checked when it was read.
///
/// # Errors
/// When the standard output is closed.
pub fn run(command: &Command, config: &Config) -> Result<(), Failure> {
    let settings = Config::settings(&std::env::vars().collect())?;
    let changed = settings.iter().filter(|setting| !setting.is_default);
    match command {
        Command::Check => {
            let database = if config.is_embedded() { "sqlite" } else { "postgresql" };
            let keys: Vec<&str> = changed.map(|setting| setting.key.as_str()).collect();
            println!("{}", json!({"valid": true, "database": database, "changed": keys}));
        }
        Command::Print { reference: true, .. } => print_reference(),
        Command::Print { changed: only, .. } => {
            let shown = settings.iter().filter(|setting| !only || !setting.is_default);
            let text: String = shown.map(|setting| format!("{} = {}\n", setting.key, setting.value)).collect();
            std::io::stdout().lock().write_all(text.as_bytes())?;
        }
    }
    Ok(())
}
