//! Backups of the embedded database, for the operator.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, output::during};
use crate::{
    config::Config,
    startup::backup::{self, Saved},
};

/// Arguments of a backup.
#[derive(Args)]
pub struct Backup {
    /// The folder; it must not exist.
    folder: PathBuf,
}

/// Arguments of a restoration.
#[derive(Args)]
pub struct Restore {
    /// The folder that a backup was written to.
    folder: PathBuf,
}

impl Backup {
    /// Writes the backup, and prints one line of JSON.
    ///
    /// # Errors
    /// As [`backup::save`].
    pub async fn run(&self, config: &Config) -> Result<(), Failure> {
        println!("{}", line(&during("copying the database", backup::save(config, &self.folder)).await?));
        Ok(())
    }
}

impl Restore {
    /// Restores the backup, and prints one line of JSON.
    ///
    /// # Errors
    /// As [`backup::restore`].
    pub async fn run(&self, config: &Config) -> Result<(), Failure> {
        println!("{}", line(&during("restoring the database", backup::restore(config, &self.folder)).await?));
        Ok(())
    }
}

fn line(saved: &Saved) -> Value {
    json!({"folder": saved.folder, "database_bytes": saved.database_bytes, "with_key": saved.with_key})
}
