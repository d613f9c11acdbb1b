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
    found.flatten().map(|text| read("organisation", serde_json::from_str(&text))).transpose()
}

/// Takes a retry schedule from the column of a table.
///
/// # Errors
/// When the stored one is damaged.
pub(super) fn read(table: &'static str, seconds: serde_json::Result<Vec<u64>>) -> Result<RetrySchedule> {
    let seconds = seconds.map_err(|error| corrupt(table, "retry_schedule", error))?;
    RetrySchedule::new("retry_schedule", &seconds).map_err(|error| corrupt(table, "retry_schedule", error))
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
