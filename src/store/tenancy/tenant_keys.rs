//! The organisations' data keys, each wrapped by a key of the service.
//!
//! Not here: cryptography.

use ::entity::tenant_key::{ActiveModel, Column, Entity as TenantKeys};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};

use crate::{
    domain::{Result, ambient::Time, ids::OrganisationId},
    store::Tx,
};

/// A wrapped data key.
#[derive(Clone, Debug)]
pub struct WrappedKey {
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The id of the wrapping key.
    pub wrapped_by: String,
    /// The ciphertext.
    pub wrapped_key: Vec<u8>,
}

/// Finds an organisation's key.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Option<WrappedKey>> {
    Ok(TenantKeys::find_by_id(organisation_id.0).one(db).await?.map(wrapped))
}

/// Lists every key that is not wrapped by `current`.
///
/// # Errors
/// When the database fails.
pub async fn not_wrapped_by(db: &impl ConnectionTrait, current: &str) -> Result<Vec<WrappedKey>> {
    let rows = TenantKeys::find().filter(Column::WrappedBy.ne(current)).all(db).await?;
    Ok(rows.into_iter().map(wrapped).collect())
}

/// Lists the ids of all wrapping keys in use.
///
/// # Errors
/// When the database fails.
pub async fn wrapping_ids(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    Ok(TenantKeys::find().select_only().column(Column::WrappedBy).distinct().into_tuple().all(db).await?)
}

/// Inserts a fresh key, unless a concurrent request was first.
///
/// # Errors
/// When the database fails.
pub async fn insert(db: &impl ConnectionTrait, key: WrappedKey, now: Time) -> Result<()> {
    let row = ActiveModel {
        organisation_id: Set(key.organisation_id.0),
        wrapped_by: Set(key.wrapped_by),
        wrapped_key: Set(key.wrapped_key),
        created_at: Set(now),
    };
    let quicker = OnConflict::column(Column::OrganisationId).do_nothing().to_owned();
    TenantKeys::insert(row).on_conflict(quicker).exec_without_returning(db).await?;
    Ok(())
}

/// Replaces the wrapping of a key.
///
/// # Errors
/// When the database fails.
pub async fn rewrap(tx: &Tx, key: WrappedKey) -> Result<()> {
    let row = ActiveModel {
        organisation_id: Set(key.organisation_id.0),
        wrapped_by: Set(key.wrapped_by),
        wrapped_key: Set(key.wrapped_key),
        ..Default::default()
    };
    TenantKeys::update(row).exec(tx).await?;
    Ok(())
}

fn wrapped(row: ::entity::tenant_key::Model) -> WrappedKey {
    WrappedKey { organisation_id: row.organisation_id.into(), wrapped_by: row.wrapped_by, wrapped_key: row.wrapped_key }
}
