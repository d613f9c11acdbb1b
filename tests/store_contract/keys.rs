//! Keys of the tables that grow: they begin with the organisation, in the schema of both databases, and the migration that
//! made them so keeps every row.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database as Connector, DatabaseConnection, DbBackend, Statement};

use crate::support::Database;

const MIGRATION: &str = "m20261202_000080_keys";
const QUEUES: &str = "m20261203_000090_queues";

/// Tables that grow with the events, with their keys.
const KEYS: [(&str, &[&str]); 4] = [
    ("event", &["organisation_id", "id"]),
    ("delivery", &["organisation_id", "id"]),
    ("attempt", &["organisation_id", "delivery_id", "id"]),
    ("inbound_receipt", &["organisation_id", "source", "key"]),
];

/// Rows of the former schema, with every column that may be empty and without any of them. `{0}` to `{5}` are ids.
const ROWS: [&str; 6] = [
    "event (id, organisation_id, channel_id, kind, source, attributes, data, made_from, path, traceparent, created_at) \
     VALUES ({1}, {0}, {5}, 'a', 'api', '{\"b\":\"c\"}', '{\"n\":1}', {2}, '[]', '00-1', '2026-11-18 11:06:40+00:00')",
    "event (id, organisation_id, kind, source, data, created_at) \
     VALUES ({2}, {0}, 'b', 'api', 'null', '2026-11-18 11:06:41+00:00')",
    "delivery (id, organisation_id, event_id, destination_id, route_id, state, reason, content, attempts, \
     attempts_before_replay, replayed_at, next_attempt_at, aside_at, completed_at, created_at) \
     VALUES ({3}, {0}, {1}, {5}, {4}, 'failed', 'gone', '{}', 7, 3, '2026-11-18 11:06:42+00:00', \
     '2026-11-18 11:06:43+00:00', '2026-11-18 11:06:44+00:00', '2026-11-18 11:06:45+00:00', '2026-11-18 11:06:46+00:00')",
    "delivery (id, organisation_id, event_id, destination_id, state, attempts, created_at) \
     VALUES ({4}, {0}, {2}, {5}, 'pending', 0, '2026-11-18 11:06:47+00:00')",
    "attempt (id, organisation_id, delivery_id, number, address, outcome, status_code, reason, request, answer, detail, \
     history_of, duration_ms, created_at) VALUES ({1}, {0}, {3}, 7, 'C1', 'failed', 410, 'gone', 'out', 'in', '{}', {5}, \
     12, '2026-11-18 11:06:48+00:00')",
    "attempt (id, organisation_id, delivery_id, number, address, outcome, request, duration_ms, created_at) \
     VALUES ({2}, {0}, {3}, 8, 'C1', 'retried', 'out', 13, '2026-11-18 11:06:49+00:00')",
];

async fn texts(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn key(connection: &DatabaseConnection, table: &str) -> Vec<String> {
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT a.attname::TEXT FROM pg_index i CROSS JOIN LATERAL UNNEST(i.indkey) WITH ORDINALITY AS k (number, place) \
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number \
             WHERE i.indrelid = '{table}'::REGCLASS AND i.indisprimary ORDER BY k.place"
        ),
        _ => format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"),
    };
    texts(connection, &sql).await
}

async fn indexes(connection: &DatabaseConnection) -> Vec<String> {
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT indexname::TEXT FROM pg_indexes WHERE schemaname = CURRENT_SCHEMA \
             AND tablename IN ('event', 'delivery', 'attempt') AND indexname NOT LIKE '%pkey' ORDER BY indexname"
        }
        _ => {
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('event', 'delivery', 'attempt') \
             AND sql IS NOT NULL ORDER BY name"
        }
    };
    texts(connection, sql).await
}

/// Every value of every row.
async fn rows(connection: &DatabaseConnection) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, _) in &KEYS[..3] {
        rows.extend(match connection.get_database_backend() {
            DbBackend::Postgres => {
                texts(connection, &format!("SELECT TO_JSONB(t)::TEXT FROM {table} t ORDER BY created_at")).await
            }
            _ => {
                let names =
                    texts(connection, &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name")).await;
                let quoted: Vec<String> = names.iter().map(|name| format!("'{name}:' || QUOTE({name})")).collect();
                let sql = format!("SELECT {} FROM {table} ORDER BY created_at", quoted.join(" || ', ' || "));
                texts(connection, &sql).await
            }
        });
    }
    rows
}

both_databases! {
    async fn keys_begin_with_the_organisation(database) {
        let connection = Connector::connect(&database.url).await.unwrap();
        for (table, columns) in KEYS {
            assert_eq!(key(&connection, table).await, columns, "{table}");
        }
        connection.close().await.unwrap();
    }
}

