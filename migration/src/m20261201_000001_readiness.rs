//! Readiness: a row of each process, written and read back to prove that the database stores its writes.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

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
    /// All or nothing on SQLite too: a process that is killed half-way must be able to start again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (uuid, time) = match manager.get_database_backend() {
            DbBackend::Postgres => ("UUID", "TIMESTAMPTZ"),
            _ => ("BLOB", "TEXT"),
        };
        let sql = TABLES.replace("{uuid}", uuid).replace("{time}", time);
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }
}
