//! Organisations.
//!
//! Not here: their members.

use ::entity::organisation::{ActiveModel, Column, Entity as Organisations, Model as Row};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::OrganisationId,
        tenancy::organisation::{Organisation, Slug},
    },
    store::{Tx, corrupt, is_unique_violation, kernel::batches},
};

/// Inserts an organisation.
///
/// # Errors
/// [`Error::Conflict`] if the slug is taken.
pub async fn insert(tx: &Tx, organisation: &Organisation) -> Result<()> {
    let row = ActiveModel {
        id: Set(organisation.id.0),
        slug: Set(organisation.slug.as_str().to_owned()),
        name: Set(organisation.name.clone()),
        created_at: Set(organisation.created_at),
        configuration_version: Set(0),
        retry_schedule: Set(None),
        frame_ancestors: Set(None),
    };
    match Organisations::insert(row).exec_without_returning(tx).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(Error::Conflict {
            noun: Noun::Organisation,
            message: format!("the slug {:?} is taken; choose another", organisation.slug.as_str()),
        }),
        Err(error) => Err(error.into()),
    }
}

/// Locks an organisation, so that one transaction at a time counts its resources and adds to them.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: OrganisationId) -> Result<()> {
    let query = Organisations::find_by_id(id.0).select_only().column(Column::Id).lock_exclusive();
    let _: Option<Uuid> = query.into_tuple().one(tx).await?;
    Ok(())
}

/// Updates the name.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, organisation: &Organisation) -> Result<()> {
    let row = ActiveModel { id: Set(organisation.id.0), name: Set(organisation.name.clone()), ..Default::default() };
    Organisations::update(row).exec(tx).await?;
    Ok(())
}

/// Raises the configuration version of an organisation: rules in the memory of a process that are of an earlier one are
/// loaded again.
///
/// # Errors
/// When the database fails.
pub async fn raise_configuration_version(tx: &Tx, id: OrganisationId) -> Result<()> {
    Organisations::update_many()
        .col_expr(Column::ConfigurationVersion, Expr::col(Column::ConfigurationVersion).add(1))
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Returns the configuration versions of some organisations.
///
/// # Errors
/// When the database fails.
pub async fn configuration_versions(
    db: &impl ConnectionTrait,
    ids: &[OrganisationId],
) -> Result<Vec<(OrganisationId, i64)>> {
    let query = Organisations::find().select_only().column(Column::Id).column(Column::ConfigurationVersion);
    let ids = batches::filled(ids.iter().map(|id| id.0));
    let found: Vec<(Uuid, i64)> = query.filter(Column::Id.is_in(ids)).into_tuple().all(db).await?;
    Ok(found.into_iter().map(|(id, version)| (id.into(), version)).collect())
}

/// Deletes an organisation with all that belongs to it, except events, deliveries and their attempts.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: OrganisationId) -> Result<()> {
    Organisations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds an organisation by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, id: OrganisationId) -> Result<Organisation> {
    let row = Organisations::find_by_id(id.0).one(db).await?;
    organisation(row.ok_or_else(|| Error::not_found(Noun::Organisation, id))?)
}

/// Finds an organisation by its handle.
///
/// # Errors
/// When the database fails.
pub async fn find_by_slug(db: &impl ConnectionTrait, slug: &Slug) -> Result<Option<Organisation>> {
    Organisations::find().filter(Column::Slug.eq(slug.as_str())).one(db).await?.map(organisation).transpose()
}

/// Lists the organisations with these ids.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, ids: &[OrganisationId]) -> Result<Vec<Organisation>> {
    let ids = ids.iter().map(|id| id.0);
    Organisations::find().filter(Column::Id.is_in(ids)).all(db).await?.into_iter().map(organisation).collect()
}

pub(in crate::store) fn organisation(row: Row) -> Result<Organisation> {
    Ok(Organisation {
        id: row.id.into(),
        slug: Slug::parse(&row.slug).map_err(|error| corrupt("organisation", "slug", error))?,
        name: row.name,
        created_at: row.created_at,
    })
}
