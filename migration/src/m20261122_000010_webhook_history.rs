//! The history of outgoing webhooks: the webhook of an attempt, so that its attempts are found without a scan of all
//! others.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
ALTER TABLE attempt ADD COLUMN history_of {uuid};
CREATE INDEX attempt_history ON attempt (history_of, id) WHERE history_of IS NOT NULL;
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }
}