/// Fills the schema before a migration with every row.
async fn filled(url: &str, migration: &str) -> DatabaseConnection {
    let connection = super::before_migration(url, migration).await;
    for row in ROWS {
        let mut sql = format!("INSERT INTO {row}");
        for number in 0..6 {
            let id = format!("{:032}", number + 1);
            let id = match connection.get_database_backend() {
                DbBackend::Postgres => format!("'{id}'"),
                _ => format!("x'{id}'"),
            };
            sql = sql.replace(&format!("{{{number}}}"), &id);
        }
        connection.execute_unprepared(&sql).await.unwrap();
    }
    connection
}

async fn there_and_back(url: &str) {
    let connection = filled(url, MIGRATION).await;
    let (former_rows, former_indexes) = (rows(&connection).await, indexes(&connection).await);
    assert_eq!(former_rows.len(), ROWS.len());
    assert_eq!(key(&connection, "attempt").await, ["id"]);

    Migrator::up(&connection, Some(1)).await.unwrap();
    assert_eq!(rows(&connection).await, former_rows);
    let replaced = ["event_organisation", "delivery_organisation", "attempt_delivery"];
    let left: Vec<String> = former_indexes.iter().filter(|name| !replaced.contains(&name.as_str())).cloned().collect();
    assert_eq!(indexes(&connection).await, left);
    assert_eq!(key(&connection, "attempt").await, KEYS[2].1);

    Migrator::down(&connection, Some(1)).await.unwrap();
    assert_eq!((rows(&connection).await, indexes(&connection).await), (former_rows, former_indexes));
    for (table, _) in &KEYS[..3] {
        assert_eq!(key(&connection, table).await, ["id"]);
    }
    Migrator::up(&connection, Some(1)).await.unwrap();
    connection.close().await.unwrap();
}

/// Deliveries that are not finished, and those that were replayed, have their progress; nothing has a position.
async fn queues_there_and_back(url: &str) {
    let connection = filled(url, QUEUES).await;
    let (former_rows, former_indexes) = (rows(&connection).await, indexes(&connection).await);
    Migrator::up(&connection, Some(1)).await.unwrap();
    let sql = "SELECT state || ' ' || attempts || ' ' || attempts_before_replay || ' ' || COALESCE(reason, '-') \
               || ' ' || COALESCE(content, '-') FROM delivery_progress ORDER BY delivery_id";
    assert_eq!(texts(&connection, sql).await, ["failed 7 3 gone {}", "pending 0 0 - -"]);
    let sql = "SELECT state FROM delivery WHERE seq IS NULL ORDER BY id";
    assert_eq!(texts(&connection, sql).await, ["failed", "pending"]);
    Migrator::down(&connection, Some(1)).await.unwrap();
    assert_eq!((rows(&connection).await, indexes(&connection).await), (former_rows, former_indexes));
    Migrator::up(&connection, Some(1)).await.unwrap();
    connection.close().await.unwrap();
}

/// Returns to the former tables and back again: the first partition has what was stored, with every value.
async fn partitions_there_and_back(url: &str) {
    let connection = filled(url, QUEUES).await;
    Migrator::up(&connection, Some(1)).await.unwrap();
    let (former_rows, former_indexes) = (rows(&connection).await, indexes(&connection).await);
    assert_eq!(former_rows.len(), ROWS.len());
    Migrator::up(&connection, Some(1)).await.unwrap();
    let whole = async || (rows(&connection).await, indexes(&connection).await);
    assert_eq!(whole().await, (former_rows.clone(), former_indexes.clone()));
    let sql = "SELECT inhparent::REGCLASS || ' ' || c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid \
               WHERE c.relkind = 'r' AND c.relnamespace = CAST(CURRENT_SCHEMA AS REGNAMESPACE) ORDER BY 1";
    let partitions = ["attempt attempt_first", "delivery delivery_first", "event event_first"];
    assert_eq!(texts(&connection, sql).await, partitions);
    Migrator::down(&connection, Some(1)).await.unwrap();
    assert_eq!(whole().await, (former_rows.clone(), former_indexes.clone()));
    Migrator::up(&connection, Some(1)).await.unwrap();
    assert_eq!(whole().await, (former_rows, former_indexes));
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_was_stored_is_the_first_partition_on_postgres() {
    if let Some(database) = Database::empty_postgres().await {
        partitions_there_and_back(&database.url).await;
    }
}

#[tokio::test]
async fn deliveries_get_their_progress_on_sqlite() {
    let database = Database::empty_sqlite();
    queues_there_and_back(&format!("{}?mode=rwc", database.url)).await;
}

#[tokio::test]
async fn deliveries_get_their_progress_on_postgres() {
    let Some(database) = Database::empty_postgres().await else { return };
    queues_there_and_back(&database.url).await;
}

#[tokio::test]
async fn every_row_keeps_its_values_under_its_new_key_on_sqlite() {
    let database = Database::empty_sqlite();
    there_and_back(&format!("{}?mode=rwc", database.url)).await;
}

#[tokio::test]
async fn every_row_keeps_its_values_under_its_new_key_on_postgres() {
    if let Some(database) = Database::empty_postgres().await {
        there_and_back(&database.url).await;
    }
}
