//! API keys of installed apps: at most one for each purpose, as a hash. `origin` is that of the address that got the key,
//! which is void once the descriptor names another origin.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: [&str; 2] = [
    "CREATE TABLE app_key (
        integration_id {uuid} NOT NULL REFERENCES integration (id) ON DELETE CASCADE,
        purpose TEXT NOT NULL,
        organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
        key_sha256 {bytes} NOT NULL UNIQUE,
        origin TEXT NOT NULL,
        created_at {time} NOT NULL,
        PRIMARY KEY (integration_id, purpose)
    )",
    "CREATE INDEX app_key_organisation ON app_key (organisation_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            statements::execute(manager, statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, "DROP TABLE app_key").await
    }
}
