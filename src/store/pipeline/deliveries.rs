//! Deliveries and their attempts.

pub(in crate::store::pipeline) mod arrays;
mod due;
mod search;
mod statistics;

use std::time::Duration;

use ::entity::{
    attempt::{self, Entity as Attempts},
    delivery::{ActiveModel, Column, Entity as Deliveries, Model as Row},
};
pub use due::{ASIDE, Due, due, due_first};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    Statement, Value,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{DeliveryId, DestinationId, IntegrationId, OrganisationId, RouteId},
        pipeline::delivery::{Attempt, Content, Delivery, DeliveryState},
        search::Period,
    },
    store::{
        Tx, corrupt,
        kernel::{batches, placeholders},
    },
};

pub use search::{Filter, NamedDelivery, find_named, list};
pub use statistics::{Hour, statistics};

/// Inserts deliveries.
///
/// # Errors
/// When the database fails.
pub async fn insert_many(tx: &Tx, deliveries: &[Delivery]) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        return batches::write(tx, deliveries, arrays::insert).await;
    }
    for run in batches::runs(deliveries) {
        Deliveries::insert_many(run.iter().map(row)).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Inserts attempts.
///
/// # Errors
/// When the database fails.
pub async fn insert_attempts(tx: &Tx, attempts: &[&Attempt]) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        return batches::write(tx, attempts, arrays::insert_attempts).await;
    }
    for run in batches::runs(attempts) {
        Attempts::insert_many(run.iter().copied().map(attempt_row)).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Marks deliveries as delivered by one more attempt, all in one statement.
///
/// # Errors
/// When the database fails.
pub async fn mark_delivered(tx: &Tx, ids: &[(OrganisationId, DeliveryId)], now: Time) -> Result<()> {
    batches::write(tx, ids, |ids, values| delivered(ids, now, values)).await
}

/// Returns the statement that marks deliveries as delivered. Its values are added.
pub(in crate::store::pipeline) fn delivered(
    delivered: &[(OrganisationId, DeliveryId)],
    now: Time,
    values: &mut Vec<Value>,
) -> String {
    let delivered = batches::filled_rows(delivered);
    values.push(now.into());
    let first = values.len();
    values.extend(delivered.iter().flat_map(|(organisation_id, id)| [organisation_id.0.into(), id.0.into()]));
    format!(
        "WITH v (organisation_id, id) AS (VALUES {rows}) \
         UPDATE delivery SET state = 'delivered', reason = NULL, attempts = delivery.attempts + 1, \
         next_attempt_at = NULL, completed_at = ${first} FROM v \
         WHERE delivery.organisation_id = v.organisation_id AND delivery.id = v.id",
        rows = placeholders::rows(first, delivered.len(), 2),
    )
}

/// Saves the new states of deliveries.
///
/// # Errors
/// When the database fails.
pub async fn update_many(tx: &Tx, deliveries: &[&Delivery]) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        return batches::write(tx, deliveries, arrays::update).await;
    }
    for delivery in deliveries {
        update(tx, delivery).await?;
    }
    Ok(())
}

async fn update(tx: &Tx, delivery: &Delivery) -> Result<()> {
    let row = ActiveModel {
        state: Set(delivery.state.as_str().to_owned()),
        reason: Set(delivery.reason.clone()),
        attempts: Set(delivery.attempts),
        next_attempt_at: Set(delivery.next_attempt_at),
        completed_at: Set(delivery.completed_at),
        aside_at: Set(delivery.aside_at),
        ..Default::default()
    };
    Deliveries::update_many().set(row).filter(is(delivery.organisation_id, delivery.id)).exec(tx).await?;
    Ok(())
}

/// Ends every pending delivery of a destination in `state`, with a reason.
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
    let ended = Deliveries::update_many()
        .col_expr(Column::State, Expr::value(state.as_str()))
        .col_expr(Column::Reason, Expr::value(reason))
        .col_expr(Column::NextAttemptAt, Expr::value(None::<Time>))
        .col_expr(Column::CompletedAt, Expr::value(now))
        .filter(Column::DestinationId.eq(destination_id.0))
        .filter(Column::State.eq(DeliveryState::Pending.as_str()))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}

