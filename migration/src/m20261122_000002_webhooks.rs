//! Webhooks: the source of an event, the effects of an attempt beside its call, the stores of scripts, direct channels
//! and archived ones.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
ALTER TABLE event ADD COLUMN made_from {uuid};
ALTER TABLE attempt ADD COLUMN detail TEXT;
ALTER TABLE channel ADD COLUMN direct BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE channel ADD COLUMN archived_at {time};

CREATE TABLE script_store (
    integration_id {uuid} PRIMARY KEY REFERENCES integration (id) ON DELETE CASCADE,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    kept TEXT NOT NULL,
    updated_at {time} NOT NULL
);
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }
}
