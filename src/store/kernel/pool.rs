//! Pool of connections to one of the two databases: how one is opened, and which idle one is taken again.
//!
//! Not here: statements and transactions on a connection (`db`), the settings of the connections (`connect`).
//!
//! sqlx's own pool ends every use of a connection with a round trip, in a task of its own: as many as there are
//! statements outside of transactions. Here a connection that is known to be sound goes back as it is.

use std::{io::ErrorKind, time::Duration};

use deadpool::{
    Runtime, Status,
    managed::{Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult},
};
use sea_orm::DbBackend;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, Error, Executor,
    postgres::{PgConnectOptions, PgConnection},
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
use tokio::time::{Instant, sleep};

use super::breaker::Breaker;

/// Longest wait for a connection, and longest time that opening one takes.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause before a server that refused the first connection is asked again.
const BETWEEN_REFUSALS: Duration = Duration::from_millis(100);
/// Age from which on a connection to a server is replaced: after a failover, connections come back to the new primary.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);
/// Time without use from which on it is replaced: a firewall may have forgotten it.
const LONGEST_IDLE: Duration = Duration::from_secs(10 * 60);

/// Connection to one of the two databases.
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Database that a pool's connections lead to.
pub(super) enum Target {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres {
        options: Box<PgConnectOptions>,
        /// Statements that set up a session.
        session: String,
    },
}

/// Connections to one database. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct Pool {
    pool: deadpool::managed::Pool<Opener>,
    backend: DbBackend,
}

/// Connection of a pool in use: dropped, it goes back.
pub(super) type Pooled = Object<Opener>;

/// Opens the connections of a pool.
pub(super) struct Opener {
    target: Target,
    breaker: Breaker,
}

impl Manager for Opener {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        match &self.target {
            Target::Sqlite(options) => Ok(Connection::Sqlite(options.connect().await?)),
            Target::Postgres { options, session } => {
                let mut connection = options.connect().await?;
                connection.execute(AssertSqlSafe(session.as_str())).await?;
                Ok(Connection::Postgres(connection))
            }
        }
    }

    async fn recycle(&self, _: &mut Connection, metrics: &Metrics) -> RecycleResult<Error> {
        let fresh = match self.target {
            Target::Sqlite(_) => true,
            Target::Postgres { .. } => {
                metrics.age() < LONGEST_LIFE
                    && metrics.last_used() < LONGEST_IDLE
                    && !self.breaker.is_suspect(metrics.age())
            }
        };
        if fresh { Ok(()) } else { Err(RecycleError::message("the connection is too old to be trusted")) }
    }
}

impl Pool {
    /// Creates a pool of at most so many connections, and opens the first. A server that refuses it may be starting
    /// just now, and is waited for.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn open(target: Target, breaker: Breaker, most: u32) -> Result<Self, Error> {
        let backend = match target {
            Target::Sqlite(_) => DbBackend::Sqlite,
            Target::Postgres { .. } => DbBackend::Postgres,
        };
        let builder = deadpool::managed::Pool::builder(Opener { target, breaker })
            .runtime(Runtime::Tokio1)
            .max_size(usize::try_from(most).unwrap_or(usize::MAX))
            // The one that was used last has its pages and its prepared statements at hand.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(ACQUIRE_TIMEOUT))
            .create_timeout(Some(ACQUIRE_TIMEOUT));
        let pool = Self { pool: builder.build().map_err(|error| Error::Configuration(error.into()))?, backend };
        let deadline = Instant::now() + ACQUIRE_TIMEOUT;
        loop {
            match pool.acquire().await {
                Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused && Instant::now() < deadline => {
                    sleep(BETWEEN_REFUSALS).await;
                }
                opened => return opened.map(|_| pool),
            }
        }
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Takes an idle connection, or opens one.
    ///
    /// # Errors
    /// When the database cannot be reached, or none is free in time.
    pub(super) async fn acquire(&self) -> Result<Pooled, Error> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(_) => Error::PoolTimedOut,
            PoolError::Closed => Error::PoolClosed,
            error @ (PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)) => {
                Error::Configuration(error.to_string().into())
            }
        })
    }

    /// Returns the numbers of connections that are idle and in use, and of those that are waited for.
    pub(super) fn usage(&self) -> ((usize, usize), usize) {
        let Status { size, available, waiting, .. } = self.pool.status();
        ((available, size.saturating_sub(available)), waiting)
    }

    /// Closes the pool and its idle connections. One that is in use is closed at the end of its use.
    pub(in crate::store) async fn close(&self) {
        let idle = self.pool.retain(|_, _| false).removed;
        self.pool.close();
        for connection in idle {
            let closed = match connection {
                Connection::Sqlite(connection) => connection.close().await,
                Connection::Postgres(connection) => connection.close().await,
            };
            if let Err(error) = closed {
                tracing::debug!(%error, "a connection could not be closed in order");
            }
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the options, which have the password.
        formatter.debug_struct("Pool").field("backend", &self.backend).finish_non_exhaustive()
    }
}
