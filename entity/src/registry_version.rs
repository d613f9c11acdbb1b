//! Registry versions; `integration` has the definition, `registry_source` the code. `name` is the key of the name.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_version")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub integration_id: Uuid,
    pub organisation_id: Uuid,
    pub name: String,
    pub version: String,
    pub dev: bool,
    pub latest: bool,
    pub latest_published: bool,
    pub visibility: String,
    pub verification: String,
    pub lifecycle: String,
    pub title: String,
    pub description: String,
    pub url: String,
    pub terms: Json,
    pub search: String,
    pub readme_key: Option<String>,
    pub code_sha256: Option<Vec<u8>>,
    pub secret_names: Json,
    pub secrets: Option<Vec<u8>>,
    pub signing_secret: Vec<u8>,
    pub former_signing_secret: Option<Vec<u8>>,
    pub former_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub kind: String,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
