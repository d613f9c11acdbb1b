//! Statements and transactions on pooled connections: the one owner of connections to the database. Each statement has
//! a deadline, and a connection with a failure is closed and replaced, never used again.
//!
//! Not here: the settings of the connections (`connect`), the meaning of an error (`fault`), the refusal of statements
//! while the database is down (`breaker`).
//!
//! Transactions are begun and ended by statements of ours. The counter that sqlx keeps for its own transactions can
//! differ from the database's state, and then a commit is answered that commits nothing
//! (`docs/adr/0005-one-owner-of-connections.md`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, query_with, raw_sql};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::task::TaskTracker;

use super::{
    breaker::Breaker,
    fault::{self, Aftermath},
    pool::{Connection, Pool, Pooled},
};
use crate::domain::{Error, Result, error::StorageFault};

/// Runs single statements, each on a connection of its own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pub(in crate::store) pool: Pool,
    pub(in crate::store) breaker: Breaker,
    /// Deadline of a statement, on the monotonic clock.
    pub(in crate::store) deadline: Duration,
    /// Rollbacks of dropped transactions: they outlive the answers of their requests, and so do their locks.
    pub(super) rollbacks: TaskTracker,
}

impl Db {
    pub(super) fn new(pool: Pool, breaker: Breaker, deadline: Duration) -> Self {
        Self { pool, breaker, deadline, rollbacks: TaskTracker::new() }
    }

    /// Begins a transaction. On SQLite it takes the write lock at once: a deferred one that reads first and writes
    /// later fails when another wrote in between (SQLITE_BUSY_SNAPSHOT). A connection that is within a transaction
    /// already refuses, and is replaced.
    pub(in crate::store) async fn begin(&self) -> Result<Tx, DbErr> {
        let mut held = self.acquire().await?;
        held.ask(Ask::Begin).await?;
        Ok(self.tx(held, Phase::Begun))
    }

    /// Takes a connection for a transaction that begins with its first statement but for [`Tx::reads`]: on PostgreSQL,
    /// where such a read sees what is committed in either case. SQLite begins at once.
    pub(in crate::store) async fn begin_late(&self) -> Result<Tx, DbErr> {
        if self.pool.backend() != DbBackend::Postgres {
            return self.begin().await;
        }
        Ok(self.tx(self.acquire().await?, Phase::Waiting))
    }

    fn tx(&self, held: Held, phase: Phase) -> Tx {
        let backend = self.pool.backend();
        let (failed, rollbacks) = (AtomicBool::new(false), self.rollbacks.clone());
        Tx { inside: Some(Mutex::new(Inside { held, phase })), backend, failed, rollbacks }
    }

    async fn acquire(&self) -> Result<Held, DbErr> {
        let link = self.breaker.admit(self.pool.acquire()).await.map_err(|error| failed(error, &self.breaker))?;
        Ok(Held { link: Some(link), sound: true, breaker: self.breaker.clone(), deadline: self.deadline })
    }

    fn backend(&self) -> DbBackend {
        self.pool.backend()
    }

    async fn ask(&self, ask: Ask<'_>) -> Result<Answer, DbErr> {
        self.acquire().await?.ask(ask).await
    }
}

/// A writing transaction. Dropped without [`Tx::commit`], it is rolled back.
///
/// After a failed statement it takes no other one and cannot be committed: PostgreSQL refuses them, and answers a
/// commit with success although it rolls back; SQLite has rolled back by itself after some failures, and would go on
/// outside of any transaction.
pub struct Tx {
    /// `None` once it has ended.
    inside: Option<Mutex<Inside>>,
    backend: DbBackend,
    failed: AtomicBool,
    rollbacks: TaskTracker,
}

/// Connection of a transaction.
struct Inside {
    held: Held,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not begun: nothing has been written, and no row is locked.
    Waiting,
    Begun,
    /// Its only statement was committed by itself.
    Over,
}

/// Reads of a transaction that do not begin it: without locks, at READ COMMITTED.
#[derive(Clone, Copy)]
pub struct Reads<'a>(&'a Tx);

