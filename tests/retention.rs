//! Tests of what is past its retention: it goes row by row on SQLite and a day at a time on PostgreSQL, and what somebody
//! needs stays.

use std::{collections::BTreeSet, time::Duration};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use tieline::app::kernel::chore::Chore;

use crate::support::{Integration, Reply, TestApp};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Routes orders to a webhook. Its calls are retried until an answer is good.
async fn webhook(app: &TestApp, kind: &str) -> Integration {
    let far = Integration::start("output", json!([])).await;
    let destination = json!({"kind": "webhook", "url": format!("{}/hook", far.base())});
    app.owner.post("/v1/routes", &json!({"types": [kind], "destination": destination})).await.ok(201);
    far.reply(Reply::Text(204, String::new()));
    far
}

/// Accepts an event, and returns its id.
async fn accept(app: &TestApp, kind: &str) -> String {
    app.owner.post("/v1/events", &json!({"type": kind})).await.ok(202)["id"].as_str().unwrap().to_owned()
}

async fn retain(app: &TestApp) {
    app.app.pipeline.retention().run(app.now()).await.unwrap();
}

/// Events that are found, of these.
async fn found(app: &TestApp, events: &[&str]) -> Vec<bool> {
    let mut found = Vec::new();
    for event in events {
        let answer = app.owner.get(&format!("/v1/events/{event}")).await;
        let deliveries = app.deliveries(&format!("eventId={event}")).await;
        assert_eq!(answer.status == 200, !deliveries.is_empty(), "an event goes after its deliveries");
        found.push(answer.status == 200);
    }
    found
}

fn is_postgres(app: &TestApp) -> bool {
    app.app.base.store().writer().get_database_backend() == DbBackend::Postgres
}

