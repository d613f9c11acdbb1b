//! Progress of deliveries that the cursor of their queue cannot tell: retries, ends without success, replays.
//!
//! Whoever changes it holds the lock of the destination's row, or its lease: see [`super::super::destinations::lock`]. The
//! first one of a delivery comes with a cursor that has passed it: what waits in a queue has none.

use ::entity::delivery_progress::{ActiveModel, Column, Entity as Progress};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Statement, Value,
    sea_query::{Expr, OnConflict},
};

use super::{arrays, derived};
use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::{DeliveryId, DestinationId, OrganisationId},
        pipeline::delivery::{Content, Delivery, DeliveryState},
        search::Period,
    },
    store::{
        Tx,
        kernel::{batches, placeholders},
        pipeline::destinations,
    },
};

/// Columns of a row.
const COLUMNS: &str = "organisation_id, delivery_id, destination_id, state, reason, content, attempts, \
     attempts_before_replay, replayed_at, next_attempt_at, aside_at, completed_at";

/// Columns that a later row of the same delivery sets.
pub(super) const SET: [Column; 6] =
    [Column::State, Column::Reason, Column::Attempts, Column::NextAttemptAt, Column::AsideAt, Column::CompletedAt];

/// Saves the states of deliveries.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, deliveries: &[&Delivery]) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        return batches::write(tx, deliveries, arrays::save).await;
    }
    for run in batches::runs(deliveries) {
        let key = OnConflict::columns([Column::OrganisationId, Column::DeliveryId]).update_columns(SET).to_owned();
        Progress::insert_many(run.iter().copied().map(row)).on_conflict(key).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn row(delivery: &Delivery) -> ActiveModel {
    ActiveModel {
        organisation_id: Set(delivery.organisation_id.0),
        delivery_id: Set(delivery.id.0),
        destination_id: Set(delivery.destination_id.0),
        state: Set(delivery.state.as_str().to_owned()),
        reason: Set(delivery.reason.clone()),
        // That of the delivery itself counts until a replay.
        content: Set(None),
        attempts: Set(delivery.attempts),
        attempts_before_replay: Set(0),
        replayed_at: Set(None),
        next_attempt_at: Set(delivery.next_attempt_at),
        aside_at: Set(delivery.aside_at),
        completed_at: Set(delivery.completed_at),
    }
}

/// Ends every pending delivery of a destination in `state`, with a reason. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn end_pending(
    tx: &Tx,
    destination_id: DestinationId,
    state: DeliveryState,
    reason: &str,
    now: Time,
) -> Result<u64> {
    destinations::lock(tx, &[destination_id]).await?;
    let parked = Progress::update_many()
        .col_expr(Column::State, Expr::value(state.as_str()))
        .col_expr(Column::Reason, Expr::value(reason))
        .col_expr(Column::NextAttemptAt, Expr::value(None::<Time>))
        .col_expr(Column::CompletedAt, Expr::value(now))
        .filter(Column::DestinationId.eq(destination_id.0))
        .filter(Column::State.eq(DeliveryState::Pending.as_str()))
        .exec(tx)
        .await?;
    let backend = tx.get_database_backend();
    let sql = format!(
        "INSERT INTO delivery_progress (organisation_id, delivery_id, destination_id, state, reason, attempts, \
         attempts_before_replay, completed_at) SELECT delivery.organisation_id, delivery.id, delivery.destination_id, \
         CAST($1 AS TEXT), CAST($2 AS TEXT), 0, 0, CAST($3 AS {time}) FROM {source} \
         WHERE delivery.destination_id = $4 AND {QUEUED}",
        source = derived::SOURCE,
        time = time(backend),
    );
    let values: [Value; 4] = [state.as_str().into(), reason.into(), now.into(), destination_id.0.into()];
    let queued = tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    let through = format!("UPDATE destination SET cursor = last_seq WHERE id = {}", placeholders::one(backend, 0));
    tx.execute_raw(Statement::from_sql_and_values(backend, through, [destination_id.0.into()])).await?;
    Ok(parked.rows_affected + queued.rows_affected())
}

/// Condition that a delivery of [`derived::SOURCE`] waits in its queue. Within the transaction of a record, what it has
/// saved is not behind the cursor yet.
pub(super) const QUEUED: &str = "delivery.seq > destination.cursor AND delivery_progress.state IS NULL";

