//! OAuth states: issued once, used once.
//!
//! Not here: their making and their lifetime.

use ::entity::oauth_state::{ActiveModel, Column, Entity as OAuthStates, Model as Row};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use url::Url;

use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::{MemberId, OrganisationId},
        tenancy::oauth::OAuthState,
    },
    store::{Tx, corrupt},
};

/// Inserts a state by its hash.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &Tx,
    state_sha256: [u8; 32],
    provider: &'static str,
    state: &OAuthState,
    now: Time,
) -> Result<()> {
    let row = ActiveModel {
        state_sha256: Set(state_sha256.to_vec()),
        organisation_id: Set(state.organisation_id.0),
        member_id: Set(state.member_id.0),
        provider: Set(provider.to_owned()),
        expires_at: Set(state.expires_at),
        used_at: Set(None),
        created_at: Set(now),
        return_url: Set(state.return_url.as_ref().map(Url::to_string)),
    };
    OAuthStates::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Removes the states that expired before a time. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_expired(db: &impl ConnectionTrait, before: Time) -> Result<u64> {
    Ok(OAuthStates::delete_many().filter(Column::ExpiresAt.lte(before)).exec(db).await?.rows_affected)
}

/// Finds an unused state, with the name of its flow.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, state_sha256: [u8; 32]) -> Result<Option<(String, OAuthState)>> {
    let row = OAuthStates::find_by_id(state_sha256.to_vec()).filter(Column::UsedAt.is_null()).one(db).await?;
    row.map(|row| Ok((row.provider.clone(), state(row)?))).transpose()
}

/// Consumes a state and returns its initiator. If `bound_to` is given and another initiated it, it stays unused and the
/// result is `None`, as for one that was never issued or was used already.
///
/// # Errors
/// When the database fails.
pub async fn take(
    tx: &Tx,
    state_sha256: [u8; 32],
    provider: &str,
    bound_to: Option<(OrganisationId, MemberId)>,
    now: Time,
) -> Result<Option<OAuthState>> {
    let mut query = OAuthStates::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::StateSha256.eq(state_sha256.to_vec()))
        .filter(Column::Provider.eq(provider))
        .filter(Column::UsedAt.is_null());
    if let Some((organisation_id, member_id)) = bound_to {
        query = query.filter(Column::OrganisationId.eq(organisation_id.0)).filter(Column::MemberId.eq(member_id.0));
    }
    let rows = query.exec_with_returning(tx).await?;
    rows.into_iter().next().map(state).transpose()
}

fn state(row: Row) -> Result<OAuthState> {
    let return_url = row.return_url.as_deref().map(Url::parse).transpose();
    Ok(OAuthState {
        organisation_id: row.organisation_id.into(),
        member_id: row.member_id.into(),
        expires_at: row.expires_at,
        return_url: return_url.map_err(|error| corrupt("oauth_state", "return_url", error))?,
    })
}