/// Names of the tables of events, deliveries and attempts on PostgreSQL, attached or not.
async fn tables(app: &TestApp) -> Vec<String> {
    let sql = "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = CAST(CURRENT_SCHEMA AS REGNAMESPACE) \
               AND relkind = 'r' AND relname ~ '^(event|delivery|attempt)_[0-9f]' ORDER BY relname";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = app.app.base.store().reader().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let db = app.app.base.store().reader();
    let statement = Statement::from_string(db.get_database_backend(), format!("SELECT COUNT(*) FROM {table}"));
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Moves to a day that has a partition of its own: what a migration finds is in one.
async fn move_past_what_was_stored(app: &TestApp) {
    app.advance(60 * DAY);
    app.set_their_clocks().await;
}

both! {
    async fn what_is_past_its_retention_goes(app) {
        move_past_what_was_stored(&app).await;
        let far = webhook(&app, "order.*").await;
        let delivered = accept(&app, "order.paid").await;
        app.drain().await;
        far.reply(Reply::Text(410, "gone".into()));
        let failed = accept(&app, "order.failed").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&failed).await["state"], "failed");
        app.advance(DAY);
        let unmatched = app.step("nobody wants it").await;
        let all = async || {
            let status = app.owner.get(&format!("/v1/events/{unmatched}")).await.status.as_u16();
            (found(&app, &[&delivered, &failed]).await, status)
        };
        app.advance(28 * DAY);
        retain(&app).await;
        assert_eq!(all().await, (vec![true, true], 200));
        app.advance(DAY + DAY);
        retain(&app).await;
        assert_eq!(all().await.0, [false, false]);
        app.advance(DAY);
        retain(&app).await;
        assert_eq!(all().await, (vec![false, false], 404));
        app.advance(DAY);
        retain(&app).await;
        for table in ["event", "delivery", "attempt", "delivery_progress"] {
            assert_eq!(count(&app, table).await, 0, "{table}");
        }
    }

    async fn what_waits_for_a_retry_stays_with_its_event(app) {
        move_past_what_was_stored(&app).await;
        let (far, _other) = (webhook(&app, "order.*").await, webhook(&app, "note.*").await);
        far.reply(Reply::Text(503, "later".into()));
        let (retried, delivered) = (accept(&app, "order.paid").await, accept(&app, "note.taken").await);
        app.drain().await;
        let events = [&*retried, &*delivered];
        assert_eq!(found(&app, &events).await, [true, true]);
        app.advance(33 * DAY);
        retain(&app).await;
        assert_eq!(found(&app, &events).await, [true, false], "the others of the day go");
        far.reply(Reply::Text(204, String::new()));
        app.drain().await;
        assert_eq!(app.delivery_of(&retried).await["state"], "delivered");
        app.advance(6 * DAY);
        retain(&app).await;
        assert_eq!(found(&app, &events).await, [true, false], "somebody is to see what became of it");
        app.advance(2 * DAY);
        retain(&app).await;
        assert_eq!(found(&app, &events).await, [false, false]);
    }

    async fn what_waits_in_a_queue_stays_and_is_delivered(app) {
        move_past_what_was_stored(&app).await;
        let far = webhook(&app, "order.*").await;
        let mut events = Vec::new();
        for days in [0, 3, 30, 0] {
            app.advance(days * DAY);
            events.push(accept(&app, "order.paid").await);
        }
        retain(&app).await;
        retain(&app).await;
        app.drain().await;
        // Several calls are under way at a time.
        let delivered: BTreeSet<String> =
            far.calls().iter().map(|call| call.body["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!((delivered, far.calls().len()), (events.iter().cloned().collect(), 4));
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        app.advance(DAY);
        retain(&app).await;
        assert_eq!(found(&app, &events).await, [true; 4]);
        app.advance(7 * DAY);
        retain(&app).await;
        assert_eq!(found(&app, &events).await, [false, false, true, true]);
    }

    async fn a_replay_of_what_is_old_is_delivered(app) {
        move_past_what_was_stored(&app).await;
        let far = webhook(&app, "order.*").await;
        let event = accept(&app, "order.paid").await;
        app.drain().await;
        app.advance(29 * DAY);
        let delivery = app.delivery_of(&event).await["id"].as_str().unwrap().to_owned();
        app.owner.post(&format!("/v1/deliveries/{delivery}/replay"), &json!({})).await.ok(202);
        app.advance(4 * DAY);
        retain(&app).await;
        app.drain().await;
        assert_eq!(far.calls().len(), 2);
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    }

    async fn days_are_made_ahead_and_dropped_whole(app) {
        if !is_postgres(&app) {
            retain(&app).await;
            return;
        }
        move_past_what_was_stored(&app).await;
        let first = app.now();
        let day = |table: &str, days: u32| format!("{table}_{}", (first + days * DAY).format("%Y%m%d"));
        let days = |from: u32, to: u32| -> Vec<String> {
            ["attempt", "delivery", "event"].iter().flat_map(|table| (from..to).map(|days| day(table, days))).collect()
        };
        retain(&app).await;
        assert_eq!(tables(&app).await, days(0, 3), "the day, and two ahead; what a migration found was empty");
        let _far = webhook(&app, "order.*").await;
        accept(&app, "order.paid").await;
        app.drain().await;
        for (table, rows) in [("event", 1), ("delivery", 1), ("attempt", 1)] {
            assert_eq!(count(&app, &day(table, 0)).await, rows, "{table}");
        }
        app.advance(DAY);
        retain(&app).await;
        assert_eq!(tables(&app).await, days(0, 3), "the next one is there");
        // Nobody made any for weeks: who writes does.
        app.advance(29 * DAY);
        accept(&app, "order.paid").await;
        app.drain().await;
        let mut all = days(0, 3);
        all.extend(days(30, 33));
        all.sort();
        assert_eq!(tables(&app).await, all);
        // A day goes when it is over by the time of retention.
        app.advance(DAY);
        let store = app.app.base.store();
        let reader = store.begin().await.unwrap();
        reader.execute_unprepared("SELECT COUNT(*) FROM delivery").await.unwrap();
        retain(&app).await;
        assert_eq!(tables(&app).await.len(), all.len(), "who reads is not disturbed");
        drop(reader);
        store.writer().execute_unprepared("CREATE TABLE event_20200101 (id UUID)").await.unwrap();
        retain(&app).await;
        all.retain(|table| !days(0, 1).contains(table));
        assert_eq!(tables(&app).await, all, "with what a killed process left");
    }
}
