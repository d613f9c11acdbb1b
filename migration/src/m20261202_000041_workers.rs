//! Heartbeats of the workers that share a database.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: &str = "CREATE TABLE worker (id {uuid} PRIMARY KEY, seen_at {time} NOT NULL)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, "DROP TABLE worker").await.map(drop)
    }
}
