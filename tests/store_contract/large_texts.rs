//! Large texts: what a caller sent and what was sent on are shown as they were, however the database has them.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use crate::support::{Integration, Reply, TestApp};

/// Type and length of a column that has one row, as SQLite has it.
async fn stored(app: &TestApp, table: &str, column: &str) -> (String, i64) {
    let sql = format!("SELECT TYPEOF({column}), LENGTH({column}) FROM {table}");
    let row = app.app.base.store().reader().query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await;
    let row = row.unwrap().unwrap();
    (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())
}

both! {
    async fn a_large_text_is_shown_as_it_was(app) {
        let far = Integration::start("output", json!([])).await;
        far.reply(Reply::Text(200, "thank you".into()));
        let destination = json!({"kind": "webhook", "url": format!("{}/hook", far.base())});
        app.owner.post("/v1/routes", &json!({"types": ["order.*"], "destination": destination})).await.ok(201);
        let data = json!({"lines": vec![json!({"sku": "A-1", "text": "Zwölf Äpfel"}); 700]});
        let event = app.owner.post("/v1/events", &json!({"type": "order.created", "data": data})).await.ok(202);
        let event = event["id"].as_str().unwrap();
        app.drain().await;
        assert_eq!(far.calls()[0].body["data"], data);
        let shown = async || {
            assert_eq!(app.owner.get(&format!("/v1/events/{event}")).await.ok(200)["data"], data);
            let attempt = app.delivery_of(event).await["attempts"][0].clone();
            assert_eq!(attempt["request"].as_str().unwrap().as_bytes(), far.calls()[0].raw);
            assert_eq!(attempt["answer"], "thank you");
        };
        shown().await;
        let db = app.app.base.store().writer();
        if db.get_database_backend() != DbBackend::Sqlite {
            return;
        }
        for (table, column) in [("event", "data"), ("attempt", "request")] {
            let (kind, length) = stored(&app, table, column).await;
            assert!(kind == "blob" && length < 2_000, "{table}.{column}: {kind} of {length}");
        }
        assert_eq!(stored(&app, "attempt", "answer").await, ("text".to_owned(), 9), "small ones are as they are");
        // Rows from before are not compressed.
        let plain = [("event", "data", data.to_string()), ("attempt", "request", String::from_utf8(far.calls()[0].raw.clone()).unwrap())];
        for (table, column, text) in plain {
            let sql = format!("UPDATE {table} SET {column} = $1");
            db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, [text.into()])).await.unwrap();
            assert_eq!(stored(&app, table, column).await.0, "text");
        }
        shown().await;
    }
}
