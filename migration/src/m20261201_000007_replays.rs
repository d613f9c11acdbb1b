//! Replays: the retry schedule of a delivery begins anew with each.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let time = if manager.get_database_backend() == DbBackend::Postgres { "TIMESTAMPTZ" } else { "TEXT" };
        for column in ["attempts_before_replay INTEGER NOT NULL DEFAULT 0".to_owned(), format!("replayed_at {time}")] {
            statements::execute(manager, &format!("ALTER TABLE delivery ADD COLUMN {column}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["attempts_before_replay", "replayed_at"] {
            statements::execute(manager, &format!("ALTER TABLE delivery DROP COLUMN {column}")).await?;
        }
        Ok(())
    }
}
