//! System integrations that the operator offers to every organisation, and the organisations' use of them.
//!
//! Not here: the built-in ones (`domain::apps::card`).

use ::entity::{
    installation::{Column as InstallationColumn, Entity as Installations},
    integration::{Column, Entity as Integrations},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    domain::{
        Result,
        apps::card::SystemApp,
        ids::{IntegrationId, OrganisationId},
    },
    store::corrupt,
};

/// The kind of system integrations in `integration.kind`.
const SYSTEM: &str = "system";

/// Lists the active system integrations that are not built in, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_system(db: &impl ConnectionTrait) -> Result<Vec<SystemApp>> {
    let rows = Integrations::find()
        .filter(Column::OrganisationId.is_null())
        .filter(Column::Kind.eq(SYSTEM))
        .filter(Column::Active.eq(true))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            let about = serde_json::from_value(row.definition);
            Ok(SystemApp {
                id: row.id.into(),
                name: row.name,
                about: about.map_err(|error| corrupt("integration", "definition", error))?,
            })
        })
        .collect()
}

/// Lists the integrations that an organisation uses organisation-wide, each with the id of its installation.
///
/// # Errors
/// When the database fails.
pub async fn installed(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
) -> Result<Vec<(IntegrationId, uuid::Uuid)>> {
    let rows = Installations::find()
        .filter(InstallationColumn::OrganisationId.eq(organisation_id.0))
        .filter(InstallationColumn::ChannelId.is_null())
        .filter(InstallationColumn::Active.eq(true))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.integration_id.into(), row.id)).collect())
}
