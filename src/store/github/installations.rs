//! GitHub's data on installations of our app and their repositories. These rows belong to no organisation:
//! `github_link` maps organisations to installations.
//!
//! Webhooks come in any order and more than once. So a row keeps the time of GitHub's last change, older data is
//! ignored, and a deleted installation stays as a tombstone: GitHub never reuses its number. Not here: the links
//! (`github/links.rs`).

use ::entity::{
    github_installation::{ActiveModel, Column, Entity as Installations, Model as Row},
    github_repository::{self, Entity as Repositories},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        github::{GithubAccount, GithubInstallation, GithubRepository},
        ids::GithubInstallationId,
    },
    store::{Tx, corrupt, kernel::batches},
};

/// An installation with the id of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInstallation {
    /// The record's id.
    pub id: GithubInstallationId,
    /// GitHub's data.
    pub installation: GithubInstallation,
}

/// Saves GitHub's data on an installation, unless newer data is known or it was deleted.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, id: GithubInstallationId, installation: &GithubInstallation, now: Time) -> Result<()> {
    upsert(tx, id, installation, None, now).await
}

/// Marks an installation as deleted, permanently.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: GithubInstallationId, installation: &GithubInstallation, now: Time) -> Result<()> {
    upsert(tx, id, installation, Some(now), now).await
}

async fn upsert(
    tx: &Tx,
    id: GithubInstallationId,
    installation: &GithubInstallation,
    deleted_at: Option<Time>,
    now: Time,
) -> Result<()> {
    let row = ActiveModel {
        id: Set(id.0),
        github_id: Set(installation.id),
        app_id: Set(installation.app_id),
        account_id: Set(installation.account.id),
        account_login: Set(installation.account.login.clone()),
        account_type: Set(installation.account.kind.as_str().to_owned()),
        account_url: Set(installation.account.html_url.clone()),
        events: Set(installation.events.clone().into()),
        all_repositories: Set(installation.all_repositories),
        suspended_at: Set(installation.suspended_at),
        deleted_at: Set(deleted_at),
        changed_at: Set(installation.updated_at),
        created_at: Set(now),
    };
    let known = |column| Expr::col((Installations, column));
    let mut there = OnConflict::column(Column::GithubId);
    there.update_columns([
        Column::AccountLogin,
        Column::AccountType,
        Column::AccountUrl,
        Column::Events,
        Column::AllRepositories,
        Column::SuspendedAt,
        Column::DeletedAt,
        Column::ChangedAt,
    ]);
    there.action_and_where(known(Column::DeletedAt).is_null());
    if deleted_at.is_none() {
        there.action_and_where(known(Column::ChangedAt).lte(installation.updated_at));
    }
    Installations::insert(row).on_conflict(there.to_owned()).exec_without_returning(tx).await?;
    Ok(())
}

/// Renames an account, which is identified by its number.
///
/// # Errors
/// When the database fails.
pub async fn rename_account(tx: &Tx, account_id: i64, login: &str, html_url: &str) -> Result<()> {
    Installations::update_many()
        .col_expr(Column::AccountLogin, Expr::value(login))
        .col_expr(Column::AccountUrl, Expr::value(html_url))
        .filter(Column::AccountId.eq(account_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Finds an installation by GitHub's number; `None` also for a deleted one.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, github_id: i64) -> Result<Option<StoredInstallation>> {
    let query = Installations::find().filter(Column::GithubId.eq(github_id)).filter(Column::DeletedAt.is_null());
    query.one(db).await?.map(stored).transpose()
}

/// Finds an installation by the record's id; `None` also for a deleted one.
///
/// # Errors
/// When the database fails.
pub async fn find_by_record(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<StoredInstallation>> {
    let query = Installations::find_by_id(id).filter(Column::DeletedAt.is_null());
    query.one(db).await?.map(stored).transpose()
}

/// Finds an installation by GitHub's number, and requires that it exists.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn demand(db: &impl ConnectionTrait, github_id: i64) -> Result<StoredInstallation> {
    find(db, github_id).await?.ok_or_else(|| Error::not_found(Noun::GithubInstallation, github_id))
}

/// Saves repositories that were granted to an installation, or removed from it, unless newer data on them is known.
///
/// # Errors
/// When the database fails.
pub async fn save_repositories(
    tx: &Tx,
    installation_id: i64,
    repositories: &[GithubRepository],
    removed: bool,
    changed_at: Time,
) -> Result<()> {
    use github_repository::{ActiveModel, Column};
    let there = OnConflict::columns([Column::InstallationId, Column::GithubId])
        .update_columns([Column::FullName, Column::Private, Column::Removed, Column::ChangedAt])
        .action_and_where(Expr::col((Repositories, Column::ChangedAt)).lte(changed_at))
        .to_owned();
    for run in batches::runs(repositories) {
        let rows = run.iter().map(|repository| ActiveModel {
            installation_id: Set(installation_id),
            github_id: Set(repository.id),
            full_name: Set(repository.full_name.clone()),
            private: Set(repository.private),
            removed: Set(removed),
            changed_at: Set(changed_at),
        });
        Repositories::insert_many(rows).on_conflict(there.clone()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Replaces the repositories of an installation known before `asked_at` by the complete list.
///
/// # Errors
/// When the database fails.
pub async fn replace_repositories(
    tx: &Tx,
    installation_id: i64,
    repositories: &[GithubRepository],
    asked_at: Time,
) -> Result<()> {
    use github_repository::Column;
    Repositories::update_many()
        .col_expr(Column::Removed, Expr::value(true))
        .filter(Column::InstallationId.eq(installation_id))
        .filter(Column::ChangedAt.lte(asked_at))
        .exec(tx)
        .await?;
    save_repositories(tx, installation_id, repositories, false, asked_at).await
}

/// Returns true if GitHub reported a repository as removed from an installation. An unknown one counts as visible.
///
/// # Errors
/// When the database fails.
pub async fn is_removed(db: &impl ConnectionTrait, installation_id: i64, repository_id: i64) -> Result<bool> {
    let row = Repositories::find_by_id((installation_id, repository_id)).one(db).await?;
    Ok(row.is_some_and(|row| row.removed))
}

/// Lists the repositories that an installation may see, as far as they were reported.
///
/// # Errors
/// When the database fails.
pub async fn repositories(db: &impl ConnectionTrait, installation_id: i64) -> Result<Vec<GithubRepository>> {
    use github_repository::Column;
    let rows = Repositories::find()
        .filter(Column::InstallationId.eq(installation_id))
        .filter(Column::Removed.eq(false))
        .all(db)
        .await?;
    let repository = |row: github_repository::Model| GithubRepository {
        id: row.github_id,
        full_name: row.full_name,
        private: row.private,
    };
    Ok(rows.into_iter().map(repository).collect())
}

pub(super) fn stored(row: Row) -> Result<StoredInstallation> {
    let events = row.events.as_array().into_iter().flatten().filter_map(|name| name.as_str());
    let events = events.map(str::to_owned).collect();
    let installation = GithubInstallation {
        id: row.github_id,
        app_id: row.app_id,
        account: GithubAccount {
            id: row.account_id,
            login: row.account_login,
            kind: row.account_type.parse().map_err(|error| corrupt("github_installation", "account_type", error))?,
            html_url: row.account_url,
        },
        events,
        all_repositories: row.all_repositories,
        suspended_at: row.suspended_at,
        updated_at: row.changed_at,
    };
    Ok(StoredInstallation { id: row.id.into(), installation })
}
