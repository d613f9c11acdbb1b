//! Copies of the embedded database, and the state of its schema.
//!
//! Not here: the key that belongs to it, and the folders (`startup`).

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use migration::{Migrator, MigratorTrait, SchemaManager};
use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::{ConnectOptions, Connection, SqliteConnection, pool::PoolOptions, sqlite::SqliteConnectOptions};

use super::connect::{Location, Store, refuse_newer, unreached};
use crate::domain::{Error, Result};

/// Returns the names of all migrations, in their order.
pub fn migrations() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Copies a database file to another, as of one moment, while other processes read and write.
///
/// # Errors
/// When it cannot be read, or the copy cannot be written or is damaged.
pub async fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::Internal(format!("cannot write {}: {error}", to.display()));
    // SQLite writes into an empty file, and leaves its mode.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
    let mut source: SqliteConnection = options(from).connect().await.map_err(unreached)?;
    let copied = sqlx::query("VACUUM INTO ?").bind(to.display().to_string()).execute(&mut source).await;
    source.close().await.map_err(unreached)?;
    copied.map_err(unreached)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(failed)?;
    check(to).await
}

/// Checks that a database file is whole.
///
/// # Errors
/// [`Error::FailedPrecondition`] with the damage.
pub async fn check(file: &Path) -> Result<()> {
    let mut source: SqliteConnection = options(file).connect().await.map_err(unreached)?;
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut source).await.map_err(unreached)?;
    source.close().await.map_err(unreached)?;
    match found.as_str() {
        "ok" => Ok(()),
        damage => Err(Error::FailedPrecondition { message: format!("{} is damaged: {damage}", file.display()) }),
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).disable_statement_logging()
}

impl Store {
    /// Returns the names of the migrations that are not applied, in their order.
    ///
    /// # Errors
    /// When the database cannot be read, or its schema is of a newer version.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        match self.location() {
            Location::File(options) => {
                let pool = PoolOptions::new().max_connections(1).connect_with((**options).clone()).await;
                let pool = pool.map_err(unreached)?;
                let found = pending(&SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone())).await;
                pool.close().await;
                found
            }
            Location::Server(options) => {
                let pool = PoolOptions::new().max_connections(1).connect_with((**options).clone()).await;
                let pool = pool.map_err(unreached)?;
                let found = pending(&SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone())).await;
                pool.close().await;
                found
            }
        }
    }
}

async fn pending(schema: &DatabaseConnection) -> Result<Vec<String>> {
    let has_any = SchemaManager::new(schema).has_table("seaql_migrations").await?;
    if !has_any {
        return Ok(migrations());
    }
    refuse_newer(schema).await?;
    let applied: Vec<String> =
        Migrator::get_migration_models(schema).await?.into_iter().map(|applied| applied.version).collect();
    Ok(migrations().into_iter().filter(|name| !applied.contains(name)).collect())
}
