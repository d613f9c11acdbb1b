//! Retry schedules of organisations, for their destinations that have none of their own.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE organisation ADD COLUMN retry_schedule TEXT";
        statements::execute(manager, sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE organisation DROP COLUMN retry_schedule";
        statements::execute(manager, sql).await.map(drop)
    }
}