/// Makes a finished delivery pending again, with this content. Returns false where it was pending already.
///
/// # Errors
/// When the database fails.
pub async fn replay(
    tx: &Tx,
    (organisation_id, id): (OrganisationId, DeliveryId),
    content: Option<&Content>,
    now: Time,
) -> Result<bool> {
    let replayed = pending_again(now)
        .col_expr(Column::Content, Expr::value(content.map(Content::as_str)))
        .filter(is(organisation_id, id))
        .filter(Column::State.ne(DeliveryState::Pending.as_str()))
        .exec(tx)
        .await?;
    Ok(replayed.rows_affected == 1)
}

/// Makes every failed delivery of a destination and a period pending again. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn replay_failed(tx: &Tx, destination_id: DestinationId, period: Period, now: Time) -> Result<u64> {
    Ok(pending_again(now).filter(failed(destination_id, period)).exec(tx).await?.rows_affected)
}

/// Counts the failed deliveries of a destination and a period.
///
/// # Errors
/// When the database fails.
pub async fn count_failed(db: &impl ConnectionTrait, destination_id: DestinationId, period: Period) -> Result<u64> {
    Ok(Deliveries::find().filter(failed(destination_id, period)).count(db).await?)
}

fn failed(destination_id: DestinationId, period: Period) -> Condition {
    Condition::all()
        .add(Column::DestinationId.eq(destination_id.0))
        .add(Column::State.eq(DeliveryState::Failed.as_str()))
        .add(Column::Id.gte(period.first()))
        .add(Column::Id.lt(period.end()))
}

/// Returns the update of a replay, with which the retry schedule begins anew.
fn pending_again(now: Time) -> sea_orm::UpdateMany<Deliveries> {
    Deliveries::update_many()
        .col_expr(Column::State, Expr::value(DeliveryState::Pending.as_str()))
        .col_expr(Column::Reason, Expr::value(None::<String>))
        .col_expr(Column::AttemptsBeforeReplay, Expr::col(Column::Attempts))
        .col_expr(Column::ReplayedAt, Expr::value(now))
        .col_expr(Column::AsideAt, Expr::value(None::<Time>))
        .col_expr(Column::NextAttemptAt, Expr::value(now))
        .col_expr(Column::CompletedAt, Expr::value(None::<Time>))
}

/// Finds a delivery by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: DeliveryId) -> Result<Delivery> {
    let row = Deliveries::find_by_id((organisation_id.0, id.0)).one(db).await?;
    delivery(row.ok_or_else(|| Error::not_found(Noun::Delivery, id))?)
}

fn is(organisation_id: OrganisationId, id: DeliveryId) -> Expr {
    Column::OrganisationId.eq(organisation_id.0).and(Column::Id.eq(id.0))
}

/// Lists the attempts of a delivery, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn attempts(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: DeliveryId,
) -> Result<Vec<Attempt>> {
    Attempts::find()
        .filter(attempt::Column::OrganisationId.eq(organisation_id.0))
        .filter(attempt::Column::DeliveryId.eq(id.0))
        .order_by_asc(attempt::Column::Id)
        .all(db)
        .await?
        .into_iter()
        .map(attempt)
        .collect()
}

/// Counts the pending deliveries of all organisations, for the metrics.
///
/// # Errors
/// When the database fails.
pub async fn count_pending(db: &impl ConnectionTrait) -> Result<u64> {
    let backend = db.get_database_backend();
    let sql = "SELECT COUNT(*) AS waiting FROM delivery WHERE state = 'pending'";
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    let waiting: i64 = row.map(|row| row.try_get("", "waiting")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(waiting).unwrap_or_default())
}