impl Tx {
    /// Returns the connection for reads that do not begin the transaction.
    pub fn reads(&self) -> Reads<'_> {
        Reads(self)
    }

    /// Executes the last statement before the commit. Where it is the only one, it commits itself, which saves two round
    /// trips; a lost answer means as much as that of a commit.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::store) async fn last(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let ask = async |inside: &mut Inside| {
            let answer = inside.held.ask(Ask::All(statement)).await?;
            if inside.phase == Phase::Waiting {
                inside.phase = Phase::Over;
            }
            Ok(answer.rows())
        };
        self.within(ask).await
    }

    /// Commits the transaction durably.
    ///
    /// # Errors
    /// [`Error::Storage`] when the database refuses. Nothing is kept then, unless the answer was lost.
    pub async fn commit(mut self) -> Result<()> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(Error::Internal("a transaction was to be committed after one of its statements failed".into()));
        }
        if let Some(Inside { mut held, phase: Phase::Begun }) = self.inside.take().map(Mutex::into_inner) {
            held.ask(Ask::Commit).await?;
        }
        Ok(())
    }

    fn backend(&self) -> DbBackend {
        self.backend
    }

    async fn ask(&self, ask: Ask<'_>) -> Result<Answer, DbErr> {
        let begun = async |inside: &mut Inside| {
            if inside.phase == Phase::Waiting {
                inside.held.ask(Ask::Begin).await?;
                inside.phase = Phase::Begun;
            }
            inside.held.ask(ask).await
        };
        self.within(begun).await
    }

    async fn within<T>(&self, ask: impl AsyncFnOnce(&mut Inside) -> Result<T, DbErr>) -> Result<T, DbErr> {
        let over =
            || DbErr::Custom("a statement came after the end of its transaction, or after one that failed".into());
        let mut inside = self.inside.as_ref().ok_or_else(over)?.lock().await;
        if self.failed.load(Ordering::Relaxed) || inside.phase == Phase::Over {
            return Err(over());
        }
        let answer = ask(&mut inside).await;
        if answer.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        answer
    }
}

impl Reads<'_> {
    fn backend(&self) -> DbBackend {
        self.0.backend
    }

    async fn ask(&self, ask: Ask<'_>) -> Result<Answer, DbErr> {
        self.0.within(async |inside: &mut Inside| inside.held.ask(ask).await).await
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(Inside { mut held, phase }) = self.inside.take().map(Mutex::into_inner) else { return };
        if held.sound && phase == Phase::Begun {
            // The connection returns to the pool only after the rollback, so no other caller can get it before.
            self.rollbacks.spawn(async move { held.ask(Ask::Rollback).await.map(drop) });
        }
    }
}

/// Both run one statement at a time, on a connection of its own or on that of the transaction.
macro_rules! connection {
    ($name:ty) => {
        #[async_trait::async_trait]
        impl ConnectionTrait for $name {
            fn get_database_backend(&self) -> DbBackend {
                self.backend()
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                self.ask(Ask::Execute(&statement)).await.and_then(Answer::done)
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                self.ask(Ask::Unprepared(sql)).await.and_then(Answer::done)
            }

            async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                Ok(self.ask(Ask::One(&statement)).await?.rows().pop())
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                Ok(self.ask(Ask::All(&statement)).await?.rows())
            }
        }
    };
}

