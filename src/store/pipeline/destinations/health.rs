//! Health of destinations: its columns, and its resets.
//!
//! Not here: the health that attempts show, which a release saves ([`super::claims`]).

use ::entity::destination::{ActiveModel, Column, Entity as Destinations};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::ExprTrait};

use super::claims::locked;
use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        pipeline::destination::{DestinationKind, Health},
    },
    store::{Tx, kernel::batches},
};

/// Columns of a health.
pub(super) struct HealthColumns {
    pub(super) health: &'static str,
    pub(super) reason: Option<String>,
    pub(super) since: Option<Time>,
    pub(super) probe_at: Option<Time>,
}

pub(super) fn health_columns(health: &Health) -> HealthColumns {
    let (reason, since, probe_at) = match health {
        Health::Healthy => (None, None, None),
        Health::Failing { reason, since, probe_at } => (Some(reason.clone()), Some(*since), *probe_at),
        Health::Disabled { reason, since } => (Some(reason.clone()), Some(*since), None),
    };
    HealthColumns { health: health.as_str(), reason, since, probe_at }
}

/// Returns the columns of a reset: healthy, without a backoff, not in the slow class.
pub(super) fn healed() -> ActiveModel {
    ActiveModel {
        health: Set(Health::Healthy.as_str().to_owned()),
        health_reason: Set(None),
        health_since: Set(None),
        probe_at: Set(None),
        consecutive_failures: Set(0),
        not_before: Set(None),
        slow: Set(false),
        ..Default::default()
    }
}

/// Resets the health of the destinations of a kind with some names, in every organisation.
///
/// # Errors
/// When the database fails.
pub async fn heal_named(tx: &Tx, kind: &DestinationKind, names: &[String]) -> Result<()> {
    for names in batches::runs(names) {
        Destinations::update_many()
            .set(healed())
            .filter(Column::Id.in_subquery(locked(tx, Column::Kind.eq(kind.as_str()).and(Column::Name.is_in(names)))))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Saves the health of a destination; its run of failures ends.
///
/// # Errors
/// When the database fails.
pub async fn set_health(tx: &Tx, id: DestinationId, health: &Health) -> Result<()> {
    let HealthColumns { health, reason, since, probe_at } = health_columns(health);
    let row = ActiveModel {
        id: Set(id.0),
        health: Set(health.to_owned()),
        health_reason: Set(reason),
        health_since: Set(since),
        probe_at: Set(probe_at),
        consecutive_failures: Set(0),
        ..Default::default()
    };
    Destinations::update(row).exec(tx).await?;
    Ok(())
}

/// Resets the health of an organisation's destinations of a kind, for a new connection.
///
/// # Errors
/// When the database fails.
pub async fn heal(tx: &Tx, organisation_id: OrganisationId, kind: &DestinationKind) -> Result<()> {
    let all = Column::OrganisationId.eq(organisation_id.0).and(Column::Kind.eq(kind.as_str()));
    Destinations::update_many().set(healed()).filter(Column::Id.in_subquery(locked(tx, all))).exec(tx).await?;
    Ok(())
}
