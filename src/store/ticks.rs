//! When integrations that tick are called next.

use ::entity::tick::{ActiveModel, Column, Entity as Ticks};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType, OnConflict},
};

use super::Tx;
use crate::domain::{
    Result,
    ambient::Time,
    ids::{InstallationId, OrganisationId},
};

/// Sets when an installation ticks next; `None` means never.
///
/// # Errors
/// When the database fails.
pub async fn set(
    tx: &Tx,
    organisation_id: OrganisationId,
    installation_id: InstallationId,
    due_at: Option<Time>,
) -> Result<()> {
    let Some(due_at) = due_at else {
        Ticks::delete_by_id(installation_id.0).exec(&tx.0).await?;
        return Ok(());
    };
    let row = ActiveModel {
        installation_id: Set(installation_id.0),
        organisation_id: Set(organisation_id.0),
        due_at: Set(due_at),
    };
    let there = OnConflict::column(Column::InstallationId).update_column(Column::DueAt).to_owned();
    Ticks::insert(row).on_conflict(there).exec_without_returning(&tx.0).await?;
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
    let rows = query.all(&tx.0).await?;
    Ok(rows.into_iter().map(|row| (row.installation_id.into(), row.due_at)).collect())
}
