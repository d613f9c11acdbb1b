//! Subscriptions of Slack channels to GitHub events.
//!
//! Not here: the evaluation of their rules.

use ::entity::{
    destination::{self, Entity as Destinations},
    subscription::{ActiveModel, Column, Entity as Subscriptions, Model as Row},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
};

use uuid::Uuid;

use crate::{
    domain::{
        Error, Result,
        error::Noun,
        github::subscription::Subscription,
        ids::{DestinationId, OrganisationId, SubscriptionId},
        page::{Page, PageRequest},
        pipeline::destination::Destination,
    },
    store::{Tx, corrupt, kernel::batches},
};

/// Inserts a subscription.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, subscription: &Subscription) -> Result<()> {
    Subscriptions::insert(row(subscription)?).exec_without_returning(tx).await?;
    Ok(())
}

/// Updates the changeable fields.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, subscription: &Subscription) -> Result<()> {
    Subscriptions::update(row(subscription)?).exec(tx).await?;
    Ok(())
}

/// Deletes a subscription.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: SubscriptionId) -> Result<()> {
    Subscriptions::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds a subscription by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: SubscriptionId,
) -> Result<Subscription> {
    let row = Subscriptions::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).one(db).await?;
    subscription(row.ok_or_else(|| Error::not_found(Noun::Subscription, id))?)
}

/// Finds a subscription by its identifier and locks it until the transaction ends: two concurrent changes would each
/// overwrite the other's.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_for_update(tx: &Tx, organisation_id: OrganisationId, id: SubscriptionId) -> Result<Subscription> {
    let query = Subscriptions::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).lock_exclusive();
    subscription(query.one(tx).await?.ok_or_else(|| Error::not_found(Noun::Subscription, id))?)
}

/// Lists the subscriptions of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    page: PageRequest,
) -> Result<Page<Subscription>> {
    let mut query = Subscriptions::find().filter(Column::OrganisationId.eq(organisation_id.0));
    if let Some(after) = page.after {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    let subscriptions = rows.into_iter().map(subscription).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(subscriptions, page.limit, |subscription| subscription.id.0))
}

/// Counts the subscriptions of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, organisation_id: OrganisationId) -> Result<u64> {
    use sea_orm::PaginatorTrait;
    Ok(Subscriptions::find().filter(Column::OrganisationId.eq(organisation_id.0)).count(tx).await?)
}

/// Lists the destinations of an organisation's subscriptions, each once.
///
/// # Errors
/// When the database fails.
pub async fn destinations(tx: &Tx, organisation_id: OrganisationId) -> Result<Vec<DestinationId>> {
    let query = Subscriptions::find().select_only().column(Column::DestinationId).distinct();
    let ids: Vec<Uuid> = query.filter(Column::OrganisationId.eq(organisation_id.0)).into_tuple().all(tx).await?;
    Ok(ids.into_iter().map(DestinationId).collect())
}

/// Lists the subscriptions of an organisation that send to a destination, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_destination(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    destination_id: DestinationId,
) -> Result<Vec<Subscription>> {
    let rows = Subscriptions::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::DestinationId.eq(destination_id.0))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(subscription).collect()
}

/// Lists the subscriptions of an organisation's Slack channel, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_channel(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    slack_channel_id: &str,
) -> Result<Vec<Subscription>> {
    let rows = Subscriptions::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::SlackChannelId.eq(slack_channel_id))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(subscription).collect()
}

/// Lists the subscriptions of some organisations, oldest first, each with its destination.
///
/// # Errors
/// When the database fails.
pub async fn of_organisations(tx: &Tx, ids: &[OrganisationId]) -> Result<Vec<(Subscription, Destination)>> {
    let ids = batches::filled(ids.iter().map(|id| id.0));
    let sends_to =
        Subscriptions::belongs_to(Destinations).from(Column::DestinationId).to(destination::Column::Id).into();
    let rows = Subscriptions::find()
        .filter(Column::OrganisationId.is_in(ids))
        .join(JoinType::InnerJoin, sends_to)
        .select_also(Destinations)
        .order_by_asc(Column::Id)
        .all(tx)
        .await?;
    let both = |(row, destination): (Row, Option<destination::Model>)| {
        let destination = destination.ok_or_else(|| corrupt("subscription", "destination_id", row.destination_id))?;
        Ok((subscription(row)?, crate::store::pipeline::destinations::destination(destination)?))
    };
    rows.into_iter().map(both).collect()
}

fn row(subscription: &Subscription) -> Result<ActiveModel> {
    let rules = serde_json::to_value(&subscription.rules);
    Ok(ActiveModel {
        id: Set(subscription.id.0),
        organisation_id: Set(subscription.organisation_id.0),
        destination_id: Set(subscription.destination_id.0),
        slack_channel_id: Set(subscription.slack_channel_id.clone()),
        slack_channel_name: Set(subscription.slack_channel_name.clone()),
        paused: Set(subscription.paused),
        rules: Set(rules.map_err(|error| Error::Internal(format!("rules cannot be written: {error}")))?),
        created_by: Set(subscription.created_by.0),
        created_at: Set(subscription.created_at),
        updated_at: Set(subscription.updated_at),
    })
}

fn subscription(row: Row) -> Result<Subscription> {
    Ok(Subscription {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        destination_id: row.destination_id.into(),
        slack_channel_id: row.slack_channel_id,
        slack_channel_name: row.slack_channel_name,
        paused: row.paused,
        rules: serde_json::from_value(row.rules).map_err(|error| corrupt("subscription", "rules", error))?,
        created_by: row.created_by.into(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
