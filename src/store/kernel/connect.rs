//! Connections to the two databases: their settings, the schema, the proof that writes are durable.
//!
//! Not here: statements and transactions on a connection (`db`), the files of the embedded database (`directory`).

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxPostgresConnector, SqlxSqliteConnector,
};
use sqlx::{
    ConnectOptions, Connection,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgConnection},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    breaker::Breaker,
    copies,
    db::{Db, Tx},
    directory::{self, ServeLock},
    lease_clock::LeaseClock,
    pool::{ACQUIRE_TIMEOUT, Pool, Target},
    signal::{self, Signals},
};
use crate::domain::{Error, Result};

/// Number of prepared statements that a connection keeps: more than there are, with those of batches in all their
/// sizes.
const STATEMENTS: usize = 200;
/// Time beyond the server's own statement timeout after which a connection counts as dead.
const GRACE: Duration = Duration::from_secs(2);
/// Number of tries to migrate the schema, and the pause between two tries.
const MIGRATION_TRIES: u32 = 5;
const MIGRATION_PAUSE: Duration = Duration::from_millis(100);
/// Key of the advisory lock that migrations run under: "tieline" in ASCII.
const MIGRATION_LOCK: i64 = 0x74_69_65_6c_69_6e_65;

/// Limits of the connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum number of connections for reading (SQLite) or in all (PostgreSQL).
    pub max_connections: u32,
    /// Time limit of a statement or a commit.
    pub statement_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_connections: 10, statement_timeout: Duration::from_secs(8) }
    }
}

/// The database: SQLite with one writing connection and several reading ones, or a PostgreSQL pool.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Db,
    reader: Db,
    location: Location,
    lease_clock: LeaseClock,
}

/// Location of the database.
#[derive(Clone, Debug)]
pub(super) enum Location {
    File(Box<SqliteConnectOptions>),
    Server(Box<PgConnectOptions>),
}

impl Store {
    /// Connects; creates a missing SQLite file.
    ///
    /// # Errors
    /// When the directory cannot be made or the database cannot be reached, or is damaged.
    pub async fn connect(url: &str, limits: Limits) -> Result<Self> {
        let wrong =
            |error: sqlx::Error| Error::invalid("database_url", format!("is not a database's address: {error}"));
        if url.starts_with("sqlite:") {
            Self::connect_embedded(SqliteConnectOptions::from_str(url).map_err(wrong)?, limits).await
        } else {
            Self::connect_server(PgConnectOptions::from_str(url).map_err(wrong)?, limits).await
        }
    }

    /// The file of an embedded database, by its address; `None` where the address is another one.
    pub fn file_of(url: &str) -> Option<PathBuf> {
        let options = url.starts_with("sqlite:").then(|| SqliteConnectOptions::from_str(url).ok()).flatten()?;
        Some(options.get_filename().to_owned())
    }

    async fn connect_embedded(options: SqliteConnectOptions, limits: Limits) -> Result<Self> {
        directory::prepare(options.get_filename())?;
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // The longest wait for the lock of another process.
            .busy_timeout(ACQUIRE_TIMEOUT)
            .foreign_keys(true)
            .pragma("temp_store", "memory")
            // Checkpoints copy frequently changed pages to the file less often.
            .pragma("wal_autocheckpoint", "4000")
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        let open = async |most| {
            let target = Target::Sqlite(Box::new(options.clone()));
            let pool = Pool::open(target, Breaker::none(), most).await.map_err(unreached)?;
            Ok::<_, Error>(Db::new(pool, Breaker::none(), limits.statement_timeout + GRACE))
        };
        let (writer, reader) = (open(1).await?, open(limits.max_connections).await?);
        let location = Location::File(Box::new(options));
        Ok(Self { writer, reader, location, lease_clock: LeaseClock::Caller })
    }

    async fn connect_server(options: PgConnectOptions, limits: Limits) -> Result<Self> {
        let options = Box::new(options.statement_cache_capacity(STATEMENTS).disable_statement_logging());
        let breaker = Breaker::before(*options.clone());
        let session = session_settings(limits.statement_timeout);
        let target = Target::Postgres { options: options.clone(), session };
        let pool = Pool::open(target, breaker.clone(), limits.max_connections).await.map_err(unreached)?;
        let db = Db::new(pool, breaker, limits.statement_timeout + GRACE);
        let location = Location::Server(options);
        Ok(Self { writer: db.clone(), reader: db, location, lease_clock: LeaseClock::Database })
    }

