//! Names: one small table for the whole service, with the data that all versions of an integration
//! share.
//!
//! Not here: the rules for names (`domain::registry`).

use ::entity::{
    registry_name::{ActiveModel, Column, Entity as Names},
    registry_version::{Column as VersionColumn, Entity as Versions},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::key::key;
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        ids::OrganisationId,
        registry::{
            Around, Entry, Known,
            definition::{Issue, Rule, Version, Visibility},
            published_before, same_major_before,
        },
        tenancy::organisation::Organisation,
    },
    store::{Tx, corrupt},
};

/// Reads the state of the registry for a name in a workspace. It identifies another owner by its identifier alone.
///
/// # Errors
/// When the database fails.
pub async fn around(
    db: &impl ConnectionTrait,
    workspace: &Organisation,
    (entry, version): (Option<Entry<'_>>, Option<&Version>),
    most_names: u64,
) -> Result<Around> {
    let mut around = Around {
        organisation_id: workspace.id,
        handle: workspace.slug.as_str().to_owned(),
        owner: None,
        names: 0,
        most_names,
        versions: Vec::new(),
        before: None,
        secrets_of: None,
    };
    let Some(entry) = entry else { return Ok(around) };
    let owner = Names::find_by_id(key(entry)).select_only().column(Column::OrganisationId);
    let owner: Option<Uuid> = owner.into_tuple().one(db).await?;
    around.owner = owner.map(OrganisationId);
    if around.owner.is_none() {
        around.names = Names::find().filter(Column::OrganisationId.eq(workspace.id.0)).count(db).await?;
    }
    if around.owner == Some(workspace.id) {
        around.versions = versions(db, workspace.id, entry).await?;
    }
    let Some(version) = version else { return Ok(around) };
    if let Some(before) = published_before(version, &around.versions) {
        around.before = crate::store::registry::definition(db, before.id).await?;
    }
    if let Some(Known { id, .. }) = same_major_before(version, &around.versions) {
        let names = Versions::find_by_id(id.0).select_only().column(VersionColumn::SecretNames);
        let names: Option<serde_json::Value> = names.into_tuple().one(db).await?;
        let names = serde_json::from_value(names.unwrap_or_default());
        around.secrets_of = Some((*id, names.map_err(|error| corrupt("registry_version", "secret_names", error))?));
    }
    Ok(around)
}

/// Lists the versions of a workspace's integration.
///
/// # Errors
/// When the database fails.
pub(super) async fn versions(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    entry: Entry<'_>,
) -> Result<Vec<Known>> {
    let rows: Vec<(Uuid, String, bool, String)> = Versions::find()
        .select_only()
        .columns([VersionColumn::IntegrationId, VersionColumn::Version, VersionColumn::Dev, VersionColumn::Visibility])
        .filter(VersionColumn::OrganisationId.eq(organisation_id.0))
        .filter(VersionColumn::Name.eq(key(entry).as_ref()))
        .into_tuple()
        .all(db)
        .await?;
    let known = |(id, version, dev, visibility): (Uuid, String, bool, String)| {
        Ok(Known {
            id: id.into(),
            version: Version::parse(&version).ok_or_else(|| corrupt("registry_version", "version", &version))?,
            dev,
            visibility: Visibility::named(&visibility)
                .ok_or_else(|| corrupt("registry_version", "visibility", &visibility))?,
        })
    };
    rows.into_iter().map(known).collect()
}

/// Reserves a name for the workspace, if it is free.
///
/// # Errors
/// [`Error::Issues`] if another workspace was first.
pub async fn claim_name(tx: &Tx, organisation_id: OrganisationId, entry: Entry<'_>, now: Time) -> Result<()> {
    let row = ActiveModel {
        name: Set(key(entry).into_owned()),
        organisation_id: Set(organisation_id.0),
        was_published: Set(false),
        installs: Set(0),
        views: Set(0),
        created_at: Set(now),
        icon_key: Set(None),
        icon: Set(None),
    };
    let there = OnConflict::column(Column::Name).do_nothing().to_owned();
    Names::insert(row).on_conflict(there).try_insert().exec_without_returning(tx).await?;
    let owner: Option<Uuid> =
        Names::find_by_id(key(entry)).select_only().column(Column::OrganisationId).into_tuple().one(tx).await?;
    if owner == Some(organisation_id.0) {
        return Ok(());
    }
    let issue = Issue::new(Rule::Reserved, "/name", "is already reserved by another workspace").found(entry.name);
    Err(Error::Issues(vec![issue]))
}

/// Records that a version of an integration was published: from then on its name stays reserved for its workspace.
///
/// # Errors
/// When the database fails.
pub async fn set_published(tx: &Tx, entry: Entry<'_>) -> Result<()> {
    Names::update_many()
        .col_expr(Column::WasPublished, Expr::value(true))
        .filter(Column::Name.eq(key(entry).as_ref()))
        .filter(Column::WasPublished.eq(false))
        .exec(tx)
        .await?;
    Ok(())
}

/// Releases a name without any version, unless one was ever published.
///
/// # Errors
/// When the database fails.
pub async fn release_name(tx: &Tx, organisation_id: OrganisationId, entry: Entry<'_>) -> Result<()> {
    let left = Versions::find()
        .filter(VersionColumn::OrganisationId.eq(organisation_id.0))
        .filter(VersionColumn::Name.eq(key(entry).as_ref()))
        .count(tx)
        .await?;
    if left == 0 {
        let query =
            Names::delete_many().filter(Column::Name.eq(key(entry).as_ref())).filter(Column::WasPublished.eq(false));
        query.exec(tx).await?;
    }
    Ok(())
}

/// Reads the icon of a name.
///
/// # Errors
/// When the database fails.
pub async fn icon_of(db: &impl ConnectionTrait, entry: Entry<'_>) -> Result<Option<String>> {
    let query = Names::find_by_id(key(entry)).select_only().column(Column::Icon);
    let found: Option<Option<String>> = query.into_tuple().one(db).await?;
    Ok(found.flatten())
}

/// Replaces the icon of an integration, under a new key.
///
/// # Errors
/// When the database fails.
pub async fn set_icon(tx: &Tx, entry: Entry<'_>, file_key: &str, icon: String) -> Result<()> {
    let row = ActiveModel {
        name: Set(key(entry).into_owned()),
        icon_key: Set(Some(file_key.to_owned())),
        icon: Set(Some(icon)),
        ..Default::default()
    };
    Names::update(row).exec(tx).await?;
    Ok(())
}

/// Adds to the number of views of an integration.
///
/// # Errors
/// When the database fails.
pub async fn add_views(tx: &Tx, entry: Entry<'_>, count: i64) -> Result<()> {
    Names::update_many()
        .col_expr(Column::Views, Expr::col(Column::Views).add(count))
        .filter(Column::Name.eq(key(entry).as_ref()))
        .exec(tx)
        .await?;
    Ok(())
}