connection!(Db);
connection!(Tx);
connection!(Reads<'_>);

/// A single statement.
enum Ask<'a> {
    Begin,
    Commit,
    Rollback,
    Unprepared(&'a str),
    Execute(&'a Statement),
    /// A query for its first row.
    One(&'a Statement),
    All(&'a Statement),
}

/// Result of a statement.
enum Answer {
    Done(ExecResult),
    Rows(Vec<QueryResult>),
}

impl Answer {
    fn done(self) -> Result<ExecResult, DbErr> {
        match self {
            Answer::Done(done) => Ok(done),
            Answer::Rows(_) => Err(DbErr::Custom("a statement was answered with rows".into())),
        }
    }

    fn rows(self) -> Vec<QueryResult> {
        match self {
            Answer::Done(_) => Vec::new(),
            Answer::Rows(rows) => rows,
        }
    }
}

/// A connection in use. It returns to its pool while it is known to be sound, and is closed otherwise: after a failure,
/// after a deadline, and if its caller was cancelled in the middle of a statement.
struct Held {
    /// `None` after its return.
    link: Option<Pooled>,
    sound: bool,
    breaker: Breaker,
    deadline: Duration,
}

impl Held {
    async fn ask(&mut self, ask: Ask<'_>) -> Result<Answer, DbErr> {
        let Some(link) = &mut self.link else { return Err(DbErr::Custom("the connection has been given back".into())) };
        self.sound = false;
        let bounds_transaction = matches!(ask, Ask::Begin | Ask::Commit | Ask::Rollback);
        let error = match timeout(self.deadline, link.ask(ask)).await {
            Ok(Ok(answer)) => {
                self.sound = true;
                return Ok(answer);
            }
            Ok(Err(error)) => error,
            Err(_) => fault::deadline_exceeded(),
        };
        self.sound = !bounds_transaction && fault::aftermath(&error) == Aftermath::Sound;
        Err(failed(error, &self.breaker))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(link) = self.link.take() else { return };
        if !self.sound {
            drop(Pooled::take(link));
        }
    }
}

fn failed(error: sqlx::Error, breaker: &Breaker) -> DbErr {
    if fault::aftermath(&error) == Aftermath::Down {
        breaker.trip(&error);
    }
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

macro_rules! bound {
    ($statement:expr) => {
        query_with(
            AssertSqlSafe($statement.sql.as_str()),
            SqlxValues($statement.values.clone().unwrap_or_else(|| sea_orm::sea_query::Values(Vec::new()))),
        )
    };
}

/// The same statements for both databases: their types have no common trait.
macro_rules! ask {
    ($connection:expr, $ask:expr, $begin:literal) => {{
        let connection = &mut *$connection;
        let raw = |sql: &str| raw_sql(AssertSqlSafe(sql).into_sql_str());
        match $ask {
            Ask::Begin => Answer::Done(connection.execute(raw($begin)).await?.into()),
            Ask::Commit => Answer::Done(connection.execute(raw("COMMIT")).await?.into()),
            Ask::Rollback => Answer::Done(connection.execute(raw("ROLLBACK")).await?.into()),
            Ask::Unprepared(sql) => Answer::Done(connection.execute(raw(sql)).await?.into()),
            Ask::Execute(statement) => Answer::Done(connection.execute(bound!(statement)).await?.into()),
            Ask::One(statement) => {
                Answer::Rows(connection.fetch_optional(bound!(statement)).await?.into_iter().map(Into::into).collect())
            }
            Ask::All(statement) => {
                Answer::Rows(connection.fetch_all(bound!(statement)).await?.into_iter().map(Into::into).collect())
            }
        }
    }};
}

impl Connection {
    async fn ask(&mut self, ask: Ask<'_>) -> Result<Answer, sqlx::Error> {
        Ok(match self {
            Connection::Sqlite(connection) => ask!(connection, ask, "BEGIN IMMEDIATE"),
            Connection::Postgres(connection) => ask!(connection, ask, "BEGIN"),
        })
    }
}

impl From<sea_orm::DbErr> for Error {
    /// Extracts the fault from the error. The error's text is for the log; it never reaches a caller.
    fn from(error: DbErr) -> Self {
        let cause = match &error {
            DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause))
            | DbErr::Conn(RuntimeErr::SqlxError(cause)) => fault::storage_fault(cause),
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Some(StorageFault::Unreachable),
            _ => None,
        };
        match cause {
            Some(fault) => {
                tracing::warn!(cause = %error, ?fault, "the database refused a statement");
                Error::Storage(fault)
            }
            None => Error::Internal(format!("database: {error}")),
        }
    }
}
