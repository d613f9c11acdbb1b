//! Entries of the audit log: actor, action and object.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organisation_id: Uuid,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: Json,
    pub created_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
