//! Stored times after the clock was set back. Not here: the detection, which is the worker's.
//!
//! A time that was stored by the former clock may be an hour away by the present one. Rows that would be due by now, or
//! soon, become due; longer pauses stay. Doing it twice, or in several processes, does no more.

use ::entity::{
    delivery_progress,
    destination::{Column, Entity as Destinations},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::claims::locked;
use crate::{
    domain::{Result, ambient::Time, pipeline::delivery::DeliveryState},
    store::Tx,
};

/// Returns the time of the last attempt at any destination.
///
/// # Errors
/// When the database fails.
pub async fn latest_try(db: &impl ConnectionTrait) -> Result<Option<Time>> {
    let latest: Option<Option<Time>> =
        Destinations::find().select_only().column_as(Column::LastSentAt.max(), "at").into_tuple().one(db).await?;
    Ok(latest.flatten())
}

/// Makes due at `now` the rows that the former clock had due by `until`, and ends the leases of `owner` no later than
/// `lease_until`; `None` where the former clock was not theirs.
///
/// # Errors
/// When the database fails.
pub async fn set_back(tx: &Tx, owner: Uuid, (now, until): (Time, Time), lease_until: Option<Time>) -> Result<()> {
    let paused = Column::LeaseOwner.is_null().and(Column::DueAt.gt(now)).and(Column::DueAt.lte(until));
    Destinations::update_many()
        .col_expr(Column::DueAt, Expr::value(now))
        .col_expr(Column::NotBefore, Expr::value(None::<Time>))
        .filter(Column::Id.in_subquery(locked(tx, paused)))
        .exec(tx)
        .await?;
    set_back_retries(tx, (now, until)).await?;
    let Some(lease_until) = lease_until else { return Ok(()) };
    let held = Column::LeaseOwner.eq(owner).and(Column::DueAt.gt(lease_until));
    Destinations::update_many()
        .col_expr(Column::DueAt, Expr::value(lease_until))
        .filter(Column::Id.in_subquery(locked(tx, held)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes the retries due at `now` that the former clock had due by `until`.
async fn set_back_retries(tx: &Tx, (now, until): (Time, Time)) -> Result<()> {
    let waiting = Destinations::find().select_only().column(Column::Id).filter(Column::DueAt.is_not_null());
    delivery_progress::Entity::update_many()
        .col_expr(delivery_progress::Column::NextAttemptAt, Expr::value(now))
        .filter(delivery_progress::Column::DestinationId.in_subquery(waiting.into_query()))
        .filter(delivery_progress::Column::State.eq(DeliveryState::Pending.as_str()))
        .filter(delivery_progress::Column::NextAttemptAt.gt(now))
        .filter(delivery_progress::Column::NextAttemptAt.lte(until))
        .exec(tx)
        .await?;
    Ok(())
}
