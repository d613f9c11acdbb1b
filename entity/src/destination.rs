//! Target of deliveries. The unit of claiming: `due_at` is the time at which a worker should claim it (empty: nothing
//! to do), and during a claim, `due_at` is the end of its lease. `last_seq` is the last position in its queue, and `cursor`
//! the one up to which the queue is through.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "destination")]
#[allow(missing_docs, reason = "the columns are explained by the migration and the domain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organisation_id: Uuid,
    pub kind: String,
    pub name: String,
    pub address: String,
    pub health: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub health_reason: Option<String>,
    pub health_since: Option<DateTimeUtc>,
    pub due_at: Option<DateTimeUtc>,
    pub not_before: Option<DateTimeUtc>,
    pub woken: bool,
    pub lease_owner: Option<Uuid>,
    pub pace_until: Option<DateTimeUtc>,
    pub success_count: i64,
    pub failure_count: i64,
    pub last_sent_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub slow: bool,
    #[sea_orm(column_type = "Text", nullable)]
    pub settings: Option<String>,
    pub probe_at: Option<DateTimeUtc>,
    pub consecutive_failures: i32,
    pub retry_schedule: Option<Json>,
    pub unconfirmed: bool,
    pub last_seq: i64,
    pub cursor: i64,
}

/// Relations are not declared: every query names its organisation and its keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
