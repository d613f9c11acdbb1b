//! The former signing secret of an app's calls, with the end of its validity.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: &str = r#"
ALTER TABLE installation ADD COLUMN former_signing_secret {bytes};
ALTER TABLE installation ADD COLUMN former_signs_until {time};
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All or nothing on SQLite too: a process that is killed half-way must be able to start again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let [time, bytes] = match manager.get_database_backend() {
            DbBackend::Postgres => ["TIMESTAMPTZ", "BYTEA"],
            _ => ["TEXT", "BLOB"],
        };
        let sql = COLUMNS.replace("{time}", time).replace("{bytes}", bytes);
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }
}
