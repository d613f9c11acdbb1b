//! Numbers about the destinations of all organisations, for metrics and checks.
//!
//! Not here: lists of them (`overview`).

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::overview::Unhealthy;
use crate::domain::{Result, ambient::Time};

/// Returns the earliest time at which a destination is due; that of a lease is its end.
///
/// # Errors
/// When the database fails.
pub async fn earliest_due(db: &impl ConnectionTrait) -> Result<Option<Time>> {
    #[derive(FromQueryResult)]
    struct Due {
        due_at: Option<Time>,
    }
    // A subquery for each class, since the index begins with it.
    let sql = "SELECT due_at FROM (SELECT MIN(due_at) AS due_at FROM destination WHERE slow = FALSE AND due_at IS NOT NULL \
         UNION ALL SELECT MIN(due_at) FROM destination WHERE slow = TRUE AND due_at IS NOT NULL) AS d \
         WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1";
    let found = Due::find_by_statement(Statement::from_string(db.get_database_backend(), sql)).one(db).await?;
    Ok(found.and_then(|due| due.due_at))
}

/// Counts the destinations that are failing, and those that are disabled.
///
/// # Errors
/// When the database fails.
pub async fn count_unhealthy(db: &impl ConnectionTrait) -> Result<(u64, u64)> {
    #[derive(FromQueryResult)]
    struct Row {
        health: String,
        destinations: i64,
    }
    // The condition is that of the partial index.
    let sql = "SELECT health, COUNT(*) AS destinations FROM destination WHERE health <> 'healthy' GROUP BY health";
    let rows = Row::find_by_statement(Statement::from_string(db.get_database_backend(), sql)).all(db).await?;
    let of = |health: Unhealthy| {
        rows.iter()
            .find(|row| row.health == health.as_str())
            .map_or(0, |row| u64::try_from(row.destinations).unwrap_or_default())
    };
    Ok((of(Unhealthy::Failing), of(Unhealthy::Disabled)))
}
