//! Plans of statements, for tests that ask which index one uses.
//!
//! Only SQLite's: PostgreSQL's depend on what is stored.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

/// An empty database with every table.
pub(in crate::store) async fn migrated() -> DatabaseConnection {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    db
}

/// Lists the steps of a statement's plan.
pub(in crate::store) async fn steps(db: &impl ConnectionTrait, mut statement: Statement) -> Vec<String> {
    statement.sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
    let steps = db.query_all_raw(statement).await.unwrap();
    steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect()
}
