//! Accepted events, immutable. `data` is JSON as text: it is written once and read whole.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organisation_id: Uuid,
    pub channel_id: Option<Uuid>,
    pub kind: String,
    pub source: String,
    pub link_id: Option<String>,
    pub step_kind: Option<String>,
    pub step_action: Option<String>,
    pub visitor_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub data: String,
    pub made_from: Option<Uuid>,
    pub created_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
