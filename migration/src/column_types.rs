//! Column types: each database's name of the four that differ.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Returns a statement with the types `{uuid}`, `{time}`, `{bytes}` and `{json}` by their names in `backend`.
pub(crate) fn named(backend: DbBackend, sql: &str) -> String {
    let [uuid, time, bytes, json] = match backend {
        DbBackend::Postgres => ["UUID", "TIMESTAMPTZ", "BYTEA", "JSONB"],
        _ => ["BLOB", "TEXT", "BLOB", "TEXT"],
    };
    sql.replace("{uuid}", uuid).replace("{time}", time).replace("{bytes}", bytes).replace("{json}", json)
}

/// Executes a statement with these types.
pub(crate) async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let sql = named(manager.get_database_backend(), sql);
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}
