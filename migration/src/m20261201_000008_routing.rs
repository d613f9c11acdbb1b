//! Routes with conditions, templates and an order; settings of destinations; the routes that led to an event and its
//! deliveries.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Tables with their new columns.
const COLUMNS: [(&str, &str, &str); 8] = [
    ("destination", "settings", "TEXT"),
    ("event", "path", "TEXT"),
    ("delivery", "route_id", "{uuid}"),
    ("route", "condition", "TEXT"),
    ("route", "template", "TEXT"),
    ("route", "position", "INTEGER NOT NULL DEFAULT 0"),
    ("route", "disabled_reason", "TEXT"),
    // Raised by each change of the rules that a process keeps in memory.
    ("organisation", "configuration_version", "BIGINT NOT NULL DEFAULT 0"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, kind) in COLUMNS {
            statements::execute(manager, &format!("ALTER TABLE {table} ADD COLUMN {column} {kind}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, _) in COLUMNS {
            statements::execute(manager, &format!("ALTER TABLE {table} DROP COLUMN {column}")).await?;
        }
        Ok(())
    }
}
