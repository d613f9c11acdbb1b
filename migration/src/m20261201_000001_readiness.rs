//! Readiness: a row of each process, written and read back to prove that the database stores its writes.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
CREATE TABLE readiness_probe (
    process_id {uuid} NOT NULL PRIMARY KEY,
    mark {uuid} NOT NULL,
    written_at {time} NOT NULL
);
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }
}
