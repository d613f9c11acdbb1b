//! Personal access tokens. The secret's hash never leaves this layer but for comparison.
//!
//! Not here: the text of a token.

use std::collections::BTreeSet;

use ::entity::token::{ActiveModel, Column, Entity as Tokens, Model as Row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};

use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{MemberId, OrganisationId, TokenId},
        page::{Page, PageRequest},
        tenancy::{member::Permission, token::Token},
    },
    store::{Tx, corrupt},
};

/// Inserts a token.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, token: &Token, secret_sha256: [u8; 32]) -> Result<()> {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let row = ActiveModel {
        id: Set(token.id.0),
        organisation_id: Set(token.organisation_id.0),
        member_id: Set(token.member_id.0),
        user_id: Set(token.user_id.0),
        name: Set(token.name.clone()),
        secret_sha256: Set(secret_sha256.to_vec()),
        scopes: Set(scopes.into()),
        expires_at: Set(token.expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
        created_at: Set(token.created_at),
    };
    Tokens::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a token by its identifier, with the hash of its secret.
///
/// # Errors
/// When the database fails.
pub async fn find_with_secret(db: &impl ConnectionTrait, id: TokenId) -> Result<Option<(Token, Vec<u8>)>> {
    let Some(row) = Tokens::find_by_id(id.0).one(db).await? else { return Ok(None) };
    let secret_sha256 = row.secret_sha256.clone();
    Ok(Some((token(row)?, secret_sha256)))
}

/// Finds a token by its identifier, within an organisation.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: TokenId) -> Result<Token> {
    let row = Tokens::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).one(db).await?;
    token(row.ok_or_else(|| Error::not_found(Noun::Token, id))?)
}

/// Lists the tokens of a member, or of all members of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    member_id: Option<MemberId>,
    page: PageRequest,
) -> Result<Page<Token>> {
    let mut query = Tokens::find().filter(Column::OrganisationId.eq(organisation_id.0));
    if let Some(member_id) = member_id {
        query = query.filter(Column::MemberId.eq(member_id.0));
    }
    if let Some(after) = page.after {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    let tokens = rows.into_iter().map(token).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(tokens, page.limit, |token| token.id.0))
}

/// Marks a token as revoked; idempotent.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &Tx, id: TokenId, now: Time) -> Result<()> {
    Tokens::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.eq(id.0))
        .filter(Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Records the last use of a token.
///
/// # Errors
/// When the database fails.
pub async fn touch(db: &impl ConnectionTrait, id: TokenId, now: Time) -> Result<()> {
    Tokens::update_many().col_expr(Column::LastUsedAt, Expr::value(now)).filter(Column::Id.eq(id.0)).exec(db).await?;
    Ok(())
}

/// Parses a JSON list of permission names.
pub(in crate::store) fn permissions(json: &serde_json::Value) -> Result<BTreeSet<Permission>> {
    json.as_array().into_iter().flatten().filter_map(|name| name.as_str()).map(str::parse).collect()
}

fn token(row: Row) -> Result<Token> {
    Ok(Token {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        member_id: row.member_id.into(),
        user_id: row.user_id.into(),
        name: row.name,
        scopes: permissions(&row.scopes).map_err(|error| corrupt("token", "scopes", error))?,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
        created_at: row.created_at,
    })
}
