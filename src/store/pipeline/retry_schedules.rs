//! Retry schedules of organisations.
//!
//! Not here: those of destinations (`destinations`).

use ::entity::organisation::{ActiveModel, Column, Entity as Organisations};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QuerySelect};

use crate::{
    domain::{Result, ids::OrganisationId, pipeline::retry::RetrySchedule},
    store::{Tx, corrupt},
};

/// Finds the retry schedule of an organisation, if it has one of its own.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, id: OrganisationId) -> Result<Option<RetrySchedule>> {
    let query = Organisations::find_by_id(id.0).select_only().column(Column::RetrySchedule);
    let found: Option<Option<String>> = query.into_tuple().one(db).await?;
    let Some(text) = found.flatten() else { return Ok(None) };
    let broken = |error: &dyn std::fmt::Display| corrupt("organisation", "retry_schedule", error.to_string());
    let seconds: Vec<u64> = serde_json::from_str(&text).map_err(|error| broken(&error))?;
    RetrySchedule::new("retry_schedule", &seconds).map(Some).map_err(|error| broken(&error))
}

/// Sets the retry schedule of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &Tx, id: OrganisationId, schedule: Option<&RetrySchedule>) -> Result<()> {
    let text = schedule.map(|schedule| serde_json::json!(schedule.seconds()).to_string());
    let row = ActiveModel { id: Set(id.0), retry_schedule: Set(text), ..Default::default() };
    Organisations::update(row).exec(tx).await?;
    Ok(())
}
