//! Where versions are installed, and how often.

use ::entity::{
    bot_installation::{self, Column, Entity as Installations},
    bot_name::{Column as NameColumn, Entity as Names},
    bot_version::{Column as VersionColumn, Entity as Versions},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};

use uuid::Uuid;

use super::{super::Tx, names::lock_workspace};
use crate::domain::{
    Result,
    app_integration::{AppIntegration, FromRegistry},
    ids::IntegrationId,
};

/// Lets one at a time change the versions of the workspace that a version belongs to.
///
/// # Errors
/// When the database fails.
pub async fn lock_owner(tx: &Tx, id: IntegrationId) -> Result<()> {
    let owner = Versions::find_by_id(id.0).select_only().column(VersionColumn::OrganisationId);
    let owner: Option<Uuid> = owner.into_tuple().one(&tx.0).await?;
    match owner {
        Some(owner) => lock_workspace(tx, owner.into()).await,
        None => Ok(()),
    }
}

/// Notes that an integration was installed from a version, and counts it.
///
/// # Errors
/// When the database fails.
pub async fn insert_installation(tx: &Tx, app: &AppIntegration, from: &FromRegistry) -> Result<()> {
    let row = bot_installation::ActiveModel {
        integration_id: Set(app.id.0),
        bot_integration_id: Set(from.registry_id),
        organisation_id: Set(app.organisation_id.0),
    };
    Installations::insert(row).exec_without_returning(&tx.0).await?;
    count(tx, &from.name, 1).await
}

/// Counts one less. The note of it goes with what was installed.
///
/// # Errors
/// When the database fails.
pub async fn uncount_installation(tx: &Tx, from: &FromRegistry) -> Result<()> {
    count(tx, &from.name, -1).await
}

async fn count(tx: &Tx, name: &str, by: i64) -> Result<()> {
    Names::update_many()
        .col_expr(NameColumn::Installs, Expr::col(NameColumn::Installs).add(by))
        .filter(NameColumn::Name.eq(name))
        .exec(&tx.0)
        .await?;
    Ok(())
}

/// In how many places a version is installed.
///
/// # Errors
/// When the database fails.
pub async fn count_installations(db: &impl ConnectionTrait, id: IntegrationId) -> Result<u64> {
    Ok(Installations::find().filter(Column::BotIntegrationId.eq(id.0)).count(db).await?)
}
