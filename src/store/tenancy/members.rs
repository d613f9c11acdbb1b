//! Members of organisations.
//!
//! Not here: their permissions (`domain::tenancy::member`).

use ::entity::member::{ActiveModel, Column, Entity as Members, Model as Row};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{MemberId, OrganisationId, UserId},
        page::{Page, PageRequest},
        tenancy::member::{Member, Role, Unproven},
    },
    store::{Tx, corrupt, is_unique_violation},
};

/// Inserts a member.
///
/// # Errors
/// [`Error::Conflict`] if the user, the username or the subject is in the organisation already.
pub async fn insert(tx: &Tx, member: &Member) -> Result<()> {
    let row = ActiveModel { created_at: Set(member.created_at), ..row(member) };
    Members::insert(row).exec_without_returning(tx).await.map(drop).map_err(|error| conflict(error, member))
}

/// Updates a member.
///
/// # Errors
/// [`Error::Conflict`] if the username or the subject is another member's.
pub async fn update(tx: &Tx, member: &Member) -> Result<()> {
    Members::update(row(member)).exec(tx).await.map(drop).map_err(|error| conflict(error, member))
}

/// Deletes a member; its tokens are deleted with it.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: MemberId) -> Result<()> {
    Members::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds a user's membership of an organisation.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, user_id: UserId) -> Result<Member> {
    let row = Members::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::UserId.eq(user_id.0))
        .one(db)
        .await?;
    member(row.ok_or_else(|| Error::not_found(Noun::Member, user_id))?)
}

/// Finds a membership by its own id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_by_id(db: &impl ConnectionTrait, id: MemberId) -> Result<Member> {
    member(Members::find_by_id(id.0).one(db).await?.ok_or_else(|| Error::not_found(Noun::Member, id))?)
}

/// Finds a member by username.
///
/// # Errors
/// When the database fails.
pub async fn find_by_username(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    username: &str,
) -> Result<Option<Member>> {
    Members::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Username.eq(username))
        .one(db)
        .await?
        .map(member)
        .transpose()
}

/// Finds a member by username, ignoring case; of several, the one in the same case.
///
/// # Errors
/// When the database fails.
pub async fn find_by_username_alike(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    username: &str,
) -> Result<Option<Member>> {
    let lower = Expr::expr(Func::lower(Expr::col(Column::Username)));
    let mut alike = Members::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(lower.eq(username.to_ascii_lowercase()))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    alike.sort_by_key(|row| row.username != username);
    alike.into_iter().next().map(member).transpose()
}

/// Lists the members of an organisation with this e-mail address. The case of ASCII letters does not matter; that of
/// others does, for Unicode makes a small k of the sign for Kelvin, and so one address of another.
///
/// # Errors
/// When the database fails.
pub async fn find_by_email(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    email: &str,
) -> Result<Vec<Member>> {
    let lower = Expr::expr(Func::lower(Expr::col(Column::Email)));
    let alike = lower.eq(email.to_ascii_lowercase()).or(Column::Email.eq(email));
    let rows = Members::find().filter(Column::OrganisationId.eq(organisation_id.0)).filter(alike).all(db).await?;
    // A database may fold more letters than ASCII's.
    let same = |row: &Row| row.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(email));
    rows.into_iter().filter(same).map(member).collect()
}

/// Lists the members of all organisations with this e-mail address, as [`find_by_email`] compares it.
///
/// # Errors
/// When the database fails.
pub async fn of_email(db: &impl ConnectionTrait, email: &str) -> Result<Vec<Member>> {
    let lower = Expr::expr(Func::lower(Expr::col(Column::Email)));
    let rows = Members::find().filter(lower.eq(email.to_ascii_lowercase())).order_by_asc(Column::Id).all(db).await?;
    let same = |row: &Row| row.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(email));
    rows.into_iter().filter(same).map(member).collect()
}

