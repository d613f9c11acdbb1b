//! Hashes of the API keys of installed apps.
//!
//! Not here: the making of a key, and the check of its origin.

use ::entity::app_key::{ActiveModel, Column, Entity as Keys, Model as Row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::OnConflict,
};

use crate::{
    domain::{
        Result,
        ambient::Time,
        apps::key::KeyPurpose,
        ids::{IntegrationId, OrganisationId},
    },
    store::{Tx, corrupt},
};

/// A stored key of an app.
#[derive(Clone, Debug)]
pub struct AppKey {
    /// The organisation that installed the app.
    pub organisation_id: OrganisationId,
    /// The app.
    pub integration_id: IntegrationId,
    /// Its purpose.
    pub purpose: KeyPurpose,
    /// SHA-256 of the key.
    pub key_sha256: [u8; 32],
    /// Origin of the address that gets the key.
    pub origin: String,
    /// Time of creation.
    pub created_at: Time,
}

/// Inserts a key, in place of a former one of the same purpose.
///
/// # Errors
/// When the database fails, also where the app was removed meanwhile.
pub async fn put(tx: &Tx, key: &AppKey) -> Result<()> {
    let row = ActiveModel {
        integration_id: Set(key.integration_id.0),
        purpose: Set(key.purpose.as_str().to_owned()),
        organisation_id: Set(key.organisation_id.0),
        key_sha256: Set(key.key_sha256.to_vec()),
        origin: Set(key.origin.clone()),
        created_at: Set(key.created_at),
    };
    let former = OnConflict::columns([Column::IntegrationId, Column::Purpose])
        .update_columns([Column::KeySha256, Column::Origin, Column::CreatedAt])
        .to_owned();
    Keys::insert(row).on_conflict(former).exec_without_returning(tx).await?;
    Ok(())
}

/// Returns true if an app has a key for a purpose.
///
/// # Errors
/// When the database fails.
pub async fn exists(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    integration_id: IntegrationId,
    purpose: KeyPurpose,
) -> Result<bool> {
    let query = Keys::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::IntegrationId.eq(integration_id.0))
        .filter(Column::Purpose.eq(purpose.as_str()));
    Ok(query.count(db).await? > 0)
}

/// Finds a presented key by its hash, in every organisation.
///
/// # Errors
/// When the database fails.
pub async fn find_by_hash(db: &impl ConnectionTrait, key_sha256: [u8; 32]) -> Result<Option<AppKey>> {
    Keys::find().filter(Column::KeySha256.eq(key_sha256.to_vec())).one(db).await?.map(key).transpose()
}

fn key(row: Row) -> Result<AppKey> {
    let unknown = || corrupt("app_key", "purpose", format!("{:?} is unknown", row.purpose));
    Ok(AppKey {
        purpose: KeyPurpose::parse(&row.purpose).ok_or_else(unknown)?,
        organisation_id: row.organisation_id.into(),
        integration_id: row.integration_id.into(),
        key_sha256: row.key_sha256.try_into().unwrap_or_default(),
        origin: row.origin,
        created_at: row.created_at,
    })
}
