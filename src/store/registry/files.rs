//! Large parts of a version: code, readmes and icons.
//!
//! Not here: the definition.

use ::entity::{
    registry_name::{Column as NameColumn, Entity as Names},
    registry_source::{Column as SourceColumn, Entity as Sources},
    registry_version::{Column as VersionColumn, Entity as Versions},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::domain::{Result, ids::IntegrationId};

/// The large parts of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Markdown.
    pub readme: Option<String>,
    /// JavaScript.
    pub code: Option<String>,
}

/// Reads the code and the readme of a version.
///
/// # Errors
/// When the database fails.
pub async fn source(db: &impl ConnectionTrait, id: IntegrationId) -> Result<Source> {
    let row = Sources::find_by_id(id.0).one(db).await?;
    Ok(row.map(|row| Source { readme: row.readme, code: row.code }).unwrap_or_default())
}

/// Reads the readme of a version.
///
/// # Errors
/// When the database fails.
pub(super) async fn readme_of(db: &impl ConnectionTrait, id: IntegrationId) -> Result<Option<String>> {
    let query = Sources::find_by_id(id.0).select_only().column(SourceColumn::Readme);
    let found: Option<Option<String>> = query.into_tuple().one(db).await?;
    Ok(found.flatten())
}

/// Finds the icon with a key.
///
/// # Errors
/// When the database fails.
pub async fn icon(db: &impl ConnectionTrait, key: &str) -> Result<Option<String>> {
    let query = Names::find().select_only().column(NameColumn::Icon).filter(NameColumn::IconKey.eq(key));
    let found: Option<Option<String>> = query.into_tuple().one(db).await?;
    Ok(found.flatten())
}

/// Finds the readme with a key.
///
/// # Errors
/// When the database fails.
pub async fn readme(db: &impl ConnectionTrait, key: &str) -> Result<Option<String>> {
    let query =
        Versions::find().select_only().column(VersionColumn::IntegrationId).filter(VersionColumn::ReadmeKey.eq(key));
    let found: Option<Uuid> = query.into_tuple().one(db).await?;
    match found {
        Some(id) => readme_of(db, id.into()).await,
        None => Ok(None),
    }
}
