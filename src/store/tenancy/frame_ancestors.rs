//! Origins whose pages may frame an organisation's portal.

use ::entity::organisation::{ActiveModel, Column, Entity as Organisations};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QuerySelect};

use crate::{
    domain::{Result, ids::OrganisationId, tenancy::session::FrameAncestors},
    store::{Tx, corrupt},
};

/// Finds the origins of an organisation; none where it never set them.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, id: OrganisationId) -> Result<FrameAncestors> {
    let query = Organisations::find_by_id(id.0).select_only().column(Column::FrameAncestors);
    let found: Option<Option<String>> = query.into_tuple().one(db).await?;
    let Some(text) = found.flatten() else { return Ok(FrameAncestors::default()) };
    let damaged = |error: String| corrupt("organisation", "frame_ancestors", error);
    let origins: Vec<String> = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    FrameAncestors::read(&origins).map_err(|error| damaged(error.to_string()))
}

/// Sets the origins of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &Tx, id: OrganisationId, origins: &FrameAncestors) -> Result<()> {
    let text = serde_json::json!(origins.origins()).to_string();
    let row = ActiveModel { id: Set(id.0), frame_ancestors: Set(Some(text)), ..Default::default() };
    Organisations::update(row).exec(tx).await?;
    Ok(())
}
