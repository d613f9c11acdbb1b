//! API keys of versions. Only the hash of a key is stored.
//!
//! Not here: the making of a key.

use ::entity::registry_api_key::{ActiveModel, Column, Entity as Keys, Model as Row};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{ApiKeyId, IntegrationId, OrganisationId},
    },
    store::Tx,
};

/// A key without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The version.
    pub integration_id: IntegrationId,
    /// A user's note about it; may be empty.
    pub note: String,
    /// Time of creation.
    pub created_at: Time,
}

/// Inserts a key.
///
/// # Errors
/// When the database fails.
pub async fn insert_key(tx: &Tx, key: &ApiKey, key_sha256: [u8; 32]) -> Result<()> {
    let row = ActiveModel {
        id: Set(key.id.0),
        organisation_id: Set(key.organisation_id.0),
        integration_id: Set(key.integration_id.0),
        note: Set(key.note.clone()),
        key_sha256: Set(key_sha256.to_vec()),
        created_at: Set(key.created_at),
    };
    Keys::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Lists the keys of a version, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_keys(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<Vec<ApiKey>> {
    let rows = Keys::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::IntegrationId.eq(id.0))
        .order_by_desc(Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(key).collect())
}

fn key(row: Row) -> ApiKey {
    ApiKey {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        integration_id: row.integration_id.into(),
        note: row.note,
        created_at: row.created_at,
    }
}

/// Finds the key with a hash, with its version: it authenticates calls that name no organisation.
///
/// # Errors
/// When the database fails.
pub async fn find_key(db: &impl ConnectionTrait, key_sha256: [u8; 32]) -> Result<Option<ApiKey>> {
    let row = Keys::find().filter(Column::KeySha256.eq(key_sha256.to_vec())).one(db).await?;
    Ok(row.map(key))
}

/// Counts the keys of a version.
///
/// # Errors
/// When the database fails.
pub async fn count_keys(tx: &Tx, organisation_id: OrganisationId, id: IntegrationId) -> Result<u64> {
    let query = Keys::find().filter(Column::OrganisationId.eq(organisation_id.0));
    Ok(query.filter(Column::IntegrationId.eq(id.0)).count(tx).await?)
}

/// Deletes a key.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_key(tx: &Tx, organisation_id: OrganisationId, id: ApiKeyId, shown: &str) -> Result<()> {
    let query = Keys::delete_many().filter(Column::Id.eq(id.0)).filter(Column::OrganisationId.eq(organisation_id.0));
    match query.exec(tx).await?.rows_affected {
        0 => Err(Error::not_found(Noun::ApiKey, shown)),
        _ => Ok(()),
    }
}
