//! Timer queue of interval apps.
//!
//! Not here: the computation of the next tick (`domain::apps::schedule`).

use ::entity::tick::{ActiveModel, Column, Entity as Ticks};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType, OnConflict},
};

use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::{InstallationId, OrganisationId},
    },
    store::{Tx, kernel::batches},
};

/// Next tick of an installation; `None` means never.
#[derive(Clone, Copy, Debug)]
pub struct NextTick {
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The installation.
    pub installation_id: InstallationId,
    /// Time of the tick.
    pub due_at: Option<Time>,
}

/// Sets the next ticks of some installations.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &Tx, ticks: &[NextTick]) -> Result<()> {
    let never: Vec<_> = ticks.iter().filter(|tick| tick.due_at.is_none()).map(|tick| tick.installation_id.0).collect();
    if !never.is_empty() {
        let never = Column::InstallationId.is_in(batches::filled(never));
        Ticks::delete_many().filter(never).exec(tx).await?;
    }
    let row = |tick: &NextTick| {
        Some(ActiveModel {
            installation_id: Set(tick.installation_id.0),
            organisation_id: Set(tick.organisation_id.0),
            due_at: Set(tick.due_at?),
        })
    };
    let rows: Vec<ActiveModel> = ticks.iter().filter_map(row).collect();
    for run in batches::runs(&rows) {
        let there = OnConflict::column(Column::InstallationId).update_column(Column::DueAt).to_owned();
        Ticks::insert_many(run.to_vec()).on_conflict(there).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Claims the due ticks, oldest due first. The rows stay locked until the transaction ends; setting the next time
/// within it makes each tick fire once.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx, now: Time, limit: u64) -> Result<Vec<(InstallationId, Time)>> {
    let mut query = Ticks::find().filter(Column::DueAt.lte(now)).order_by_asc(Column::DueAt).limit(limit);
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let rows = query.all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.installation_id.into(), row.due_at)).collect())
}
