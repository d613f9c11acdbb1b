//! Days of events, deliveries and attempts on PostgreSQL: each has a partition of its own, by the time in the ids, which is
//! made ahead and dropped as a whole. An attempt is in the day of its delivery. There is none for what has no day: it is
//! refused, and [`Days::cover`] makes the day before anything is written.
//!
//! Not here: the removal row by row (`housekeeping`), which is SQLite's way, and that for what keeps a day from going.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::{
    domain::{Error, Result, ambient::Time, error::StorageFault, search::first_id},
    store::{Store, Tx},
};

/// Length of a day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Number of days that have partitions from today on.
const AHEAD: u64 = 3;

/// Partitioned tables.
const TABLES: [&str; 3] = ["event", "delivery", "attempt"];

/// Time that a drop waits for those who read; whoever comes after it waits as long.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '20ms'";

/// Keeps other processes from changing partitions until the commit. Nobody who reads or writes rows waits.
const ONE_AT_A_TIME: &str = "LOCK TABLE event IN SHARE UPDATE EXCLUSIVE MODE";

/// Returns the begin of the day of `time`.
pub fn day_of(time: Time) -> Time {
    time - chrono::TimeDelta::milliseconds(time.timestamp_millis().rem_euclid(DAY_MS))
}

/// Days that are known to have partitions: from the first, to before the last. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Days(Arc<[AtomicI64; 2]>);

impl Days {
    /// Makes the partitions of the day of `now` where there are none, with those of the next two days. Looks by `db`, the
    /// connection of whoever writes: another one is taken only to make some.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cover(&self, store: &Store, db: &impl ConnectionTrait, now: Time) -> Result<()> {
        if store.is_embedded() || self.has(now) {
            return Ok(());
        }
        self.look(store, db, day_of(now), 1).await
    }

    /// Makes those of the day of `now` and of the next two, so that nobody who writes has to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cover_ahead(&self, store: &Store, now: Time) -> Result<()> {
        let covered = self.has(now) && self.has(now + chrono::Days::new(1));
        if store.is_embedded() || covered {
            return Ok(());
        }
        self.look(store, store.reader(), day_of(now), AHEAD).await
    }

    /// Looks which days there are, and makes all where one of the `first` ones is missing.
    async fn look(&self, store: &Store, db: &impl ConnectionTrait, today: Time, first: u64) -> Result<()> {
        let mut missing = missing(db, today).await?;
        if missing.iter().any(|(_, day)| *day < today + chrono::Days::new(first)) {
            make_all(store, today).await?;
            missing.clear();
        }
        let end = missing.iter().map(|(_, day)| *day).min().unwrap_or(today + chrono::Days::new(AHEAD));
        let [first, last] = &*self.0;
        first.store(today.timestamp_millis(), Ordering::Relaxed);
        last.store(end.timestamp_millis(), Ordering::Relaxed);
        Ok(())
    }

    fn has(&self, time: Time) -> bool {
        let [first, end] = &*self.0;
        let millis = time.timestamp_millis();
        first.load(Ordering::Relaxed) <= millis && millis < end.load(Ordering::Relaxed)
    }
}

async fn make_all(store: &Store, today: Time) -> Result<()> {
    let tx = store.begin().await?;
    execute(&tx, ONE_AT_A_TIME).await?;
    for (table, day) in missing(&tx, today).await? {
        make(&tx, table, day).await?;
    }
    tx.commit().await
}

/// Lists the tables that have no partition for a day, with each of these days, from `today` on.
async fn missing(db: &impl ConnectionTrait, today: Time) -> Result<Vec<(&'static str, Time)>> {
    let mut missing = Vec::new();
    for table in TABLES {
        let there = partitions(db, table).await?;
        let days = (0..AHEAD).map(|days| today + chrono::Days::new(days));
        let has = |day: &Time| there.iter().any(|partition| partition.has(first_id(*day)));
        missing.extend(days.filter(|day| !has(day)).map(|day| (table, day)));
    }
    Ok(missing)
}

