//! Removal of old rows, in slices, so that no statement holds the database for long.
//!
//! Identifiers begin with the time at which they were made, and nothing ends before it begins. So what is older than a
//! moment is a range of the primary key, and a run reads what it removes, not what is stored.

use sea_orm::{ConnectionTrait, Statement};

use crate::domain::{Result, ambient::Time, search::first_id};

/// Maximum number of rows that one statement removes.
const SLICE: u32 = 1000;

/// Finished deliveries.
const FINISHED: &str = "state <> 'pending' AND completed_at < $1";

/// Pending deliveries whose destination was removed with its organisation.
const ORPHANED: &str = "state = 'pending' AND created_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM destination WHERE destination.id = delivery.destination_id)";

/// Events that no delivery needs any more.
const UNNEEDED: &str =
    "created_at < $1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = event.id)";

/// Removes up to a slice of the deliveries that ended before `before`, their attempts first. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_deliveries(db: &impl ConnectionTrait, before: Time) -> Result<u64> {
    remove_with_attempts(db, before, FINISHED).await
}

/// Removes up to a slice of the orphaned deliveries from before `before`: their destination was removed with its
/// organisation. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_orphans(db: &impl ConnectionTrait, before: Time) -> Result<u64> {
    remove_with_attempts(db, before, ORPHANED).await
}

/// Removes up to a slice of the events from before `before` that no delivery needs any more. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_events(db: &impl ConnectionTrait, before: Time) -> Result<u64> {
    run(db, before, &format!("DELETE FROM event WHERE id IN ({})", slice("event", UNNEEDED))).await
}

async fn remove_with_attempts(db: &impl ConnectionTrait, before: Time, which: &str) -> Result<u64> {
    let old = slice("delivery", which);
    run(db, before, &format!("DELETE FROM attempt WHERE delivery_id IN ({old})")).await?;
    run(db, before, &format!("DELETE FROM delivery WHERE id IN ({old})")).await
}

/// Returns the query of the oldest rows of a table to which `which` applies: `$1` is the moment, `$2` its first id.
fn slice(table: &str, which: &str) -> String {
    format!("SELECT id FROM {table} WHERE id < $2 AND {which} ORDER BY id LIMIT {SLICE}")
}

async fn run(db: &impl ConnectionTrait, before: Time, sql: &str) -> Result<u64> {
    let values = [before.into(), first_id(before).into()];
    let done = db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use migration::{Migrator, MigratorTrait};
    use sea_orm::{Database, DbBackend};

    use super::*;

    #[tokio::test]
    async fn only_what_is_old_is_read() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        Migrator::up(&db, None).await.unwrap();
        for (table, which) in [("delivery", FINISHED), ("delivery", ORPHANED), ("event", UNNEEDED)] {
            let plan = format!("EXPLAIN QUERY PLAN {}", slice(table, which));
            let plan = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, plan)).await.unwrap();
            let steps: Vec<String> = plan.iter().map(|step| step.try_get("", "detail").unwrap()).collect();
            assert!(steps[0].starts_with(&format!("SEARCH {table} USING ")), "{steps:?}");
            assert!(steps[0].ends_with("(id<?)"), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{steps:?}");
        }
    }
}
