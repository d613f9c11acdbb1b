//! An attempt of a delivery: request, answer and duration.

use sea_orm::entity::prelude::*;

use crate::large_text::LargeText;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organisation_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub delivery_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub number: i32,
    pub address: String,
    pub outcome: String,
    pub status_code: Option<i32>,
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub request: LargeText,
    #[sea_orm(column_type = "Text", nullable)]
    pub answer: Option<LargeText>,
    #[sea_orm(column_type = "Text", nullable)]
    pub detail: Option<String>,
    pub history_of: Option<Uuid>,
    pub duration_ms: i64,
    pub created_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
