//! Removal of old rows, in slices, so that no statement holds the database for long.

use sea_orm::{ConnectionTrait, Statement};

use crate::domain::{Result, ambient::Time};

/// Maximum number of rows that one statement removes.
const SLICE: u32 = 1000;

/// Removes up to a slice of the deliveries that ended before `before`, their attempts first. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_deliveries(db: &impl ConnectionTrait, before: Time) -> Result<u64> {
    remove(db, before, |at| format!("state <> 'pending' AND completed_at < {at}")).await
}

/// Removes up to a slice of the orphaned deliveries from before `before`: their destination was removed with its
/// organisation. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_orphans(db: &impl ConnectionTrait, before: Time) -> Result<u64> {
    let orphans = |at| {
        format!(
            "state = 'pending' AND created_at < {at} \
             AND NOT EXISTS (SELECT 1 FROM destination WHERE destination.id = delivery.destination_id)"
        )
    };
    remove(db, before, orphans).await
}

async fn remove(db: &impl ConnectionTrait, before: Time, which: impl Fn(String) -> String) -> Result<u64> {
    let backend = db.get_database_backend();
    let which = which(crate::store::kernel::placeholders::one(backend, 0));
    let old = format!("SELECT id FROM delivery WHERE {which} ORDER BY id LIMIT {SLICE}");
    let attempts = format!("DELETE FROM attempt WHERE delivery_id IN ({old})");
    db.execute_raw(Statement::from_sql_and_values(backend, attempts, [before.into()])).await?;
    let deliveries = format!("DELETE FROM delivery WHERE id IN ({old})");
    let done = db.execute_raw(Statement::from_sql_and_values(backend, deliveries, [before.into()])).await?;
    Ok(done.rows_affected())
}

/// Removes up to a slice of the events from before `before` that no delivery needs any more.
///
/// # Errors
/// When the database fails.
pub async fn remove_events(db: &impl ConnectionTrait, before: Time) -> Result<u64> {
    let backend = db.get_database_backend();
    let at = crate::store::kernel::placeholders::one(backend, 0);
    let sql = format!(
        "DELETE FROM event WHERE id IN (SELECT e.id FROM event e WHERE e.created_at < {at} \
         AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event_id = e.id) ORDER BY e.id LIMIT {SLICE})"
    );
    let done = db.execute_raw(Statement::from_sql_and_values(backend, sql, [before.into()])).await?;
    Ok(done.rows_affected())
}
