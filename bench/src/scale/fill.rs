//! Stored events, written into the database of a Tieline that is stopped: each with a finished delivery and an attempt, in
//! the order of their times. The first ones of each filling are due for removal.
//!
//! This is the one place of the bench that knows the tables.

use std::path::Path;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait, TryGetable,
};

use crate::{Result, clock, database::Databases, table::whole};

/// Number of events that one transaction stores.
const SLICE: u64 = 100_000;
/// Interval of the reports, in events.
const REPORT: u64 = 1_000_000;
const DAY_MS: u64 = 86_400_000;
/// Age of the first event; that of the last one is a minute. Retention is 30 days.
const SPAN_MS: u64 = 20 * DAY_MS;
/// Number of events that are due for removal, and the age of the first one; a second lies between two.
pub const DUE: u64 = 10_000;
const DUE_MS: u64 = 40 * DAY_MS;
/// Age that divides those that are due from those that are kept.
const KEPT_MS: u64 = 30 * DAY_MS;
/// Tables that have a partition for each day, on PostgreSQL.
const PARTITIONED: [&str; 3] = ["event", "delivery", "attempt"];
/// Source of the events.
const SOURCE: &str = "bench";

/// An organisation with the destination of its deliveries, both by their ids.
pub struct Owner {
    /// The organisation.
    pub organisation: String,
    /// The destination.
    pub destination: String,
}

/// A connection to the database of a Tieline.
pub struct Filler {
    db: DatabaseConnection,
    backend: DbBackend,
    /// True if destinations have queues by position, so that what was delivered is what is behind their cursor; otherwise
    /// each delivery has a state, as in builds from before.
    queued: bool,
}

