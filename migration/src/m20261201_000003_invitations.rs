//! Invitations: identities of a member that their holder has not accepted. Existing members count as accepted.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
ALTER TABLE member ADD COLUMN user_unproven BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE member ADD COLUMN subject_unproven BOOLEAN NOT NULL DEFAULT FALSE;
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await?;
        Ok(())
    }
}