    /// Migrates the schema. Of several processes that start at once one does, and the others wait: under an advisory
    /// lock on PostgreSQL; on SQLite a slower one fails, checks again, and finds it done.
    ///
    /// # Errors
    /// When a migration fails, the ones before it stay; when the schema is of a newer version.
    pub async fn migrate(&self) -> Result<()> {
        match &self.location {
            Location::File(options) => migrate_file(options).await,
            Location::Server(options) => migrate_server(options).await,
        }
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the connections for a single read-only query.
    pub fn reader(&self) -> &Db {
        &self.reader
    }

    /// Returns the connections for a single writing statement.
    pub fn writer(&self) -> &Db {
        &self.writer
    }

    /// Returns the numbers of connections that are idle and in use, and of statements that wait for one.
    pub fn connections(&self) -> ((usize, usize), usize) {
        let pools =
            if self.is_embedded() { vec![&self.writer.pool, &self.reader.pool] } else { vec![&self.writer.pool] };
        pools
            .into_iter()
            .map(Pool::usage)
            .fold(((0, 0), 0), |((idle, used), waits), one| ((idle + one.0.0, used + one.0.1), waits + one.1))
    }

    /// Begins a writing transaction.
    ///
    /// # Errors
    /// [`Error::Storage`] when the database cannot be reached, or another process holds the write lock for too long.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(self.writer.begin().await?)
    }

    /// Takes a connection for a transaction that begins with its first statement but for those by [`Tx::reads`]; SQLite
    /// begins at once.
    ///
    /// # Errors
    /// As [`Store::begin`].
    pub async fn begin_late(&self) -> Result<Tx> {
        Ok(self.writer.begin_late().await?)
    }

    /// Returns the store with another clock for leases.
    pub fn with_lease_clock(self, lease_clock: LeaseClock) -> Self {
        Self { lease_clock, ..self }
    }

    /// Returns the clock of the leases: the database's on PostgreSQL.
    pub fn lease_clock(&self) -> LeaseClock {
        self.lease_clock
    }

    /// Returns true for the embedded database.
    pub fn is_embedded(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Sqlite
    }

    /// Takes the lock for serving from the embedded database, which one process has at a time; `None` on PostgreSQL,
    /// which any number of processes share. It is released when the lock is dropped, or the process ends.
    ///
    /// # Errors
    /// When another process has it.
    pub fn lock_for_serving(&self) -> Result<Option<ServeLock>> {
        match &self.location {
            Location::File(options) => directory::lock(options.get_filename()).map(Some),
            Location::Server(_) => Ok(None),
        }
    }

    /// Tells other processes that deliveries may be due; on SQLite there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signal(&self) -> Result<()> {
        if self.is_embedded() { Ok(()) } else { signal::send(&self.writer).await }
    }

    /// Listens for the signals of other processes; `None` on SQLite.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn signals(&self) -> Result<Option<Signals>> {
        match &self.location {
            Location::File(_) => Ok(None),
            Location::Server(options) => Signals::listen(options).await.map(Some),
        }
    }

    /// Waits until every transaction that was dropped before is rolled back, and its locks are gone.
    pub async fn settle(&self) {
        self.writer.rollbacks.close();
        self.writer.rollbacks.wait().await;
        self.writer.rollbacks.reopen();
    }

    /// Closes all connections; one that is in use at the end of its use.
    pub async fn close(self) {
        self.writer.pool.close().await;
        self.reader.pool.close().await;
    }
}

async fn migrate_file(options: &SqliteConnectOptions) -> Result<()> {
    let pool = PoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(unreached)?;
    let migrated = migrate_embedded(&SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone())).await;
    pool.close().await;
    migrated
}

async fn migrate_embedded(schema: &DatabaseConnection) -> Result<()> {
    refuse_newer(schema).await?;
    for _ in 1..MIGRATION_TRIES {
        match Migrator::up(schema, None).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::debug!(%error, "a migration failed: checking if another process applied it"),
        }
        tokio::time::sleep(MIGRATION_PAUSE).await;
    }
    Ok(Migrator::up(schema, None).await?)
}

async fn migrate_server(options: &PgConnectOptions) -> Result<()> {
    // A connection of its own: the lock belongs to it, ends with it, and may be waited for without a statement timeout.
    let mut lock: PgConnection = options.connect().await.map_err(unreached)?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(&mut lock).await.map_err(unreached)?;
    let pool = PoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(unreached)?;
    let schema = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let migrated = match refuse_newer(&schema).await {
        Ok(()) => Migrator::up(&schema, None).await.map_err(Error::from),
        newer => newer,
    };
    pool.close().await;
    lock.close().await.map_err(unreached)?;
    migrated
}

/// Fails if the schema has migrations unknown to this version.
pub(super) async fn refuse_newer(schema: &DatabaseConnection) -> Result<()> {
    let known = copies::migrations();
    let applied = Migrator::get_migration_models(schema).await?;
    match applied.into_iter().find(|applied| !known.contains(&applied.version)) {
        None => Ok(()),
        Some(newer) => Err(Error::FailedPrecondition {
            message: format!(
                "the database has the schema of a newer version of tieline (migration {}, which this version does not \
                 know): start that version, or restore a backup from before it",
                newer.version
            ),
        }),
    }
}

/// Returns the settings of every session: the server ends slow statements and idle transactions by itself, and detects
/// vanished clients, so that their locks do not outlive them.
fn session_settings(statement_timeout: Duration) -> String {
    let millis = statement_timeout.as_millis();
    format!(
        "SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {millis}; \
         SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
         SET tcp_user_timeout = 20000"
    )
}

pub(super) fn unreached(error: sqlx::Error) -> Error {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))).into()
}
