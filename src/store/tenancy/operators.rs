//! Tokens and sessions of operators. The hashes of their secrets never leave this layer but for comparison.
//!
//! Not here: the secrets, and the lifetimes.

use ::entity::{
    operator_session::{self, Entity as Sessions},
    operator_token::{ActiveModel, Column, Entity as Tokens, Model as Row},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};

use crate::domain::{
    Result,
    ambient::Time,
    ids::{OperatorTokenId, SessionId},
    tenancy::operator::OperatorToken,
};

/// Inserts a token.
///
/// # Errors
/// When the database fails.
pub async fn insert(db: &impl ConnectionTrait, token: &OperatorToken, secret_sha256: [u8; 32]) -> Result<()> {
    let row = ActiveModel {
        id: Set(token.id.0),
        name: Set(token.name.clone()),
        secret_sha256: Set(secret_sha256.to_vec()),
        expires_at: Set(token.expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
        created_at: Set(token.created_at),
    };
    Tokens::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Finds a token by its identifier, with the hash of its secret.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, id: OperatorTokenId) -> Result<Option<(OperatorToken, Vec<u8>)>> {
    let found = Tokens::find_by_id(id.0).one(db).await?;
    Ok(found.map(|mut row| {
        let secret_sha256 = std::mem::take(&mut row.secret_sha256);
        (token(row), secret_sha256)
    }))
}

/// Lists the tokens, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<OperatorToken>> {
    Ok(Tokens::find().order_by_desc(Column::Id).all(db).await?.into_iter().map(token).collect())
}

/// Marks a token as revoked; idempotent. Its sessions end with it.
///
/// # Errors
/// When the database fails.
pub async fn revoke(db: &impl ConnectionTrait, id: OperatorTokenId, now: Time) -> Result<()> {
    let query = Tokens::update_many().col_expr(Column::RevokedAt, Expr::value(now)).filter(Column::Id.eq(id.0));
    query.filter(Column::RevokedAt.is_null()).exec(db).await?;
    Ok(())
}

/// Records the last use of a token.
///
/// # Errors
/// When the database fails.
pub async fn touch(db: &impl ConnectionTrait, id: OperatorTokenId, now: Time) -> Result<()> {
    Tokens::update_many().col_expr(Column::LastUsedAt, Expr::value(now)).filter(Column::Id.eq(id.0)).exec(db).await?;
    Ok(())
}

/// A session of an operator's browser, with the token that it came from.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// Its identifier.
    pub id: SessionId,
    /// The token, which has to be valid still.
    pub token: OperatorToken,
    /// Time at which it ends.
    pub expires_at: Time,
}

/// Inserts a session.
///
/// # Errors
/// When the database fails.
pub async fn insert_session(
    db: &impl ConnectionTrait,
    session: &StoredSession,
    secret_sha256: [u8; 32],
    now: Time,
) -> Result<()> {
    let row = operator_session::ActiveModel {
        id: Set(session.id.0),
        token_id: Set(session.token.id.0),
        secret_sha256: Set(secret_sha256.to_vec()),
        expires_at: Set(session.expires_at),
        created_at: Set(now),
    };
    Sessions::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Finds a session by the hash of its secret.
///
/// # Errors
/// When the database fails.
pub async fn find_session(db: &impl ConnectionTrait, secret_sha256: [u8; 32]) -> Result<Option<StoredSession>> {
    let query = Sessions::find().filter(operator_session::Column::SecretSha256.eq(secret_sha256.to_vec()));
    let Some(row) = query.one(db).await? else { return Ok(None) };
    let token = find(db, row.token_id.into()).await?;
    Ok(token.map(|(token, _)| StoredSession { id: row.id.into(), token, expires_at: row.expires_at }))
}

/// Deletes a session. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete_session(db: &impl ConnectionTrait, id: SessionId) -> Result<bool> {
    Ok(Sessions::delete_by_id(id.0).exec(db).await?.rows_affected > 0)
}

/// Removes the sessions that have expired. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_expired_sessions(db: &impl ConnectionTrait, now: Time) -> Result<u64> {
    let query = Sessions::delete_many().filter(operator_session::Column::ExpiresAt.lte(now));
    Ok(query.exec(db).await?.rows_affected)
}

fn token(row: Row) -> OperatorToken {
    OperatorToken {
        id: row.id.into(),
        name: row.name,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
        created_at: row.created_at,
    }
}
