//! Settings of installations: rows of label and value, for the organisation and for its channels.
//!
//! A secret's value is sealed, in a column of its own; callers get it still sealed. Not here: its decryption.

use ::entity::setting::{ActiveModel, Column, Entity as Settings, Model as Row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::ExprTrait,
};
use serde_json::Value;

use crate::{
    domain::{
        Result,
        apps::setting::Setting,
        ids::{ChannelId, InstallationId, OrganisationId, SettingId},
    },
    store::{Tx, kernel::batches},
};

/// A setting as stored: for a secret the value is empty, and the sealed one is beside it.
#[derive(Clone, Debug)]
pub struct StoredSetting {
    /// The setting.
    pub setting: Setting,
    /// The sealed value of a secret.
    pub sealed: Option<Vec<u8>>,
}

/// Inserts a setting.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, stored: &StoredSetting) -> Result<()> {
    Settings::insert(row(stored)).exec_without_returning(tx).await?;
    Ok(())
}

/// Updates a setting.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, stored: &StoredSetting) -> Result<()> {
    Settings::update(row(stored)).exec(tx).await?;
    Ok(())
}

/// Deletes a setting.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: SettingId) -> Result<()> {
    Settings::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Lists the settings of an installation for the organisation, or for one channel, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    installation_id: InstallationId,
    channel_id: Option<ChannelId>,
) -> Result<Vec<StoredSetting>> {
    let query = Settings::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::InstallationId.eq(installation_id.0));
    let query = match channel_id {
        Some(channel_id) => query.filter(Column::ChannelId.eq(channel_id.0)),
        None => query.filter(Column::ChannelId.is_null()),
    };
    Ok(query.order_by_asc(Column::Id).all(db).await?.into_iter().map(stored).collect())
}

/// Lists the settings of some installations that apply in a channel: the organisation's, and the channel's own.
///
/// # Errors
/// When the database fails.
pub async fn in_channel(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    installations: &[InstallationId],
    channel_id: ChannelId,
) -> Result<Vec<StoredSetting>> {
    let rows = Settings::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::InstallationId.is_in(batches::filled(installations.iter().map(|id| id.0))))
        .filter(Column::ChannelId.is_null().or(Column::ChannelId.eq(channel_id.0)))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(stored).collect())
}

/// Lists all settings of some installations, for their organisations and for any channel, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_installations(
    db: &impl ConnectionTrait,
    organisations: &[OrganisationId],
    installations: &[InstallationId],
) -> Result<Vec<StoredSetting>> {
    let rows = Settings::find()
        .filter(Column::OrganisationId.is_in(batches::filled(organisations.iter().map(|id| id.0))))
        .filter(Column::InstallationId.is_in(batches::filled(installations.iter().map(|id| id.0))))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(stored).collect())
}

fn row(StoredSetting { setting, sealed }: &StoredSetting) -> ActiveModel {
    ActiveModel {
        id: Set(setting.id.0),
        organisation_id: Set(setting.organisation_id.0),
        installation_id: Set(setting.installation_id.0),
        channel_id: Set(setting.channel_id.map(|id| id.0)),
        label: Set(setting.label.clone()),
        value: Set(if sealed.is_some() { Value::Null } else { setting.value.clone() }),
        secret: Set(sealed.clone()),
        created_at: Set(setting.created_at),
        updated_at: Set(setting.updated_at),
    }
}

fn stored(row: Row) -> StoredSetting {
    let setting = Setting {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        installation_id: row.installation_id.into(),
        channel_id: row.channel_id.map(ChannelId),
        label: row.label,
        value: row.value,
        secret: row.secret.is_some(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    StoredSetting { setting, sealed: row.secret }
}
