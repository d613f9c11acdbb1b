//! Routes.
//!
//! Not here: their matching (`domain::routes`).

use ::entity::{
    destination::{self, Entity as Destinations},
    route::{ActiveModel, Column, Entity as Routes, Model as Row},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Tx, corrupt, kernel::batches};
use crate::domain::{
    Error, Result,
    error::Noun,
    ids::{ChannelId, DestinationId, OrganisationId, RouteId},
    page::{Page, PageRequest},
    pipeline::{destination::DestinationKind, template::Template},
    routes::{condition::Condition, route::Route},
};

/// Inserts a route.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, route: &Route) -> Result<()> {
    Routes::insert(row(route)).exec_without_returning(tx).await?;
    Ok(())
}

/// Updates the changeable fields.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, route: &Route) -> Result<()> {
    Routes::update(row(route)).exec(tx).await?;
    Ok(())
}

/// Deletes a route.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: RouteId) -> Result<()> {
    Routes::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds a route by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: RouteId) -> Result<Route> {
    let row = Routes::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).one(db).await?;
    route(row.ok_or_else(|| Error::not_found(Noun::Route, id))?)
}

/// Finds a route by its identifier and locks it until the transaction ends.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_for_update(tx: &Tx, organisation_id: OrganisationId, id: RouteId) -> Result<Route> {
    let query = Routes::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).lock_exclusive();
    route(query.one(tx).await?.ok_or_else(|| Error::not_found(Noun::Route, id))?)
}

/// Lists the routes of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    page: PageRequest,
) -> Result<Page<Route>> {
    let mut query = Routes::find().filter(Column::OrganisationId.eq(organisation_id.0));
    if let Some(after) = page.after {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    let routes = rows.into_iter().map(route).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(routes, page.limit, |route| route.id.0))
}

/// Counts the routes of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, organisation_id: OrganisationId) -> Result<u64> {
    Ok(Routes::find().filter(Column::OrganisationId.eq(organisation_id.0)).count(tx).await?)
}

/// Returns true if a route sends to a destination.
///
/// # Errors
/// When the database fails.
pub async fn send_to(tx: &Tx, id: DestinationId) -> Result<bool> {
    Ok(Routes::find().filter(Column::DestinationId.eq(id.0)).count(tx).await? > 0)
}

/// Lists the routes of an organisation that send to a destination, in the order in which they decide.
///
/// # Errors
/// When the database fails.
pub async fn of_destination(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    destination_id: DestinationId,
) -> Result<Vec<Route>> {
    let query = Routes::find().filter(Column::OrganisationId.eq(organisation_id.0));
    let query = query.filter(Column::DestinationId.eq(destination_id.0));
    let rows = query.order_by_asc(Column::Position).order_by_asc(Column::Id).all(db).await?;
    rows.into_iter().map(route).collect()
}

/// Lists the destinations of an organisation's routes, each once.
///
/// # Errors
/// When the database fails.
pub async fn destinations(tx: &Tx, organisation_id: OrganisationId) -> Result<Vec<DestinationId>> {
    let query = Routes::find().select_only().column(Column::DestinationId).distinct();
    let ids: Vec<Uuid> = query.filter(Column::OrganisationId.eq(organisation_id.0)).into_tuple().all(tx).await?;
    Ok(ids.into_iter().map(DestinationId).collect())
}

/// Lists the routes of some organisations in the order in which they decide, each with the kind of its destination.
///
/// # Errors
/// When the database fails.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    ids: &[OrganisationId],
) -> Result<Vec<(Route, DestinationKind)>> {
    let ids = batches::filled(ids.iter().map(|id| id.0));
    let sends_to = Routes::belongs_to(Destinations).from(Column::DestinationId).to(destination::Column::Id).into();
    let rows = Routes::find()
        .join(JoinType::InnerJoin, sends_to)
        .select_also(Destinations)
        .filter(Column::OrganisationId.is_in(ids))
        .order_by_asc(Column::Position)
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    let both = |(row, to): (Row, Option<destination::Model>)| {
        let to = to.ok_or_else(|| corrupt("route", "destination_id", row.destination_id))?;
        Ok((route(row)?, DestinationKind::stored(to.kind)))
    };
    rows.into_iter().map(both).collect()
}

fn row(route: &Route) -> ActiveModel {
    ActiveModel {
        id: Set(route.id.0),
        organisation_id: Set(route.organisation_id.0),
        name: Set(route.name.clone()),
        sources: Set(json!(route.sources)),
        types: Set(json!(route.types)),
        channel_id: Set(route.channel_id.map(|id| id.0)),
        destination_id: Set(route.destination_id.0),
        enabled: Set(route.enabled),
        rule: Set(route.rule.as_ref().map(|rule| json!(rule).to_string())),
        condition: Set(route.condition.as_ref().map(|condition| condition.as_str().to_owned())),
        template: Set(route.template.as_ref().map(|template| template.as_json().to_string())),
        position: Set(route.position),
        disabled_reason: Set(route.disabled_reason.clone()),
        created_by: Set(route.created_by.0),
        created_at: Set(route.created_at),
        updated_at: Set(route.updated_at),
    }
}

fn route(row: Row) -> Result<Route> {
    let globs = |column: &'static str, value: Value| {
        serde_json::from_value(value).map_err(|error| corrupt("route", column, error))
    };
    // A condition that this version does not read any more disables its route.
    let condition = row.condition.as_deref().map(Condition::parse).transpose();
    let unread =
        condition.as_ref().err().map(|reason| format!("this version does not read the condition: it {reason}"));
    let rule = row.rule.as_deref().map(serde_json::from_str).transpose();
    let rule = rule.map_err(|error| corrupt("route", "rule", error))?;
    let template = row.template.as_deref().map(serde_json::from_str).transpose();
    let template = template.map_err(|error| corrupt("route", "template", error))?;
    Ok(Route {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        name: row.name,
        sources: globs("sources", row.sources)?,
        types: globs("types", row.types)?,
        channel_id: row.channel_id.map(ChannelId),
        condition: condition.unwrap_or_default(),
        rule,
        template: template.map(Template::stored),
        destination_id: row.destination_id.into(),
        position: row.position,
        enabled: row.enabled && unread.is_none(),
        disabled_reason: unread.or(row.disabled_reason),
        created_by: row.created_by.into(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
