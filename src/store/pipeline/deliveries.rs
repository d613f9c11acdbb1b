//! Deliveries and their attempts. A delivery is written once; [`derived`] has its state, and [`progress`] what changes.

pub(in crate::store::pipeline) mod arrays;
mod derived;
mod due;
pub(in crate::store::pipeline) mod pending;
mod progress;
mod search;
mod statistics;

use std::time::Duration;

use ::entity::{
    attempt::{self, Entity as Attempts},
    delivery::{ActiveModel, Entity as Deliveries},
    large_text::LargeText,
};
use derived::{Row as Derived, delivery};
#[cfg(test)]
pub use due::sample;
pub use due::{Due, Loaded, due, due_first, queued};
pub use progress::{count_failed, end_pending, replay, replay_failed, save};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    Statement,
};

use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{DeliveryId, IntegrationId, OrganisationId},
        pipeline::delivery::{Attempt, Delivery},
    },
    store::{Tx, corrupt, kernel::batches},
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

/// Finds a delivery by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: DeliveryId) -> Result<Delivery> {
    let backend = db.get_database_backend();
    let columns = derived::columns(backend).chain([("content", derived::CONTENT.to_owned())]);
    let columns = columns.map(|(name, expression)| format!("{expression} AS {name}")).collect::<Vec<_>>().join(", ");
    let sql =
        format!("SELECT {columns} FROM {} WHERE delivery.organisation_id = $1 AND delivery.id = $2", derived::SOURCE);
    let statement = Statement::from_sql_and_values(backend, sql, [organisation_id.0.into(), id.0.into()]);
    let row = Derived::find_by_statement(statement).one(db).await?;
    delivery(row.ok_or_else(|| Error::not_found(Noun::Delivery, id))?)
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

/// Counts the pending deliveries of all organisations, for the metrics: by the lengths of the queues, which count what is
/// sent until a cursor has passed it.
///
/// # Errors
/// When the database fails.
pub async fn count_pending(db: &impl ConnectionTrait) -> Result<u64> {
    // What is pending has a destination that is due.
    let sql = "SELECT CAST((SELECT COALESCE(SUM(last_seq - cursor), 0) FROM destination WHERE due_at IS NOT NULL) \
         + (SELECT COUNT(*) FROM delivery_progress WHERE state = 'pending') AS BIGINT) AS waiting";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
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
        completed_at: Set(delivery.completed_at),
        created_at: Set(delivery.created_at),
        seq: Set(delivery.seq),
    }
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
        request: Set(LargeText(attempt.request.clone())),
        answer: Set(attempt.answer.clone().map(LargeText)),
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
        request: row.request.0,
        answer: row.answer.map(|answer| answer.0),
        detail: detail.map_err(|error| corrupt("attempt", "detail", error))?,
        history_of: row.history_of.map(IntegrationId),
        duration: Duration::from_millis(u64::try_from(row.duration_ms).unwrap_or_default()),
        created_at: row.created_at,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        domain::{ambient::Time, ids::DestinationId},
        store::{kernel::plan, pipeline::destinations::Position},
    };

    #[tokio::test]
    async fn hot_statements_look_up_by_organisation_and_id() {
        let db = plan::migrated().await;
        let queues = [Position { id: DestinationId(Uuid::from_u128(3)), cursor: 7, last_seq: 9 }];
        let steps = plan::steps(
            &db,
            due::statement(DbBackend::Sqlite, &queues, &due::IN_ORDER, 1, (Time::UNIX_EPOCH, Uuid::nil())),
        )
        .await;
        let looks_up = |table: &str, key: &str| {
            let is = |step: &String| step.starts_with(&format!("SEARCH {table} USING ")) && step.ends_with(key);
            assert!(steps.iter().any(is), "{table} by {key}: {steps:?}");
        };
        looks_up("event", "(organisation_id=? AND id=?)");
        // The queue, and the progress of what waits for a retry with its delivery.
        looks_up("d", "(destination_id=? AND seq>? AND seq<?)");
        looks_up("p", "(destination_id=?)");
        looks_up("d", "(organisation_id=? AND id=?)");
    }
}
