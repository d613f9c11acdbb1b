//! The Slack message that heads the thread of one topic.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_thread")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: String,
    pub organisation_id: Uuid,
    pub slack_ts: String,
    pub created_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
