//! Statements of migrations: the names of the four column types that differ, and one statement at a time, as a distributed
//! PostgreSQL (Citus) wants them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Returns a statement with the types `{uuid}`, `{time}`, `{bytes}` and `{json}` by their names in `backend`.
fn named(backend: DbBackend, sql: &str) -> String {
    let [uuid, time, bytes, json] = match backend {
        DbBackend::Postgres => ["UUID", "TIMESTAMPTZ", "BYTEA", "JSONB"],
        _ => ["BLOB", "TEXT", "BLOB", "TEXT"],
    };
    sql.replace("{uuid}", uuid).replace("{time}", time).replace("{bytes}", bytes).replace("{json}", json)
}

/// Executes statements with these types, each of which ends with its line.
pub(crate) async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let sql = named(manager.get_database_backend(), sql);
    for statement in sql.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
