//! Names in the registry, unique in the whole service, with the data shared by all versions of one. `icon` is SVG. Names
//! of interfaces have a prefix.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_name")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub organisation_id: Uuid,
    pub was_published: bool,
    pub installs: i64,
    pub views: i64,
    pub created_at: DateTimeUtc,
    pub icon_key: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub icon: Option<String>,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