async fn make(tx: &Tx, table: &str, day: Time) -> Result<()> {
    let name = format!("{table}_{}", day.format("%Y%m%d"));
    let (first, end) = (first_id(day), first_id(day + chrono::Days::new(1)));
    // Attached, since a table that is made as a partition locks those who write.
    execute(
        tx,
        &format!("CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION)"),
    )
    .await?;
    execute(tx, &format!("ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')")).await
}

/// Partition of a table, with the ids from `first` to before `end`; without one it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partition {
    name: String,
    first: Option<Uuid>,
    end: Option<Uuid>,
}

impl Partition {
    fn has(&self, id: Uuid) -> bool {
        self.first.is_none_or(|first| first <= id) && self.end.is_none_or(|end| id < end)
    }

    fn of(row: &QueryResult) -> Result<Self> {
        let bounds: String = row.try_get("", "bounds")?;
        let (first, end) = ends(&bounds)
            .ok_or_else(|| Error::Internal(format!("a partition has bounds that are not known: {bounds}")))?;
        Ok(Self { name: row.try_get("", "name")?, first, end })
    }
}

/// Reads the ends in `FOR VALUES FROM ('…') TO ('…')`, either of which may be open.
fn ends(bounds: &str) -> Option<(Option<Uuid>, Option<Uuid>)> {
    let (first, end) = bounds.strip_prefix("FOR VALUES FROM (")?.strip_suffix(')')?.split_once(") TO (")?;
    let end_of = |text: &str, open: &str| {
        if text == open { Some(None) } else { text.trim_matches('\'').parse().ok().map(Some) }
    };
    Some((end_of(first, "MINVALUE")?, end_of(end, "MAXVALUE")?))
}

async fn partitions(db: &impl ConnectionTrait, table: &str) -> Result<Vec<Partition>> {
    let sql = format!(
        "SELECT CAST(c.relname AS TEXT) AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds FROM pg_inherits i \
         JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{table}'::regclass"
    );
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let mut partitions = rows.iter().map(Partition::of).collect::<Result<Vec<_>>>()?;
    partitions.sort_unstable_by_key(|partition| partition.first);
    Ok(partitions)
}

/// Drops the days that are over at `before` and of which nothing is needed any more: no delivery is pending, none has ended
/// since `ended`, and no delivery of another day needs an event. Returns the number of partitions, 0 on SQLite. Those that
/// are in use are left for the next time.
///
/// # Errors
/// When the database fails.
pub async fn drop_days(store: &Store, before: Time, ended: Time) -> Result<u64> {
    if store.is_embedded() {
        return Ok(0);
    }
    let mut dropped = 0;
    for table in ["delivery", "event"] {
        for partition in partitions(store.reader(), table).await? {
            let Some(end) = partition.end.filter(|end| *end <= first_id(before)) else { break };
            let gone = match table {
                "delivery" => drop_deliveries(store, &partition, end, ended).await,
                _ => detach(store, &[("event", &partition.name)], &needed_events(&partition, end)).await,
            };
            match gone {
                Ok(gone) => dropped += u64::from(gone),
                // In use, or too long to read within the deadline of a statement.
                Err(Error::Storage(StorageFault::Contended | StorageFault::Slow)) => break,
                Err(error) => return Err(error),
            }
        }
    }
    drop_detached(store).await?;
    Ok(dropped)
}

/// Drops the tables that are detached, those of a process that was killed before it came to it as well.
async fn drop_detached(store: &Store) -> Result<()> {
    let sql = "SELECT CAST(relname AS TEXT) AS name FROM pg_class WHERE relnamespace = CAST(CURRENT_SCHEMA AS REGNAMESPACE) \
         AND relkind = 'r' AND NOT relispartition AND relname ~ '^(event|delivery|attempt)_([0-9]{8}|first)$'";
    for row in store.writer().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await? {
        let name: String = row.try_get("", "name")?;
        store.writer().execute_unprepared(&format!("DROP TABLE IF EXISTS {name}")).await?;
    }
    Ok(())
}

