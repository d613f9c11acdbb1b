//! Interfaces in the registry, beside the integrations, and the versions of integrations that implement them. A name of
//! an interface is kept with a prefix, because the two kinds have names of their own.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: [&str; 4] = [
    "ALTER TABLE registry_version ADD COLUMN kind TEXT NOT NULL DEFAULT 'integration'",
    "CREATE TABLE registry_implementation (
        integration_id {uuid} NOT NULL REFERENCES integration (id) ON DELETE CASCADE,
        interface_id {uuid} NOT NULL REFERENCES integration (id) ON DELETE CASCADE,
        organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
        PRIMARY KEY (integration_id, interface_id)
    )",
    "CREATE INDEX registry_implementation_of ON registry_implementation (interface_id)",
    "CREATE INDEX registry_implementation_organisation ON registry_implementation (organisation_id)",
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
        for statement in ["DROP TABLE registry_implementation", "ALTER TABLE registry_version DROP COLUMN kind"] {
            statements::execute(manager, statement).await?;
        }
        Ok(())
    }
}
