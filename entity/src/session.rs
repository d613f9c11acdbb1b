//! Sessions of browsers. Only the SHA-256 of a session's secret, or of the code that opens it, is stored.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organisation_id: Uuid,
    pub member_id: Uuid,
    pub token_id: Option<Uuid>,
    pub secret_sha256: Vec<u8>,
    #[sea_orm(column_type = "Text")]
    pub pages: String,
    pub theme: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub return_url: Option<String>,
    pub embedded: bool,
    pub opened_at: Option<DateTimeUtc>,
    pub expires_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
