//! Destinations: the unit that workers claim.
//!
//! [`claim`] has the claim itself, [`claims`] the wake-up and the release, [`clock`] the correction of stored times
//! after a clock was set back, [`mod@ensure`] those that are found or created, [`health`] the columns of health and its resets.

mod claim;
mod claims;
mod clock;
mod ensure;
mod health;

use std::{collections::HashMap, sync::LazyLock};

use ::entity::destination::{ActiveModel, Column, Entity as Destinations, Model as Row};
pub use claim::{Busy, Claim, Claimed, Lease, Position, Room, claim};
pub(super) use claims::{Added, Append, WOKEN, locked, release_after, wake_and_append, wake_with};
pub use claims::{Offer, Release, Released, Woken, end_leases, lock, release, wake};
pub use clock::{latest_try, set_back};
pub use ensure::{ensure, ensure_all};
use health::{HealthColumns, healed, health_columns};
pub use health::{heal, heal_named, set_health};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{DestinationId, OrganisationId},
        page::{Page, PageRequest},
        pipeline::{
            delivery::Content,
            destination::{Destination, DestinationKind, Health},
            retry::RetrySchedule,
        },
    },
    store::{
        Tx, corrupt,
        kernel::{batches, columns},
        pipeline::retry_schedules,
    },
};

/// Columns that a statement on the table returns.
static COLUMNS: LazyLock<String> = LazyLock::new(|| columns::of::<Destinations>("destination"));

/// Inserts a destination.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, destination: &Destination) -> Result<()> {
    Destinations::insert(row(destination)).exec_without_returning(tx).await?;
    Ok(())
}

fn row(destination: &Destination) -> ActiveModel {
    let HealthColumns { health, reason, since, probe_at } = health_columns(&destination.health);
    ActiveModel {
        id: Set(destination.id.0),
        organisation_id: Set(destination.organisation_id.0),
        kind: Set(destination.kind.as_str().to_owned()),
        name: Set(destination.name.clone()),
        address: Set(destination.address.clone()),
        health: Set(health.to_owned()),
        health_reason: Set(reason),
        health_since: Set(since),
        due_at: Set(None),
        not_before: Set(None),
        woken: Set(false),
        lease_owner: Set(None),
        pace_until: Set(None),
        success_count: Set(destination.success_count),
        failure_count: Set(destination.failure_count),
        last_sent_at: Set(destination.last_sent_at),
        created_at: Set(destination.created_at),
        slow: Set(false),
        settings: Set(destination.settings.as_ref().map(|settings| settings.as_str().to_owned())),
        probe_at: Set(probe_at),
        consecutive_failures: Set(destination.consecutive_failures),
        retry_schedule: Set(destination.retry_schedule.as_ref().map(retry_schedule_column)),
        unconfirmed: Set(destination.unconfirmed),
        last_seq: Set(0),
        cursor: Set(0),
    }
}

/// Lists the kinds of the stored destinations.
///
/// # Errors
/// When the database fails.
pub async fn kinds(db: &impl ConnectionTrait) -> Result<Vec<DestinationKind>> {
    let kinds: Vec<String> =
        Destinations::find().select_only().column(Column::Kind).distinct().into_tuple().all(db).await?;
    Ok(kinds.into_iter().map(DestinationKind::stored).collect())
}

/// Lists an organisation's destinations of one kind, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn of_kind(tx: &Tx, organisation_id: OrganisationId, kind: &DestinationKind) -> Result<Vec<Destination>> {
    let rows = Destinations::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.eq(kind.as_str()))
        .order_by_asc(Column::Id)
        .all(tx)
        .await?;
    rows.into_iter().map(destination).collect()
}

/// Lists the destinations of one kind with names that begin with a text.
///
/// # Errors
/// When the database fails.
pub async fn named_after(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    kind: &DestinationKind,
    beginning: &str,
) -> Result<Vec<Destination>> {
    let rows = Destinations::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(Column::Name.starts_with(beginning))
        .all(db)
        .await?;
    rows.into_iter().map(destination).collect()
}

/// Finds a destination by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: DestinationId,
) -> Result<Destination> {
    let row = Destinations::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).one(db).await?;
    destination(row.ok_or_else(|| Error::not_found(Noun::Destination, id))?)
}

/// Finds the destinations that exist among some, by their identifiers.
///
/// # Errors
/// When the database fails.
pub async fn of_ids(
    db: &impl ConnectionTrait,
    mut ids: Vec<DestinationId>,
) -> Result<HashMap<DestinationId, Destination>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    ids.sort_unstable();
    ids.dedup();
    let ids = batches::filled(ids.into_iter().map(|id| id.0));
    let rows = Destinations::find().filter(Column::Id.is_in(ids)).all(db).await?;
    rows.into_iter().map(|row| Ok((row.id.into(), destination(row)?))).collect()
}

