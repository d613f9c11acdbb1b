//! Installations of versions, their number, and the attempts at their calls.
//!
//! Not here: the installed apps themselves (`store::apps`).

use ::entity::{
    attempt::{Column as AttemptColumn, Entity as Attempts},
    registry_installation::{self, Column, Entity as Installations},
    registry_name::{Column as NameColumn, Entity as Names},
    registry_version::{Column as VersionColumn, Entity as Versions},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};

use uuid::Uuid;

use crate::{
    domain::{
        Result,
        ambient::Time,
        apps::app::{App, RegistryReference},
        ids::{IntegrationId, OrganisationId},
        pipeline::delivery::Attempt,
    },
    store::{Tx, pipeline::deliveries::attempt, tenancy::organisations},
};

/// Locks the workspace of a version, so that one transaction at a time changes its versions.
///
/// # Errors
/// When the database fails.
pub async fn lock_owner(tx: &Tx, id: IntegrationId) -> Result<()> {
    let owner = Versions::find_by_id(id.0).select_only().column(VersionColumn::OrganisationId);
    let owner: Option<Uuid> = owner.into_tuple().one(tx).await?;
    match owner {
        Some(owner) => organisations::lock(tx, owner.into()).await,
        None => Ok(()),
    }
}

/// Records that an app was installed from a version, and counts it.
///
/// # Errors
/// When the database fails.
pub async fn insert_installation(tx: &Tx, app: &App, from: &RegistryReference) -> Result<()> {
    let row = registry_installation::ActiveModel {
        integration_id: Set(app.id.0),
        bot_integration_id: Set(from.registry_id),
        organisation_id: Set(app.organisation_id.0),
    };
    Installations::insert(row).exec_without_returning(tx).await?;
    count(tx, &from.name, 1).await
}

/// Decrements the count. The record is deleted together with the app.
///
/// # Errors
/// When the database fails.
pub async fn uncount_installation(tx: &Tx, from: &RegistryReference) -> Result<()> {
    count(tx, &from.name, -1).await
}

/// Decrements the counts for all apps that an organisation has installed.
///
/// # Errors
/// When the database fails.
pub async fn uncount_installations(tx: &Tx, id: OrganisationId) -> Result<()> {
    let installed: Vec<String> = Versions::find()
        .select_only()
        .column(VersionColumn::Name)
        .join_rev(
            JoinType::InnerJoin,
            Installations::belongs_to(Versions).from(Column::BotIntegrationId).to(VersionColumn::IntegrationId).into(),
        )
        .filter(Column::OrganisationId.eq(id.0))
        .into_tuple()
        .all(tx)
        .await?;
    for name in installed {
        count(tx, &name, -1).await?;
    }
    Ok(())
}

async fn count(tx: &Tx, name: &str, by: i64) -> Result<()> {
    Names::update_many()
        .col_expr(NameColumn::Installs, Expr::col(NameColumn::Installs).add(by))
        .filter(NameColumn::Name.eq(name))
        .exec(tx)
        .await?;
    Ok(())
}

/// Counts the installations of a version.
///
/// # Errors
/// When the database fails.
pub async fn count_installations(db: &impl ConnectionTrait, id: IntegrationId) -> Result<u64> {
    Ok(Installations::find().filter(Column::BotIntegrationId.eq(id.0)).count(db).await?)
}

/// Lists the apps installed from a version.
///
/// # Errors
/// When the database fails.
pub async fn installed(db: &impl ConnectionTrait, id: IntegrationId) -> Result<Vec<IntegrationId>> {
    let query = Installations::find().select_only().column(Column::IntegrationId);
    let ids: Vec<Uuid> = query.filter(Column::BotIntegrationId.eq(id.0)).into_tuple().all(db).await?;
    Ok(ids.into_iter().map(IntegrationId).collect())
}

/// Lists at most `limit` installations of a version, of every organisation: apps with their organisations. With `app` it
/// is that one, if it is one of them.
///
/// # Errors
/// When the database fails.
pub async fn installations_of(
    db: &impl ConnectionTrait,
    id: IntegrationId,
    app: Option<IntegrationId>,
    limit: u64,
) -> Result<Vec<(OrganisationId, IntegrationId)>> {
    let query = Installations::find().select_only().column(Column::OrganisationId).column(Column::IntegrationId);
    let mut query = query.filter(Column::BotIntegrationId.eq(id.0)).order_by_asc(Column::IntegrationId).limit(limit);
    if let Some(app) = app {
        query = query.filter(Column::IntegrationId.eq(app.0));
    }
    let rows: Vec<(Uuid, Uuid)> = query.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(organisation, app)| (organisation.into(), app.into())).collect())
}

/// Lists the calls of a version, across all of its installations, oldest first, optionally after one of them.
///
/// # Errors
/// When the database fails.
pub async fn calls(
    db: &impl ConnectionTrait,
    id: IntegrationId,
    (from, until): (Time, Option<Time>),
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Attempt>> {
    let mut query =
        Attempts::find().filter(AttemptColumn::HistoryOf.eq(id.0)).filter(AttemptColumn::CreatedAt.gte(from));
    if let Some(until) = until {
        query = query.filter(AttemptColumn::CreatedAt.lte(until));
    }
    if let Some(after) = after {
        query = query.filter(AttemptColumn::Id.gt(after));
    }
    query.order_by_asc(AttemptColumn::Id).limit(limit).all(db).await?.into_iter().map(attempt).collect()
}
