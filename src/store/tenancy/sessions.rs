//! Sessions of browsers. The secret's hash never leaves this layer.
//!
//! Not here: the secrets, and the lifetimes.

use ::entity::session::{ActiveModel, Column, Entity as Sessions, Model as Row};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use url::Url;

use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::SessionId,
        tenancy::session::{PortalPage, Session, Theme},
    },
    store::{Tx, corrupt},
};

/// State of a session that is inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Opened: the hash is that of its secret.
    Open,
    /// To be opened once: the hash is that of its code.
    Waiting,
}

/// Inserts a session.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, session: &Session, secret_sha256: [u8; 32], state: State) -> Result<()> {
    let pages: Vec<&str> = session.pages.iter().map(|page| page.as_str()).collect();
    let row = ActiveModel {
        id: Set(session.id.0),
        organisation_id: Set(session.organisation_id.0),
        member_id: Set(session.member_id.0),
        token_id: Set(session.token_id.map(|id| id.0)),
        secret_sha256: Set(secret_sha256.to_vec()),
        pages: Set(pages.join(",")),
        theme: Set(session.theme.as_str().to_owned()),
        return_url: Set(session.return_url.as_ref().map(Url::to_string)),
        embedded: Set(session.embedded),
        opened_at: Set((state == State::Open).then_some(session.created_at)),
        expires_at: Set(session.expires_at),
        created_at: Set(session.created_at),
    };
    Sessions::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds an opened session by the hash of its secret.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, secret_sha256: [u8; 32]) -> Result<Option<Session>> {
    let query = Sessions::find().filter(Column::SecretSha256.eq(secret_sha256.to_vec()));
    query.filter(Column::OpenedAt.is_not_null()).one(db).await?.map(session).transpose()
}

/// Opens a waiting session by the hash of its code, and gives it the hash of its secret and an expiry. `None` if there is
/// none, it was opened already, or it waited too long.
///
/// # Errors
/// When the database fails.
pub async fn open(
    tx: &Tx,
    code_sha256: [u8; 32],
    secret_sha256: [u8; 32],
    (now, expires_at): (Time, Time),
) -> Result<Option<Session>> {
    let rows = Sessions::update_many()
        .col_expr(Column::OpenedAt, Expr::value(now))
        .col_expr(Column::SecretSha256, Expr::value(secret_sha256.to_vec()))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::SecretSha256.eq(code_sha256.to_vec()))
        .filter(Column::OpenedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(tx)
        .await?;
    rows.into_iter().next().map(session).transpose()
}

/// Deletes a session. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: SessionId) -> Result<bool> {
    Ok(Sessions::delete_by_id(id.0).exec(tx).await?.rows_affected > 0)
}

/// Removes the sessions that have expired. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_expired(db: &impl ConnectionTrait, now: Time) -> Result<u64> {
    Ok(Sessions::delete_many().filter(Column::ExpiresAt.lte(now)).exec(db).await?.rows_affected)
}

fn session(row: Row) -> Result<Session> {
    let damaged = |column, value: &str| corrupt("session", column, format!("{value:?} is unknown"));
    let pages = row.pages.split(',').filter(|name| !name.is_empty());
    let pages =
        pages.map(|name| PortalPage::parse(name).ok_or_else(|| damaged("pages", name))).collect::<Result<_>>()?;
    let return_url = row.return_url.as_deref().map(Url::parse).transpose();
    Ok(Session {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        member_id: row.member_id.into(),
        token_id: row.token_id.map(Into::into),
        pages,
        theme: Theme::parse(&row.theme).ok_or_else(|| damaged("theme", &row.theme))?,
        return_url: return_url.map_err(|error| corrupt("session", "return_url", error))?,
        embedded: row.embedded,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}
