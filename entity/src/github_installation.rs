//! GitHub's data of an installation of our app. It has no organisation: `github_link` names those that linked it.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "github_installation")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub github_id: i64,
    pub app_id: i64,
    pub account_id: i64,
    pub account_login: String,
    pub account_type: String,
    pub account_url: String,
    pub events: Json,
    pub all_repositories: bool,
    pub suspended_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    pub changed_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
