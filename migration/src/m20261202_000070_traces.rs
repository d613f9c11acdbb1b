//! Trace context in which an event was accepted: deliveries belong to its trace.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, "ALTER TABLE event ADD COLUMN traceparent TEXT").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, "ALTER TABLE event DROP COLUMN traceparent").await
    }
}
