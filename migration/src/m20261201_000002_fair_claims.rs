//! Claims that are fair by organisation: the class of a destination, and the index in the order of claims.
//!
//! The former index on `due_at` alone is dropped at once: PostgreSQL would go on choosing it, and it costs a write with
//! every claim and release. Until every process runs this version, the others claim without an index.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = "
ALTER TABLE destination ADD COLUMN slow BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX destination_claim ON destination (slow, organisation_id, due_at, id) WHERE due_at IS NOT NULL;
DROP INDEX destination_due;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await?;
        Ok(())
    }
}
