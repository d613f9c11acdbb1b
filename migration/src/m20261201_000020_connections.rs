//! Connections: the page to which a browser returns after one was made, and destinations that could not be confirmed when
//! they were created.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str, &str); 2] =
    [("oauth_state", "return_url", "TEXT"), ("destination", "unconfirmed", "BOOLEAN NOT NULL DEFAULT FALSE")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, kind) in COLUMNS {
            let sql = format!("ALTER TABLE {table} ADD COLUMN {column} {kind}");
            statements::execute(manager, &sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, _) in COLUMNS {
            let sql = format!("ALTER TABLE {table} DROP COLUMN {column}");
            statements::execute(manager, &sql).await?;
        }
        Ok(())
    }
}
