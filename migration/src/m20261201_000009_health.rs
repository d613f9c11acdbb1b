//! Health in the field's words, runs of failures, retry schedules, and heads of a queue that step aside.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: &[(&str, &str)] = &[
    ("destination", "probe_at {time}"),
    ("destination", "consecutive_failures INTEGER NOT NULL DEFAULT 0"),
    ("destination", "retry_schedule {json}"),
    ("delivery", "aside_at {time}"),
];

const UP: &[&str] = &[
    // Their next probe is due: one delivery will tell.
    "UPDATE destination SET health = 'failing', probe_at = health_since WHERE health = 'broken'",
    "UPDATE destination SET health = 'disabled' WHERE health = 'off'",
    "CREATE INDEX delivery_aside ON delivery (destination_id, next_attempt_at) \
     WHERE state = 'pending' AND aside_at IS NOT NULL",
];

const DOWN: &[&str] = &[
    "UPDATE destination SET health = 'broken' WHERE health = 'failing' AND probe_at IS NOT NULL",
    "UPDATE destination SET health = 'healthy', health_reason = NULL, health_since = NULL WHERE health = 'failing'",
    "UPDATE destination SET health = 'off' WHERE health = 'disabled'",
    "DROP INDEX delivery_aside",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in COLUMNS {
            statements::execute(manager, &format!("ALTER TABLE {table} ADD COLUMN {column}")).await?;
        }
        for statement in UP {
            statements::execute(manager, statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in DOWN {
            statements::execute(manager, statement).await?;
        }
        for (table, column) in COLUMNS {
            let name = column.split(' ').next().unwrap_or_default();
            statements::execute(manager, &format!("ALTER TABLE {table} DROP COLUMN {name}")).await?;
        }
        Ok(())
    }
}
