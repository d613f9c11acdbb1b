//! When integrations that tick are called next.

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

/// When an installation ticks next; `None` means never.
#[derive(Clone, Copy, Debug)]
pub struct NextTick {
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Which one.
    pub installation_id: InstallationId,
    /// When.
    pub due_at: Option<Time>,
}

/// Sets when some installations tick next.
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

/// What is due, the longest waiting first. Nobody else gets the same until the transaction ends, and whoever sets the
/// next time in it makes each tick come once.
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
