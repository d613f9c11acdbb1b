//! Tokens and sessions of operators, and indexes for what they look at.
//!
//! The indexes on destinations and versions have few rows: those that something is wrong with, or that wait. A healthy
//! destination, which is written with every delivery, is in none of them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: &str = r#"
CREATE TABLE operator_token (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    secret_sha256 {bytes} NOT NULL,
    expires_at {time},
    last_used_at {time},
    revoked_at {time},
    created_at {time} NOT NULL
);
CREATE TABLE operator_session (
    id {uuid} PRIMARY KEY,
    token_id {uuid} NOT NULL REFERENCES operator_token (id) ON DELETE CASCADE,
    secret_sha256 {bytes} NOT NULL UNIQUE,
    expires_at {time} NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX operator_session_of_token ON operator_session (token_id);
CREATE INDEX operator_session_expiry ON operator_session (expires_at);
UPDATE destination SET health_since = created_at WHERE health <> 'healthy' AND health_since IS NULL;
CREATE INDEX destination_unhealthy ON destination (organisation_id) WHERE health <> 'healthy';
CREATE INDEX destination_unhealthy_since ON destination (health, health_since, id) WHERE health <> 'healthy';
CREATE INDEX registry_version_pending ON registry_version (integration_id) WHERE verification = 'pending';
"#;

/// Slugs in the order of their bytes, whatever the collation of the database is. SQLite has no other order.
const SLUGS: &str = "CREATE INDEX organisation_slug_bytes ON organisation (slug COLLATE \"C\")";

const DOWN: &[&str] = &[
    "DROP INDEX registry_version_pending",
    "DROP INDEX destination_unhealthy_since",
    "DROP INDEX destination_unhealthy",
    "DROP TABLE operator_session",
    "DROP TABLE operator_token",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, UP).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            statements::execute(manager, SLUGS).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            statements::execute(manager, "DROP INDEX organisation_slug_bytes").await?;
        }
        for sql in DOWN {
            statements::execute(manager, sql).await?;
        }
        Ok(())
    }
}