impl Filler {
    /// Opens the database called `name`, below `home`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(databases: &Databases, (name, home): (&str, &Path)) -> Result<Self> {
        let mut options = ConnectOptions::new(databases.url(name, home));
        // What is set below is that of a connection.
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        let backend = db.get_database_backend();
        let quick: &[&str] = match backend {
            DbBackend::Sqlite => &["PRAGMA synchronous = OFF", "PRAGMA cache_size = -200000"],
            _ => &["SET synchronous_commit = off", "SET work_mem = '64MB'"],
        };
        for setting in quick {
            db.execute_unprepared(setting).await?;
        }
        let queued = db.execute_unprepared("SELECT 1 FROM delivery_progress LIMIT 1").await.is_ok();
        Ok(Self { db, backend, queued })
    }

    /// Stores the events from number `from` up to, but without, number `to`; the first [`DUE`] are due for removal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fill(&self, owners: &[Owner], (from, to): (u64, u64)) -> Result<()> {
        let (now_ms, count) = (clock::wall_seconds() * 1000, to - from);
        self.make_days(now_ms / DAY_MS).await?;
        let times = format!(
            "CASE WHEN n < {} THEN {} + (n - {from}) * 1000 ELSE {} + (n - {from}) * {SPAN_MS} / {count} END",
            from + DUE,
            now_ms - DUE_MS,
            now_ms - SPAN_MS - 60_000
        );
        for first in (from..to).step_by(usize::try_from(SLICE)?) {
            let past = to.min(first + SLICE);
            let tx = self.db.begin().await?;
            tx.execute_unprepared(&self.slice(owners, (first, past), &times)).await?;
            for statement in self.inserts() {
                tx.execute_unprepared(&statement).await?;
            }
            tx.execute_unprepared("DROP TABLE slice").await?;
            tx.commit().await?;
            if past.is_multiple_of(REPORT) || past == to {
                eprintln!("bench: {} events are stored", whole(past as f64));
            }
        }
        if self.queued {
            self.db.execute_unprepared(&format!("UPDATE destination SET last_seq = {to}, cursor = {to}")).await?;
        }
        self.settle().await
    }

    /// Makes the partitions of the days of the events, up to that of `today`, as they would be there by now. Builds from
    /// before have none.
    async fn make_days(&self, today: u64) -> Result<()> {
        if self.db.execute_unprepared("SELECT 1 FROM event_first LIMIT 1").await.is_ok() {
            for table in PARTITIONED {
                self.db.execute_unprepared(&format!("DROP TABLE {table}_first")).await?;
            }
        } else if self.db.execute_unprepared(&format!("SELECT 1 FROM event_{today:08} LIMIT 1")).await.is_err() {
            return Ok(());
        }
        for table in PARTITIONED {
            for day in today - DUE_MS / DAY_MS - 1..=today {
                let [first, end] = [day, day + 1].map(|day| format!("{:012x}", day * DAY_MS));
                let id = |hex: &str| format!("'{}-{}-0000-0000-000000000000'", &hex[..8], &hex[8..]);
                let sql = format!(
                    "CREATE TABLE IF NOT EXISTS {table}_{day:08} PARTITION OF {table} FOR VALUES FROM ({}) TO ({})",
                    id(&first),
                    id(&end)
                );
                self.db.execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }

    /// Returns the number of deliveries and events that are due for removal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&self, owners: &[Owner]) -> Result<u64> {
        let all = owners.iter().map(|owner| self.uuid(&owner.organisation)).collect::<Vec<_>>().join(", ");
        let hex = format!("{:012x}", clock::wall_seconds() * 1000 - KEPT_MS);
        let first = self.uuid(&format!("{}-{}-7000-8000-000000000000", &hex[..8], &hex[8..]));
        let of = |table| format!("(SELECT COUNT(*) FROM {table} WHERE organisation_id IN ({all}) AND id < {first})");
        let sql = format!("SELECT {} + {}", of("delivery"), of("event"));
        Ok(u64::try_from(self.value::<i64>(&sql).await?)?)
    }

    /// Returns the bytes of the whole database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bytes(&self) -> Result<u64> {
        let sql = match self.backend {
            DbBackend::Sqlite => "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            _ => "SELECT pg_database_size(current_database())",
        };
        Ok(u64::try_from(self.value::<i64>(sql).await?)?)
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<()> {
        Ok(self.db.close().await?)
    }

    async fn value<T: TryGetable>(&self, sql: &str) -> Result<T> {
        let row = self.db.query_one_raw(Statement::from_string(self.backend, sql)).await?;
        Ok(row.ok_or("a query without a row")?.try_get_by_index(0)?)
    }

    /// Does what a database does in the long run: the statistics of the planner, and everything in its files.
    async fn settle(&self) -> Result<()> {
        let statements: &[&str] = match self.backend {
            DbBackend::Sqlite => &["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
            _ => &["VACUUM (ANALYZE)", "CHECKPOINT"],
        };
        for statement in statements {
            self.db.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    /// Returns the statement that makes a table of the events of a slice: half of them are of the first organisation.
    fn slice(&self, owners: &[Owner], (first, past): (u64, u64), times: &str) -> String {
        let row = |(number, owner): (usize, &Owner)| {
            format!("({number}, {}, {})", self.uuid(&owner.organisation), self.uuid(&owner.destination))
        };
        let rows = owners.iter().enumerate().map(row).collect::<Vec<_>>().join(", ");
        format!(
            "CREATE TEMPORARY TABLE slice AS WITH RECURSIVE number (n) AS (SELECT CAST({first} AS BIGINT) UNION ALL \
             SELECT n + 1 FROM number WHERE n < {last}), event_of (n, ms, owner) AS (SELECT n, {times}, \
             CASE n % 2 WHEN 0 THEN 0 ELSE 1 + n / 2 % {others} END FROM number), \
             owner (number, organisation_id, destination_id) AS (VALUES {rows}) \
             SELECT n, organisation_id, destination_id, {id} AS event_id, {id} AS delivery_id, {id} AS attempt_id, \
             {time} AS at, CASE n / 2 % 1000 WHEN 7 THEN 'failed' WHEN 507 THEN 'skipped' ELSE 'delivered' END AS state \
             FROM event_of JOIN owner ON owner.number = event_of.owner ORDER BY n",
            last = past - 1,
            others = owners.len().saturating_sub(1).max(1),
            id = self.id("ms"),
            time = self.time("ms"),
        )
    }

    /// Returns the statements that store the slice.
    fn inserts(&self) -> Vec<String> {
        let event = format!(
            "INSERT INTO event (organisation_id, id, kind, source, attributes, data, created_at) SELECT organisation_id, \
             event_id, 'order.created', '{SOURCE}', '{{}}', {}, at FROM slice ORDER BY n",
            self.data()
        );
        let reason = "CASE state WHEN 'delivered' THEN NULL ELSE 'HTTP 410 Gone' END";
        let delivery = if self.queued {
            format!(
                "INSERT INTO delivery (organisation_id, id, event_id, destination_id, state, reason, attempts, \
                 completed_at, created_at, seq) SELECT organisation_id, delivery_id, event_id, destination_id, \
                 CASE state WHEN 'skipped' THEN state ELSE 'pending' END, CASE state WHEN 'skipped' THEN {reason} END, 0, \
                 CASE state WHEN 'skipped' THEN at END, at, CASE WHEN state <> 'skipped' THEN n + 1 END \
                 FROM slice ORDER BY n"
            )
        } else {
            format!(
                "INSERT INTO delivery (organisation_id, id, event_id, destination_id, state, reason, attempts, \
                 completed_at, created_at) SELECT organisation_id, delivery_id, event_id, destination_id, state, {reason}, \
                 CASE state WHEN 'skipped' THEN 0 ELSE 1 END, at, at FROM slice ORDER BY n"
            )
        };
        let progress = format!(
            "INSERT INTO delivery_progress (organisation_id, delivery_id, destination_id, state, reason, attempts, \
             attempts_before_replay, completed_at) SELECT organisation_id, delivery_id, destination_id, state, {reason}, 1, \
             0, at FROM slice WHERE state = 'failed'"
        );
        let attempt = "INSERT INTO attempt (organisation_id, delivery_id, id, number, address, outcome, status_code, request, \
             answer, duration_ms, created_at) SELECT organisation_id, delivery_id, attempt_id, 1, 'http://127.0.0.1:9/', \
             state, CASE state WHEN 'failed' THEN 410 ELSE 200 END, '', '{}', 5, at FROM slice WHERE state <> 'skipped' \
             ORDER BY n";
        let mut statements = vec![event, delivery];
        statements.extend(self.queued.then_some(progress));
        statements.push(attempt.to_owned());
        statements
    }

    fn uuid(&self, id: &str) -> String {
        match self.backend {
            DbBackend::Sqlite => format!("x'{}'", id.replace('-', "")),
            _ => format!("CAST('{id}' AS uuid)"),
        }
    }

    /// Returns a new UUID of version 7 (RFC 9562, section 5.7), of a time in milliseconds.
    fn id(&self, ms: &str) -> String {
        match self.backend {
            DbBackend::Sqlite => format!(
                "unhex(printf('%012x', {ms}) || '7' || substr(hex(randomblob(2)), 2) || '8' || \
                 substr(hex(randomblob(8)), 2))"
            ),
            _ => {
                let hex = format!("lpad(to_hex(CAST({ms} AS BIGINT)), 12, '0')");
                format!(
                    "CAST(overlay(CAST(gen_random_uuid() AS TEXT) PLACING \
                     substr({hex}, 1, 8) || '-' || substr({hex}, 9, 4) || '-7' FROM 1 FOR 15) AS uuid)"
                )
            }
        }
    }

    /// Returns a time in milliseconds as Tieline stores times.
    fn time(&self, ms: &str) -> String {
        match self.backend {
            DbBackend::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%f', ({ms}) / 1000.0, 'unixepoch') || '+00:00'"),
            _ => format!("to_timestamp(({ms}) / 1000.0)"),
        }
    }

    /// Returns the data of an event, of some 300 bytes that differ.
    fn data(&self) -> &'static str {
        match self.backend {
            DbBackend::Sqlite => r#"'{"text":"' || hex(randomblob(144)) || '"}'"#,
            _ => r#"'{"text":"' || repeat(CAST(gen_random_uuid() AS TEXT), 8) || '"}'"#,
        }
    }
}