/// Lists every membership named by a JWT's `sub`, accepted or not: by a user's id, or by the subject of an external
/// issuer.
///
/// # Errors
/// When the database fails.
pub async fn of_subject(db: &impl ConnectionTrait, subject: &str) -> Result<Vec<Member>> {
    let mut who = Condition::any().add(Column::Subject.eq(subject));
    if let Ok(user_id) = Uuid::parse_str(subject) {
        who = who.add(Column::UserId.eq(user_id));
    }
    Members::find().filter(who).order_by_asc(Column::Id).all(db).await?.into_iter().map(member).collect()
}

/// Locks the memberships of a user, so that one transaction at a time counts and adds to them.
///
/// # Errors
/// When the database fails.
pub async fn lock_user(tx: &Tx, user_id: UserId) -> Result<()> {
    let query = Members::find().select_only().column(Column::Id).filter(Column::UserId.eq(user_id.0));
    let _: Vec<Uuid> = query.order_by_asc(Column::Id).lock_exclusive().into_tuple().all(tx).await?;
    Ok(())
}

/// Lists the members of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    page: PageRequest,
) -> Result<Page<Member>> {
    let mut query = Members::find().filter(Column::OrganisationId.eq(organisation_id.0));
    if let Some(after) = page.after {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    let members = rows.into_iter().map(member).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(members, page.limit, |member| member.id.0))
}

/// Finds the longest-standing owner of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn first_owner(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Option<Member>> {
    let row = Members::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Role.eq(Role::Owner.as_str()))
        .order_by_asc(Column::Id)
        .one(db)
        .await?;
    row.map(member).transpose()
}

/// Counts the owners of an organisation with all permissions of owners. They are locked until the transaction ends, so
/// that of two who leave at the same time one stays.
///
/// # Errors
/// When the database fails.
pub async fn count_owners(tx: &Tx, organisation_id: OrganisationId) -> Result<u64> {
    let owners: Vec<Uuid> = Members::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Role.eq(Role::Owner.as_str()))
        .filter(Column::Permissions.is_null())
        .filter(is_member())
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await?;
    Ok(owners.len() as u64)
}

/// Selects members, except those who are only invited, as [`Member::is_invited`].
fn is_member() -> Condition {
    let subject = Column::Subject.is_not_null().and(Column::SubjectUnproven.eq(false));
    Condition::any().add(Column::UserUnproven.eq(false)).add(subject)
}

fn conflict(error: sea_orm::DbErr, member: &Member) -> Error {
    if is_unique_violation(&error) {
        let message = format!(
            "the user, the username {:?} or the subject is a member of the organisation already",
            member.username
        );
        Error::Conflict { noun: Noun::Member, message }
    } else {
        error.into()
    }
}

fn row(member: &Member) -> ActiveModel {
    let permissions =
        member.permissions.as_ref().map(|set| set.iter().map(|permission| permission.as_str()).collect::<Vec<_>>());
    ActiveModel {
        id: Set(member.id.0),
        organisation_id: Set(member.organisation_id.0),
        user_id: Set(member.user_id.0),
        username: Set(member.username.clone()),
        email: Set(member.email.clone()),
        subject: Set(member.subject.clone()),
        role: Set(member.role.as_str().to_owned()),
        permissions: Set(permissions.map(serde_json::Value::from)),
        user_unproven: Set(member.unproven.user),
        subject_unproven: Set(member.unproven.subject),
        ..Default::default()
    }
}

fn member(row: Row) -> Result<Member> {
    let permissions = row
        .permissions
        .map(|json| crate::store::tenancy::tokens::permissions(&json))
        .transpose()
        .map_err(|error| corrupt("member", "permissions", error))?;
    Ok(Member {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        user_id: row.user_id.into(),
        username: row.username,
        email: row.email,
        subject: row.subject,
        role: row.role.parse().map_err(|error| corrupt("member", "role", error))?,
        permissions,
        unproven: Unproven { user: row.user_unproven, subject: row.subject_unproven },
        created_at: row.created_at,
    })
}