/// Makes a finished delivery pending again, with this content. Returns false where it was pending already. The caller has
/// locked the destination.
///
/// # Errors
/// When the database fails.
pub async fn replay(
    tx: &Tx,
    (organisation_id, id): (OrganisationId, DeliveryId),
    content: Option<&Content>,
    now: Time,
) -> Result<bool> {
    let values = [content.map(Content::as_str).into(), organisation_id.0.into(), id.0.into()];
    let one = format!("delivery.organisation_id = $3 AND delivery.id = $4 AND {} <> 'pending'", derived::STATE);
    Ok(pending_again(tx, now, "CAST($2 AS TEXT)", (&one, values)).await? == 1)
}

/// Makes every failed delivery of a destination and a period pending again. Returns their number. The caller has locked
/// the destination.
///
/// # Errors
/// When the database fails.
pub async fn replay_failed(tx: &Tx, destination_id: DestinationId, period: Period, now: Time) -> Result<u64> {
    let values = [destination_id.0.into(), period.first().into(), period.end().into()];
    let failed = |table: &str, id: &str| {
        format!("{table}.destination_id = $2 AND {table}.state = 'failed' AND {table}.{id} >= $3 AND {table}.{id} < $4")
    };
    let at_intake = format!("{} AND delivery_progress.state IS NULL", failed("delivery", "id"));
    let later = failed("delivery_progress", "delivery_id");
    // Those that failed later first: the others have failed at intake alone until they are pending again.
    let mut replayed = 0;
    for condition in [later, at_intake] {
        replayed += pending_again(tx, now, derived::CONTENT, (&condition, values.clone())).await?;
    }
    Ok(replayed)
}

/// Makes the deliveries of [`derived::SOURCE`] that meet a condition pending again, with a content; the retry schedule
/// begins anew. `$1` is the present time, and the values of the condition follow.
async fn pending_again<const N: usize>(
    tx: &Tx,
    now: Time,
    content: &str,
    (condition, values): (&str, [Value; N]),
) -> Result<u64> {
    let attempts = derived::columns(tx.get_database_backend()).find(|(name, _)| *name == "attempts");
    let attempts = attempts.map(|(_, expression)| expression).unwrap_or_default();
    let sql = format!(
        "INSERT INTO delivery_progress ({COLUMNS}) SELECT delivery.organisation_id, delivery.id, delivery.destination_id, \
         'pending', NULL, {content}, {attempts}, {attempts}, CAST($1 AS {time}), CAST($1 AS {time}), NULL, NULL \
         FROM {source} WHERE {condition} \
         ON CONFLICT (organisation_id, delivery_id) DO UPDATE SET state = 'pending', reason = NULL, \
         content = excluded.content, attempts_before_replay = excluded.attempts_before_replay, \
         replayed_at = excluded.replayed_at, next_attempt_at = excluded.next_attempt_at, aside_at = NULL, \
         completed_at = NULL",
        source = derived::SOURCE,
        time = time(tx.get_database_backend()),
    );
    let values = [now.into()].into_iter().chain(values).collect::<Vec<Value>>();
    Ok(tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?.rows_affected())
}

/// Type of a time: PostgreSQL does not see that of a selected parameter.
fn time(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Postgres { "TIMESTAMPTZ" } else { "TEXT" }
}

/// Counts the failed deliveries of a destination and a period.
///
/// # Errors
/// When the database fails.
pub async fn count_failed(db: &impl ConnectionTrait, destination_id: DestinationId, period: Period) -> Result<u64> {
    let later = Condition::all()
        .add(Column::DestinationId.eq(destination_id.0))
        .add(Column::State.eq(DeliveryState::Failed.as_str()))
        .add(Column::DeliveryId.gte(period.first()))
        .add(Column::DeliveryId.lt(period.end()));
    let later = Progress::find().filter(later).count(db).await?;
    let sql = format!(
        "SELECT COUNT(*) AS failed FROM {} WHERE delivery.destination_id = $1 AND delivery.state = 'failed' \
         AND delivery.id >= $2 AND delivery.id < $3 AND delivery_progress.state IS NULL",
        derived::SOURCE
    );
    let values: [Value; 3] = [destination_id.0.into(), period.first().into(), period.end().into()];
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let at_intake: i64 = row.map(|row| row.try_get("", "failed")).transpose()?.unwrap_or_default();
    Ok(later + u64::try_from(at_intake).unwrap_or_default())
}
