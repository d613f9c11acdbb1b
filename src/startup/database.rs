//! The database of a process: its connections and its schema.
//!
//! Not here: what is around an embedded one (`data_dir`, `backup`).

use std::time::Duration;

use super::data_dir;
use crate::{
    config::Config,
    domain::Result,
    store::{self, Store},
};

/// Connects to the database and brings it up to date.
///
/// # Errors
/// When it cannot be reached or migrated.
pub async fn open(config: &Config) -> Result<Store> {
    data_dir::prepare(config)?;
    let store = connect(config).await?;
    store.migrate().await?;
    Ok(store)
}

/// Returns the names of the migrations that a start of this version would apply. Changes nothing.
///
/// # Errors
/// When the database cannot be reached, or its schema is of a newer version.
pub async fn plan_migrations(config: &Config) -> Result<Vec<String>> {
    if !data_dir::has_database(config) {
        return Ok(store::kernel::copies::migrations());
    }
    let store = connect(config).await?;
    let pending = store.pending_migrations().await;
    store.close().await;
    pending
}

/// Connects to the database as it is.
pub(super) async fn connect(config: &Config) -> Result<Store> {
    let limits = store::Limits {
        max_connections: config.database.max_connections,
        statement_timeout: Duration::from_millis(config.database.statement_timeout_ms),
    };
    Store::connect(&config.database_url(), limits).await
}
