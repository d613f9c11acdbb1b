//! Workers that live, by their heartbeats; and the end of the leases of those that do not. On PostgreSQL, whose clock all
//! of them share: the embedded database has one process.

use std::time::Duration;

use ::entity::destination::{Column, Entity as Destinations};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement, Value, sea_query::Expr};
use uuid::Uuid;

use super::destinations::locked;
use crate::{
    domain::{Result, ambient::Time},
    store::Tx,
};

/// Writes the heartbeat of a worker.
///
/// # Errors
/// When the database fails.
pub async fn beat(db: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    let sql = "INSERT INTO worker (id, seen_at) VALUES ($1, STATEMENT_TIMESTAMP()) \
         ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at";
    db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()])).await?;
    Ok(())
}

/// Removes the workers without a heartbeat for this long, and ends their leases: what they held is due now. Returns the
/// number of their destinations.
///
/// # Errors
/// When the database fails.
pub async fn remove_silent(tx: &Tx, silence: Duration, now: Time) -> Result<u64> {
    let sql = "DELETE FROM worker WHERE seen_at < STATEMENT_TIMESTAMP() - make_interval(secs => $1) RETURNING id";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [silence.as_secs_f64().into()]);
    let rows = tx.query_all_raw(statement).await?;
    let silent = rows.iter().map(|row| row.try_get("", "id")).collect::<Result<Vec<Uuid>, _>>()?;
    if silent.is_empty() {
        return Ok(0);
    }
    let ended = Destinations::update_many()
        .col_expr(Column::DueAt, Expr::value(now))
        .col_expr(Column::LeaseOwner, Expr::value(Value::Uuid(None)))
        .filter(Column::Id.in_subquery(locked(tx, Column::LeaseOwner.is_in(silent))))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}
