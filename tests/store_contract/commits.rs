//! Tests of commits: an acknowledged one is durable, and a refusal of the database is reported as its cause.

use sea_orm::{ConnectionTrait, DbErr};
use sqlx::{Connection, Executor, Row, SqliteConnection};
use tieline::{
    domain::{Error, error::StorageFault},
    store::{Limits, Store},
};

use crate::support::Database;

/// A table in which a commit can be made to fail: its foreign key is checked only then.
const TABLES: &str = "CREATE TABLE parent (id INTEGER PRIMARY KEY); \
     CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)";

/// The defect that the store guards against, with sqlx alone. It counts the depth of a connection's transactions; where
/// SQLite has rolled back by itself, the count stays one too high. The next transaction is then a savepoint without a
/// transaction around it; when its commit fails, it stays open; and every later one is a savepoint within it, whose
/// commit is acknowledged and not durable.
#[tokio::test]
async fn sqlx_answers_commits_that_keep_nothing() {
    let database = Database::empty_sqlite();
    let url = format!("{}?mode=rwc", database.url);
    let mut writer = SqliteConnection::connect(&url).await.unwrap();
    writer.execute(TABLES).await.unwrap();
    writer.execute("PRAGMA foreign_keys = ON").await.unwrap();

    let mut rolled_back = writer.begin().await.unwrap();
    rolled_back.execute("ROLLBACK").await.unwrap();
    drop(rolled_back);
    let mut refused = writer.begin().await.unwrap();
    refused.execute("INSERT INTO child (id) VALUES (7)").await.unwrap();
    refused.commit().await.unwrap_err();
    let mut lost = writer.begin().await.unwrap();
    lost.execute("INSERT INTO parent (id) VALUES (1)").await.unwrap();
    lost.commit().await.unwrap();

    let mut reader = SqliteConnection::connect(&url).await.unwrap();
    let kept: i64 = reader.fetch_one("SELECT COUNT(*) FROM parent").await.unwrap().get(0);
    assert_eq!(kept, 0, "sqlx stores it now: update docs/adr/0005-one-owner-of-connections.md");
}

async fn sqlite() -> (Database, Store) {
    let database = Database::empty_sqlite();
    let store = Store::connect(&database.url, Limits::default()).await.unwrap();
    store.writer().execute_unprepared(TABLES).await.unwrap();
    (database, store)
}

async fn parents(store: &Store) -> usize {
    let statement = sea_orm::Statement::from_string(store.reader().get_database_backend(), "SELECT id FROM parent");
    store.reader().query_all_raw(statement).await.unwrap().len()
}

