//! An organisation's connection to one Slack workspace. `team_id` is unique: a workspace belongs to one organisation.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_link")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organisation_id: Uuid,
    pub destination_id: Uuid,
    pub created_by: Uuid,
    pub team_id: String,
    pub team_name: String,
    pub enterprise_id: Option<String>,
    pub app_id: String,
    pub bot_user_id: String,
    pub scopes: String,
    pub access_token: Vec<u8>,
    pub refresh_token: Option<Vec<u8>>,
    pub token_expires_at: Option<DateTimeUtc>,
    pub refreshing_until: Option<DateTimeUtc>,
    pub channel_id: String,
    pub channel_name: String,
    pub status: String,
    pub triggers: Json,
    pub filter_link_id: String,
    pub org_wide: bool,
    pub webhook_url: Option<Vec<u8>>,
    pub configuration_url: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