fn row(delivery: &Delivery) -> ActiveModel {
    ActiveModel {
        id: Set(delivery.id.0),
        organisation_id: Set(delivery.organisation_id.0),
        event_id: Set(delivery.event_id.0),
        destination_id: Set(delivery.destination_id.0),
        route_id: Set(delivery.route_id.map(|id| id.0)),
        state: Set(delivery.state.as_str().to_owned()),
        reason: Set(delivery.reason.clone()),
        content: Set(delivery.content.as_ref().map(|content| content.as_str().to_owned())),
        attempts: Set(delivery.attempts),
        attempts_before_replay: Set(delivery.attempts_before_replay),
        replayed_at: Set(delivery.replayed_at),
        next_attempt_at: Set(delivery.next_attempt_at),
        completed_at: Set(delivery.completed_at),
        created_at: Set(delivery.created_at),
        aside_at: Set(delivery.aside_at),
    }
}

fn delivery(row: Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        event_id: row.event_id.into(),
        destination_id: row.destination_id.into(),
        route_id: row.route_id.map(RouteId),
        state: row.state.parse().map_err(|error| corrupt("delivery", "state", error))?,
        reason: row.reason,
        content: row.content.map(Content::stored),
        attempts: row.attempts,
        attempts_before_replay: row.attempts_before_replay,
        replayed_at: row.replayed_at,
        next_attempt_at: row.next_attempt_at,
        aside_at: row.aside_at,
        completed_at: row.completed_at,
        created_at: row.created_at,
    })
}

fn attempt_row(attempt: &Attempt) -> attempt::ActiveModel {
    attempt::ActiveModel {
        id: Set(attempt.id.0),
        organisation_id: Set(attempt.organisation_id.0),
        delivery_id: Set(attempt.delivery_id.0),
        number: Set(attempt.number),
        address: Set(attempt.address.clone()),
        outcome: Set(attempt.outcome.as_str().to_owned()),
        status_code: Set(attempt.status_code.map(i32::from)),
        reason: Set(attempt.reason.clone()),
        request: Set(attempt.request.clone()),
        answer: Set(attempt.answer.clone()),
        detail: Set(attempt.detail.as_ref().map(ToString::to_string)),
        history_of: Set(attempt.history_of.map(|id| id.0)),
        duration_ms: Set(milliseconds(attempt.duration)),
        created_at: Set(attempt.created_at),
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(in crate::store) fn attempt(row: attempt::Model) -> Result<Attempt> {
    let detail = row.detail.as_deref().map(serde_json::from_str).transpose();
    Ok(Attempt {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        delivery_id: row.delivery_id.into(),
        number: row.number,
        address: row.address,
        outcome: row.outcome.parse().map_err(|error| corrupt("attempt", "outcome", error))?,
        status_code: row.status_code.and_then(|code| u16::try_from(code).ok()),
        reason: row.reason,
        request: row.request,
        answer: row.answer,
        detail: detail.map_err(|error| corrupt("attempt", "detail", error))?,
        history_of: row.history_of.map(IntegrationId),
        duration: Duration::from_millis(u64::try_from(row.duration_ms).unwrap_or_default()),
        created_at: row.created_at,
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::QueryTrait;
    use uuid::Uuid;

    use super::*;
    use crate::store::kernel::plan;

    #[tokio::test]
    async fn hot_statements_look_up_by_organisation_and_id() {
        let db = plan::migrated().await;
        let one = (OrganisationId(Uuid::from_u128(1)), DeliveryId(Uuid::from_u128(2)));
        let ids = [DestinationId(Uuid::from_u128(3))];
        let mut values = Vec::new();
        let marked = delivered(&[one; 3], Time::UNIX_EPOCH, &mut values);
        let marked = Statement::from_sql_and_values(DbBackend::Sqlite, marked, values);
        let ended = Deliveries::delete_many().filter(is(one.0, one.1)).build(DbBackend::Sqlite);
        let due = due::statement(DbBackend::Sqlite, &ids, &[("", "id", 1)], "d.id", Time::UNIX_EPOCH);
        for (statement, table) in [(marked, "delivery"), (ended, "delivery"), (due, "e")] {
            let steps = plan::steps(&db, statement).await;
            let looks_up = |step: &String| {
                step.starts_with(&format!("SEARCH {table} USING INDEX "))
                    && step.ends_with("(organisation_id=? AND id=?)")
            };
            assert!(steps.iter().any(looks_up), "{steps:?}");
        }
    }
}
