//! A member's short-lived proof of administering a GitHub installation.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "github_proof")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub installation_id: i64,
    pub expires_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
