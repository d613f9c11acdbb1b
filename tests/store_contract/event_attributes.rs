//! Migration of events: the columns of one event type become attributes, and attributes become columns again.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::Database;

const MIGRATION: &str = "m20261201_000004_event_attributes";

/// Values of an event in the columns of the former schema.
type Columns = [Option<&'static str>; 4];

const NAMES: [&str; 4] = ["link_id", "step_kind", "step_action", "visitor_id"];

/// Rows of the former schema, their attributes, and the columns after the way back.
fn cases() -> Vec<(Columns, Value)> {
    let odd = "it's \"quoted\" \\ {} ü 🦀 null";
    vec![
        ([None; 4], json!({})),
        (
            [Some("l-1"), Some("KIND_ENTRY"), Some("FORM_SUBMIT"), Some("v-1")],
            json!({"linkId": "l-1", "stepKind": "KIND_ENTRY", "stepAction": "FORM_SUBMIT", "visitorId": "v-1"}),
        ),
        ([None, Some("KIND_EXIT"), None, None], json!({"stepKind": "KIND_EXIT"})),
        ([Some("17"), None, None, None], json!({"linkId": "17"})),
        ([None, None, Some(odd), Some("null")], json!({"stepAction": odd, "visitorId": "null"})),
    ]
}

async fn rows(connection: &DatabaseConnection, columns: &str) -> Vec<Vec<Option<String>>> {
    let sql = format!("SELECT {columns} FROM event ORDER BY data");
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.unwrap();
    let values = |row| columns.split(", ").map(|name| sea_orm::QueryResult::try_get(row, "", name).unwrap()).collect();
    rows.iter().map(values).collect()
}

async fn insert(connection: &DatabaseConnection, number: usize, columns: Columns) {
    let texts = columns.map(|text| text.map_or("NULL".into(), |text| format!("'{}'", text.replace('\'', "''"))));
    let id = match connection.get_database_backend() {
        DbBackend::Postgres => format!("'{number:032}'"),
        _ => format!("x'{number:032}'"),
    };
    let sql = format!(
        "INSERT INTO event (id, organisation_id, kind, source, {}, data, created_at) \
         VALUES ({id}, {id}, 'a', 'api', {}, '{number}', '2026-11-18 11:06:40+00:00')",
        NAMES.join(", "),
        texts.join(", "),
    );
    connection.execute_unprepared(&sql).await.unwrap();
}

async fn there_and_back(url: &str) {
    let connection = super::before_migration(url, MIGRATION).await;
    for (number, (columns, _)) in cases().into_iter().enumerate() {
        insert(&connection, number, columns).await;
    }

    Migrator::up(&connection, Some(1)).await.unwrap();
    let attributes = rows(&connection, "attributes").await;
    let attributes: Vec<Value> =
        attributes.iter().map(|row| serde_json::from_str(row[0].as_deref().unwrap()).unwrap()).collect();
    assert_eq!(attributes, cases().into_iter().map(|(_, attributes)| attributes).collect::<Vec<_>>());
    for name in NAMES {
        let selected = connection.execute_unprepared(&format!("SELECT {name} FROM event")).await;
        assert!(selected.is_err(), "{name} is still there");
    }
    let others = r#"UPDATE event SET attributes = '{"stepKind": "ENTRY", "amount": "12"}' WHERE data = '0'"#;
    connection.execute_unprepared(others).await.unwrap();

    Migrator::down(&connection, Some(1)).await.unwrap();
    let restored = rows(&connection, &NAMES.join(", ")).await;
    let columns = cases().into_iter().map(|(columns, _)| columns.map(|text| text.map(str::to_owned)).to_vec());
    assert_eq!(restored, columns.collect::<Vec<_>>(), "the former schema knows no attribute but its own");
    connection.execute_unprepared("SELECT attributes FROM event").await.unwrap_err();

    Migrator::up(&connection, Some(1)).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn columns_become_attributes_and_attributes_columns_on_sqlite() {
    let database = Database::empty_sqlite();
    there_and_back(&format!("{}?mode=rwc", database.url)).await;
}

#[tokio::test]
async fn columns_become_attributes_and_attributes_columns_on_postgres() {
    if let Some(database) = Database::empty_postgres().await {
        there_and_back(&database.url).await;
    }
}