/// The same scenario through the store.
#[tokio::test]
async fn a_commit_that_is_answered_is_kept() {
    let (_database, store) = sqlite().await;
    let rolled_back = store.begin().await.unwrap();
    rolled_back.execute_unprepared("ROLLBACK").await.unwrap();
    drop(rolled_back);
    let refused = store.begin().await.unwrap();
    refused.execute_unprepared("INSERT INTO child (id) VALUES (7)").await.unwrap();
    refused.commit().await.unwrap_err();
    for id in 1..4 {
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared(&format!("INSERT INTO parent (id) VALUES ({id})")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(parents(&store).await, id);
    }
}

#[tokio::test]
async fn a_transaction_takes_nothing_after_a_failed_statement() {
    let (_database, store) = sqlite().await;
    let tx = store.begin().await.unwrap();
    tx.execute_unprepared("INSERT INTO parent (id) VALUES (1)").await.unwrap();
    tx.execute_unprepared("INSERT INTO parent (id) VALUES (1)").await.unwrap_err();
    let refused = tx.execute_unprepared("INSERT INTO parent (id) VALUES (2)").await.unwrap_err();
    assert!(matches!(refused, DbErr::Custom(_)), "{refused}");
    tx.commit().await.unwrap_err();
    assert_eq!(parents(&store).await, 0);
}

/// A full database rolls back by itself; once there is space again, everything goes on.
#[tokio::test]
async fn a_full_database_is_reported_as_full_and_recovers() {
    let (_database, store) = sqlite().await;
    let tx = store.begin().await.unwrap();
    tx.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
    let long = format!("CREATE TABLE big AS SELECT '{}' AS text", "x".repeat(200_000));
    let full: Error = tx.execute_unprepared(&long).await.unwrap_err().into();
    assert!(matches!(full, Error::Storage(StorageFault::Full)), "{full}");
    drop(tx);
    let tx = store.begin().await.unwrap();
    tx.execute_unprepared(&long).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back() {
    let (_database, store) = sqlite().await;
    for _ in 0..5 {
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared("INSERT INTO parent (id) VALUES (1)").await.unwrap();
        drop(tx);
    }
    assert_eq!(parents(&store).await, 0);
}

async fn postgres() -> Option<(Database, Store)> {
    let database = Database::postgres().await?;
    let store = Store::connect(&database.url, Limits::default()).await.unwrap();
    Some((database, store))
}

#[tokio::test]
async fn what_a_server_says_of_itself_is_distinguished() {
    let Some((_database, store)) = postgres().await else { return };
    let states = [
        ("08006", StorageFault::Unreachable),
        ("57P03", StorageFault::Unreachable),
        ("53300", StorageFault::Unreachable),
        ("53100", StorageFault::Full),
        ("40P01", StorageFault::Contended),
        ("40001", StorageFault::Contended),
        ("25006", StorageFault::Unwritable),
        ("57014", StorageFault::Slow),
        ("XX001", StorageFault::Damaged),
    ];
    for (state, fault) in states {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '{state}'; END $$");
        // A database that reports itself as down is believed: the next statement waits for a probe.
        let reported = crate::support::until("the breaker is closed", std::time::Duration::from_secs(10), async || {
            let reported = Error::from(store.writer().execute_unprepared(&raise).await.unwrap_err());
            (!reported.to_string().contains("does not answer") || fault == StorageFault::Unreachable)
                .then_some(reported)
        })
        .await;
        assert!(matches!(reported, Error::Storage(said) if said == fault), "{state}: {reported}");
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let Some((database, _store)) = postgres().await else { return };
    let limits = Limits { statement_timeout: std::time::Duration::from_millis(200), ..Limits::default() };
    let store = Store::connect(&database.url, limits).await.unwrap();
    let slow: Error = store.writer().execute_unprepared("SELECT pg_sleep(60)").await.unwrap_err().into();
    assert!(matches!(slow, Error::Storage(StorageFault::Slow)), "{slow}");
    store.writer().execute_unprepared("SELECT 1").await.unwrap();
}

/// PostgreSQL acknowledges the commit of a failed transaction, and rolls it back.
#[tokio::test]
async fn a_failed_transaction_cannot_be_committed_on_postgres() {
    let Some((_database, store)) = postgres().await else { return };
    let tx = store.begin().await.unwrap();
    tx.execute_unprepared("CREATE TABLE kept (id INTEGER)").await.unwrap();
    tx.execute_unprepared("SELECT * FROM nowhere").await.unwrap_err();
    tx.commit().await.unwrap_err();
    store.writer().execute_unprepared("SELECT * FROM kept").await.unwrap_err();
}

#[tokio::test]
async fn migrations_wait_for_those_of_another_process() {
    let Some(database) = Database::empty_postgres().await else { return };
    let other = Store::connect(&database.url, Limits::default()).await.unwrap();
    let lock = other.begin().await.unwrap();
    lock.execute_unprepared("SELECT pg_advisory_xact_lock(x'7469656c696e65'::bigint)").await.unwrap();
    let store = Store::connect(&database.url, Limits::default()).await.unwrap();
    let migrating = tokio::spawn({
        let store = store.clone();
        async move { store.migrate().await }
    });
    let waiting = "SELECT 1 AS one FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    crate::support::until("it waits for the lock", std::time::Duration::from_secs(10), async || {
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, waiting);
        other.reader().query_one_raw(statement).await.unwrap().map(drop)
    })
    .await;
    assert!(!migrating.is_finished());
    lock.commit().await.unwrap();
    migrating.await.unwrap().unwrap();
}
