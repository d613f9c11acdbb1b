//! An organisation's use of an app, in one channel or in the whole organisation.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "installation")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organisation_id: Uuid,
    pub integration_id: Uuid,
    pub channel_id: Option<Uuid>,
    pub active: bool,
    pub position: i32,
    pub credential: Option<Vec<u8>>,
    pub signing_secret: Option<Vec<u8>>,
    pub former_signing_secret: Option<Vec<u8>>,
    pub former_signs_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
