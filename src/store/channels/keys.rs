//! Keys in the URLs by which messages enter a channel from outside.
//!
//! Not here: the making of a key.

use ::entity::channel_key::{ActiveModel, Column, Entity as Keys, Model as Row};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::{ChannelId, IntegrationId, OrganisationId},
    },
    store::Tx,
};

/// A key of a channel.
#[derive(Clone, Debug)]
pub struct ChannelKey {
    /// Id of its row.
    pub id: Uuid,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The channel it posts to.
    pub channel_id: ChannelId,
    /// The app that answers with it; `None` is the channel's own.
    pub integration_id: Option<IntegrationId>,
    /// SHA-256 of the key, for look-up.
    pub key_sha256: [u8; 32],
    /// The key, sealed, so that it can be shown again.
    pub sealed: Vec<u8>,
    /// Time of creation.
    pub created_at: Time,
}

/// Inserts a key, unless there is one for the same purpose. `false` then.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, key: &ChannelKey) -> Result<bool> {
    let row = ActiveModel {
        id: Set(key.id),
        organisation_id: Set(key.organisation_id.0),
        channel_id: Set(key.channel_id.0),
        integration_id: Set(key.integration_id.map(|id| id.0)),
        key_sha256: Set(key.key_sha256.to_vec()),
        sealed: Set(key.sealed.clone()),
        created_at: Set(key.created_at),
    };
    let there = OnConflict::new().do_nothing().to_owned();
    Ok(Keys::insert(row).on_conflict(there).exec_without_returning(tx).await? == 1)
}

/// Finds the key of a channel for a purpose.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl ConnectionTrait,
    channel_id: ChannelId,
    integration_id: Option<IntegrationId>,
) -> Result<Option<ChannelKey>> {
    let query = Keys::find().filter(Column::ChannelId.eq(channel_id.0));
    let query = match integration_id {
        Some(id) => query.filter(Column::IntegrationId.eq(id.0)),
        None => query.filter(Column::IntegrationId.is_null()),
    };
    Ok(query.one(db).await?.map(key))
}

/// Finds a presented key by its hash.
///
/// # Errors
/// When the database fails.
pub async fn find_by_hash(db: &impl ConnectionTrait, key_sha256: [u8; 32]) -> Result<Option<ChannelKey>> {
    Ok(Keys::find().filter(Column::KeySha256.eq(key_sha256.to_vec())).one(db).await?.map(key))
}

fn key(row: Row) -> ChannelKey {
    ChannelKey {
        id: row.id,
        organisation_id: row.organisation_id.into(),
        channel_id: row.channel_id.into(),
        integration_id: row.integration_id.map(IntegrationId),
        key_sha256: row.key_sha256.try_into().unwrap_or_default(),
        sealed: row.sealed,
        created_at: row.created_at,
    }
}