/// Sets the settings of a destination, and its address.
///
/// # Errors
/// When the database fails.
pub async fn set_settings(tx: &Tx, id: DestinationId, address: &str, settings: Option<&Content>) -> Result<()> {
    let settings = settings.map(|settings| settings.as_str().to_owned());
    let row =
        ActiveModel { id: Set(id.0), address: Set(address.to_owned()), settings: Set(settings), ..Default::default() };
    Destinations::update(row).exec(tx).await?;
    Ok(())
}

/// Deletes a destination.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: DestinationId) -> Result<()> {
    Destinations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds a destination by its identifier and locks it until the transaction ends.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_for_update(tx: &Tx, organisation_id: OrganisationId, id: DestinationId) -> Result<Destination> {
    let query = Destinations::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).lock_exclusive();
    destination(query.one(tx).await?.ok_or_else(|| Error::not_found(Noun::Destination, id))?)
}

/// Finds a destination by its kind and name.
///
/// # Errors
/// When the database fails.
pub async fn find_by_name(
    tx: &Tx,
    organisation_id: OrganisationId,
    kind: &DestinationKind,
    name: &str,
) -> Result<Option<Destination>> {
    Destinations::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(Column::Name.eq(name))
        .one(tx)
        .await?
        .map(destination)
        .transpose()
}

/// Lists the existing destinations of one kind with these names.
///
/// # Errors
/// When the database fails.
pub async fn of_names(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    kind: &DestinationKind,
    names: &[String],
) -> Result<Vec<Destination>> {
    let rows = Destinations::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(Column::Name.is_in(names.iter().map(String::as_str)))
        .all(db)
        .await?;
    rows.into_iter().map(destination).collect()
}

/// Lists the destinations of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    page: PageRequest,
) -> Result<Page<Destination>> {
    let mut query = Destinations::find().filter(Column::OrganisationId.eq(organisation_id.0));
    if let Some(after) = page.after {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    let destinations = rows.into_iter().map(destination).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(destinations, page.limit, |destination| destination.id.0))
}

/// Sets the address of a destination, and resets its health: it is healthy again and has no backoff.
///
/// # Errors
/// When the database fails.
pub async fn set_address(tx: &Tx, id: DestinationId, address: &str) -> Result<()> {
    let row = ActiveModel { id: Set(id.0), address: Set(address.to_owned()), ..healed() };
    Destinations::update(row).exec(tx).await?;
    Ok(())
}

/// Saves the retry schedule of a destination; `None` removes it.
///
/// # Errors
/// When the database fails.
pub async fn set_retry_schedule(tx: &Tx, id: DestinationId, schedule: Option<&RetrySchedule>) -> Result<()> {
    let retry_schedule = Set(schedule.map(retry_schedule_column));
    Destinations::update(ActiveModel { id: Set(id.0), retry_schedule, ..Default::default() }).exec(tx).await?;
    Ok(())
}

/// Resets the counters, for a new connection.
///
/// # Errors
/// When the database fails.
pub async fn reset_counters(tx: &Tx, id: DestinationId) -> Result<()> {
    let row = ActiveModel {
        id: Set(id.0),
        success_count: Set(0),
        failure_count: Set(0),
        last_sent_at: Set(None),
        ..Default::default()
    };
    Destinations::update(row).exec(tx).await?;
    Ok(())
}

fn retry_schedule_column(schedule: &RetrySchedule) -> serde_json::Value {
    serde_json::json!(schedule.seconds())
}

fn retry_schedule(stored: serde_json::Value) -> Result<RetrySchedule> {
    retry_schedules::read("destination", serde_json::from_value(stored))
}

pub(in crate::store) fn destination(row: Row) -> Result<Destination> {
    let since = row.health_since.unwrap_or(row.created_at);
    let reason = row.health_reason.unwrap_or_default();
    let health = match row.health.as_str() {
        "healthy" => Health::Healthy,
        "failing" => Health::Failing { reason, since, probe_at: row.probe_at },
        "disabled" => Health::Disabled { reason, since },
        other => return Err(corrupt("destination", "health", other)),
    };
    Ok(Destination {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        kind: DestinationKind::stored(row.kind),
        name: row.name,
        address: row.address,
        settings: row.settings.map(Content::stored),
        health,
        success_count: row.success_count,
        failure_count: row.failure_count,
        consecutive_failures: row.consecutive_failures,
        retry_schedule: row.retry_schedule.map(retry_schedule).transpose()?,
        last_sent_at: row.last_sent_at,
        unconfirmed: row.unconfirmed,
        created_at: row.created_at,
    })
}
