//! Connections to the two databases, and transactions.

use std::{path::Path, time::Duration};

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use crate::domain::{Error, Result};

/// How many prepared statements a connection keeps: more than there are, with those of batches in all their sizes.
const STATEMENTS: usize = 200;
/// How often the schema is tried to be brought up to date, and the pause between two tries.
const MIGRATION_TRIES: u32 = 5;
const MIGRATION_PAUSE: Duration = Duration::from_millis(100);

/// The database: SQLite with one writing connection and several reading ones, or a PostgreSQL pool.
#[derive(Clone, Debug)]
pub struct Store {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
}

/// A writing transaction. Dropped without [`Tx::commit`], it is rolled back.
pub struct Tx(DatabaseTransaction);

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await
    }
}

impl Tx {
    /// Makes it last.
    ///
    /// # Errors
    /// When the database refuses; nothing is kept then.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

impl Store {
    /// Connects, creating an SQLite file where there is none.
    ///
    /// # Errors
    /// When the directory cannot be made or the database cannot be reached.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            let pool = Database::connect(options(url, max_connections)).await?;
            return Ok(Self { writer: pool.clone(), reader: pool });
        }
        let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
        if let Some(folder) = Path::new(path.split('?').next().unwrap_or(path)).parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| Error::Internal(format!("cannot make the folder {}: {error}", folder.display())))?;
        }
        let writer = Database::connect(options(url, 1)).await?;
        let reader = Database::connect(options(url, max_connections)).await?;
        Ok(Self { writer, reader })
    }

    /// Brings the schema up to date. Of several processes that start at once, one does; the others fail where it was
    /// quicker, look again, and find it done.
    ///
    /// # Errors
    /// When a migration fails; what ran before it stays.
    pub async fn migrate(&self) -> Result<()> {
        for _ in 1..MIGRATION_TRIES {
            match Migrator::up(&self.writer, None).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!(%error, "a migration failed; looking again whether others did it"),
            }
            tokio::time::sleep(MIGRATION_PAUSE).await;
        }
        Ok(Migrator::up(&self.writer, None).await?)
    }

    /// For a single query that changes nothing.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For a single statement that changes something.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Begins a writing transaction. On SQLite it takes the write lock at once: a deferred one that reads first and
    /// writes later fails when another wrote in between (SQLITE_BUSY_SNAPSHOT).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        Ok(Tx(self.writer.begin_with_options(options).await?))
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<()> {
        self.writer.ping().await?;
        Ok(self.reader.execute_unprepared("SELECT 1").await.map(drop)?)
    }

    /// Whether this is the embedded database.
    pub fn is_embedded(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Sqlite
    }

    /// Closes all connections, waiting for their statements.
    ///
    /// # Errors
    /// When a connection does not close cleanly.
    pub async fn close(self) -> Result<()> {
        self.writer.close().await?;
        Ok(self.reader.close().await?)
    }
}

fn options(url: &str, max_connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                .foreign_keys(true)
                .pragma("temp_store", "memory")
                // Pages that change often are written back to the file less often.
                .pragma("wal_autocheckpoint", "4000")
                .statement_cache_capacity(STATEMENTS)
        })
        .map_sqlx_postgres_opts(|postgres| postgres.statement_cache_capacity(STATEMENTS));
    options
}