async fn drop_deliveries(store: &Store, day: &Partition, end: Uuid, ended: Time) -> Result<bool> {
    let attempts = partitions(store.reader(), "attempt").await?;
    let Some(attempts) = attempts.into_iter().find(|attempts| (attempts.first, attempts.end) == (day.first, day.end))
    else {
        return Ok(false);
    };
    let first = day.first.unwrap_or_default();
    let pending = format!(
        "EXISTS (SELECT 1 FROM delivery_progress WHERE state = 'pending' AND delivery_id >= '{first}' \
         AND delivery_id < '{end}') OR EXISTS (SELECT 1 FROM destination t WHERE t.due_at IS NOT NULL AND EXISTS \
         (SELECT 1 FROM {} d WHERE d.destination_id = t.id AND d.seq > t.cursor))",
        day.name
    );
    // Reads a whole day, so nothing is locked meanwhile. What ends after it was pending before it.
    let ended_late = format!(
        "SELECT {pending} OR EXISTS (SELECT 1 FROM {} WHERE created_at >= $1) OR EXISTS (SELECT 1 FROM delivery_progress \
         WHERE delivery_id >= '{first}' AND delivery_id < '{end}' AND completed_at >= $1) AS needed",
        attempts.name
    );
    if is_needed(store.reader(), &ended_late, vec![ended.into()]).await? {
        return Ok(false);
    }
    detach(store, &[("attempt", &attempts.name), ("delivery", &day.name)], &format!("SELECT {pending} AS needed")).await
}

fn needed_events(day: &Partition, end: Uuid) -> String {
    let first = day.first.unwrap_or_default();
    format!("SELECT EXISTS (SELECT 1 FROM delivery WHERE event_id >= '{first}' AND event_id < '{end}') AS needed")
}

/// Detaches tables unless they are needed. Whoever writes waits only as long as the question takes, not while the files are
/// removed.
async fn detach(store: &Store, tables: &[(&str, &str)], needed: &str) -> Result<bool> {
    let tx = store.begin().await?;
    execute(&tx, LOCK_TIMEOUT).await?;
    execute(&tx, ONE_AT_A_TIME).await?;
    for (table, partition) in tables {
        if !partitions(&tx, table).await?.iter().any(|attached| attached.name == *partition) {
            return Ok(false);
        }
        execute(&tx, &format!("ALTER TABLE {table} DETACH PARTITION {partition}")).await?;
    }
    if is_needed(&tx, needed, Vec::new()).await? {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

async fn is_needed(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<bool> {
    let row = db.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    row.map_or(Ok(true), |row| Ok(row.try_get("", "needed")?))
}

async fn execute(tx: &Tx, sql: &str) -> Result<()> {
    tx.execute_unprepared(sql).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_has_what_is_within_its_bounds() {
        let (first, end) = ("019adf5a-0000-0000-0000-000000000000", "019ae480-5c00-0000-0000-000000000000");
        let id = |text: &str| Some(text.parse::<Uuid>().unwrap());
        assert_eq!(ends(&format!("FOR VALUES FROM ('{first}') TO ('{end}')")), Some((id(first), id(end))));
        assert_eq!(ends(&format!("FOR VALUES FROM (MINVALUE) TO ('{end}')")), Some((None, id(end))));
        assert_eq!(ends("FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"), Some((None, None)));
        assert_eq!((ends("DEFAULT"), ends("FOR VALUES FROM ('a') TO ('b')")), (None, None));
        let day = Partition { name: "event_20261202".to_owned(), first: id(first), end: id(end) };
        assert!(day.has(id(first).unwrap()) && !day.has(id(end).unwrap()) && !day.has(Uuid::nil()));
    }

    #[test]
    fn a_day_begins_at_midnight() {
        for (time, day) in
            [(1_764_720_000_000, 1_764_720_000_000), (1_764_806_399_999, 1_764_720_000_000), (-1, -DAY_MS)]
        {
            let at = |millis| Time::from_timestamp_millis(millis).unwrap();
            assert_eq!(day_of(at(time)), at(day));
        }
    }
}
