//! Links of organisations to GitHub installations, and recent proofs of members to administer one.
//!
//! Not here: GitHub's data on the installations.

use ::entity::{
    github_installation::{self, Entity as Installations},
    github_link::{ActiveModel, Column, Entity as Links, Model as Row},
    github_proof::{self, Entity as Proofs},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use super::installations::{self, StoredInstallation};
use crate::{
    domain::{
        Result,
        ambient::Time,
        github::link::GithubLink,
        ids::{MemberId, OrganisationId},
    },
    store::Tx,
};

/// Inserts a link. `false` if the organisation has it already: nothing is changed then.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, link: &GithubLink) -> Result<bool> {
    let row = ActiveModel {
        id: Set(link.id.0),
        organisation_id: Set(link.organisation_id.0),
        installation_id: Set(link.installation_id),
        created_by: Set(link.created_by.0),
        created_at: Set(link.created_at),
    };
    let there = OnConflict::columns([Column::OrganisationId, Column::InstallationId]).do_nothing().to_owned();
    Ok(Links::insert(row).on_conflict(there).exec_without_returning(tx).await? == 1)
}

/// Deletes an organisation's link to an installation, and no other organisation's. Returns true if there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, organisation_id: OrganisationId, installation_id: i64) -> Result<bool> {
    let deleted = Links::delete_many()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::InstallationId.eq(installation_id))
        .exec(tx)
        .await?;
    Ok(deleted.rows_affected > 0)
}

/// Deletes every link to a deleted installation, and returns them.
///
/// # Errors
/// When the database fails.
pub async fn delete_all(tx: &Tx, installation_id: i64) -> Result<Vec<GithubLink>> {
    let rows = Links::delete_many().filter(Column::InstallationId.eq(installation_id)).exec_with_returning(tx).await?;
    Ok(rows.into_iter().map(link).collect())
}

/// Lists the links of an organisation, oldest first, each with its installation.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
) -> Result<Vec<(GithubLink, StoredInstallation)>> {
    let record =
        Links::belongs_to(Installations).from(Column::InstallationId).to(github_installation::Column::GithubId).into();
    let rows = Links::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .join(JoinType::InnerJoin, record)
        .select_also(Installations)
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    let both = |(row, record): (Row, Option<github_installation::Model>)| {
        record.map(|record| Ok((link(row), installations::stored(record)?)))
    };
    rows.into_iter().filter_map(both).collect()
}

/// Finds an organisation's link to an installation.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    installation_id: i64,
) -> Result<Option<GithubLink>> {
    let row = Links::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::InstallationId.eq(installation_id))
        .one(db)
        .await?;
    Ok(row.map(link))
}

/// Lists the organisations that linked an installation, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn organisations(db: &impl ConnectionTrait, installation_id: i64) -> Result<Vec<OrganisationId>> {
    let rows = Links::find()
        .filter(Column::InstallationId.eq(installation_id))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.organisation_id.into()).collect())
}

/// Saves a member's proof to administer an installation.
///
/// # Errors
/// When the database fails.
pub async fn save_proof(tx: &Tx, member_id: MemberId, installation_id: i64, expires_at: Time) -> Result<()> {
    use github_proof::{ActiveModel, Column};
    let row =
        ActiveModel { member_id: Set(member_id.0), installation_id: Set(installation_id), expires_at: Set(expires_at) };
    let there =
        OnConflict::columns([Column::MemberId, Column::InstallationId]).update_column(Column::ExpiresAt).to_owned();
    Proofs::insert(row).on_conflict(there).exec_without_returning(tx).await?;
    Ok(())
}

/// Removes the proofs that have expired. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_expired_proofs(db: &impl ConnectionTrait, now: Time) -> Result<u64> {
    let expired = github_proof::Column::ExpiresAt.lte(now);
    Ok(Proofs::delete_many().filter(expired).exec(db).await?.rows_affected)
}

/// Returns true if a member has an unexpired proof to administer an installation.
///
/// # Errors
/// When the database fails.
pub async fn has_proof(
    db: &impl ConnectionTrait,
    member_id: MemberId,
    installation_id: i64,
    now: Time,
) -> Result<bool> {
    let row = Proofs::find_by_id((member_id.0, installation_id)).one(db).await?;
    Ok(row.is_some_and(|row| row.expires_at > now))
}

fn link(row: Row) -> GithubLink {
    GithubLink {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        installation_id: row.installation_id,
        created_by: row.created_by.into(),
        created_at: row.created_at,
    }
}
