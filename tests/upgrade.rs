//! The upgrade from 0.1.0: its tables with rows in them are migrated, and everything is found again through the API.
//!
//! `TIELINE_TEST_UPGRADE_EVENTS` sets how many events there are.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database as Connector, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use tieline::{
    domain::tenancy::member::Role,
    store::{Limits, Store},
};

use crate::support::{Client, Database, TestApp};

/// The last migration of 0.1.0.
const LAST: &str = "m20261122_000010_webhook_history";

/// Rows of one statement.
const RUN: usize = 250;

const TIME: &str = "'2026-11-18 11:06:40+00:00'";

/// State, reason and address of the deliveries, in turn.
const DELIVERIES: [(&str, Option<&str>); 3] =
    [("delivered", None), ("failed", Some("is_archived")), ("skipped", Some("Slack is paused"))];

fn count() -> usize {
    std::env::var("TIELINE_TEST_UPGRADE_EVENTS").map_or(600, |count| count.parse().unwrap())
}

/// The id of row `number` of a table, UUIDv7, in order.
fn id(table: u8, number: usize) -> uuid::Uuid {
    let mut bytes = [table, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes[2..].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
    let millis = 1_794_000_000_000 + u64::try_from(number).unwrap();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

struct Former {
    connection: DatabaseConnection,
}

impl Former {
    fn id(&self, table: u8, number: usize) -> String {
        match self.connection.get_database_backend() {
            DbBackend::Postgres => format!("'{}'", id(table, number)),
            _ => format!("x'{}'", id(table, number).simple()),
        }
    }

    /// Fills the tables.
    async fn fill(&self, count: usize) {
        let (organisation, destination) = (self.id(1, 0), self.id(2, 0));
        let organisations = format!("({organisation}, 'former', 'Former', {TIME})");
        self.insert("organisation (id, slug, name, created_at)", [organisations]).await;
        let destinations = format!(
            "({destination}, {organisation}, 'slack', 'alerts', 'C1', 'broken', 'is_archived', {TIME}, FALSE, 7, 3, {TIME})"
        );
        let columns = "destination (id, organisation_id, kind, name, address, health, health_reason, health_since, \
                       woken, success_count, failure_count, created_at)";
        self.insert(columns, [destinations]).await;
        let event = |number: usize| {
            let id = self.id(3, number);
            format!(
                "({id}, {organisation}, 'workflow.step.completed', 'api', 'l-{number}', 'KIND_EXIT', '{{\"n\":{number}}}', \
                 {TIME})"
            )
        };
        let columns = "event (id, organisation_id, kind, source, link_id, step_kind, data, created_at)";
        self.insert(columns, (0..count).map(event)).await;
        let delivery = |number: usize| {
            let (state, reason) = DELIVERIES[number % DELIVERIES.len()];
            let reason = reason.map_or_else(|| "NULL".to_owned(), |reason| format!("'{reason}'"));
            let (id, event, attempts) = (self.id(4, number), self.id(3, number), i32::from(state != "skipped"));
            format!("({id}, {organisation}, {event}, {destination}, '{state}', {reason}, {attempts}, {TIME}, {TIME})")
        };
        let columns = "delivery (id, organisation_id, event_id, destination_id, state, reason, attempts, completed_at, \
                       created_at)";
        self.insert(columns, (0..count).map(delivery)).await;
        let attempt = |number: usize| {
            let (id, delivery) = (self.id(5, number), self.id(4, number));
            let (outcome, reason) = match DELIVERIES[number % DELIVERIES.len()] {
                ("delivered", _) => ("delivered", "NULL"),
                _ => ("failed", "'is_archived'"),
            };
            format!(
                "({id}, {organisation}, {delivery}, 1, 'C1', '{outcome}', 200, {reason}, '{{\"text\":\"{number}\"}}', \
                 '{{\"ok\":true}}', 12, {TIME})"
            )
        };
        let columns = "attempt (id, organisation_id, delivery_id, number, address, outcome, status_code, reason, request, \
                       answer, duration_ms, created_at)";
        self.insert(columns, (0..count).filter(|number| number % DELIVERIES.len() != 2).map(attempt)).await;
    }

    async fn insert(&self, table: &str, rows: impl IntoIterator<Item = String>) {
        let rows: Vec<String> = rows.into_iter().collect();
        for run in rows.chunks(RUN) {
            let sql = format!("INSERT INTO {table} VALUES {}", run.join(", "));
            self.connection.execute_unprepared(&sql).await.unwrap();
        }
    }
}

/// Makes the tables of 0.1.0 with rows in them, and upgrades them as a server does when it starts.
async fn upgraded(database: Database, count: usize) -> TestApp {
    let address =
        if database.url.starts_with("sqlite") { format!("{}?mode=rwc", database.url) } else { database.url.clone() };
    let connection = Connector::connect(&address).await.unwrap();
    let last = Migrator::migrations().iter().position(|one| one.name() == LAST).unwrap();
    Migrator::up(&connection, Some(u32::try_from(last + 1).unwrap())).await.unwrap();
    let former = Former { connection };
    former.fill(count).await;
    former.connection.close().await.unwrap();
    let store = Store::connect(&database.url, Limits::default()).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    TestApp::start(database).await
}

/// Returns every entry of a list.
async fn all(caller: &Client, list: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("{list}?limit=250{cursor}")).await.ok(200);
        found.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn number_of(delivery: &Value) -> usize {
    let id: uuid::Uuid = delivery["id"].as_str().unwrap().parse().unwrap();
    usize::try_from(u64::from_be_bytes(id.as_bytes()[8..].try_into().unwrap()) & 0x00FF_FFFF).unwrap()
}

async fn everything_is_found_again(database: Database) {
    let count = count();
    let app = upgraded(database, count).await;
    let owner = app.caller("former", "olga", Role::Owner).await;

    let events = all(&owner, "/v1/events").await;
    let numbers: HashSet<u64> = events.iter().map(|event| event["data"]["n"].as_u64().unwrap()).collect();
    assert_eq!((events.len(), numbers.len()), (count, count));
    for event in &events {
        let attributes = json!({"linkId": format!("l-{}", event["data"]["n"]), "stepKind": "KIND_EXIT"});
        assert_eq!((&event["type"], &event["attributes"]), (&json!("workflow.step.completed"), &attributes));
    }

    let deliveries = all(&owner, "/v1/deliveries").await;
    assert_eq!(deliveries.len(), count);
    let attempts = stream::iter(&deliveries).map(|delivery| attempts_of(&owner, delivery)).buffer_unordered(8);
    let attempts: usize = attempts.fold(0, async |sum, attempts| sum + attempts).await;
    assert_eq!(attempts, (0..count).filter(|number| number % DELIVERIES.len() != 2).count());

    let destinations = owner.get("/v1/destinations").await.ok(200);
    let destination = &destinations["data"][0];
    assert_eq!(
        (&destination["name"], &destination["health"], &destination["successCount"], &destination["failureCount"]),
        (&json!("alerts"), &json!("failing"), &json!(7), &json!(3))
    );
}

/// Checks a delivery, with its event and its attempts, and returns the number of those.
async fn attempts_of(owner: &Client, delivery: &Value) -> usize {
    let number = number_of(delivery);
    let (state, reason) = DELIVERIES[number % DELIVERIES.len()];
    assert_eq!((&delivery["state"], delivery["reason"].as_str()), (&json!(state), reason), "{delivery}");
    assert_eq!(delivery["eventId"], json!(id(3, number)));
    let detail = owner.get(&format!("/v1/deliveries/{}", id(4, number))).await.ok(200);
    let attempts = detail["attempts"].as_array().unwrap();
    for attempt in attempts {
        assert_eq!(attempt["request"], json!(format!("{{\"text\":\"{number}\"}}")), "{attempt}");
    }
    attempts.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_found_again_on_sqlite() {
    everything_is_found_again(Database::empty_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_found_again_on_postgres() {
    if let Some(database) = Database::empty_postgres().await {
        everything_is_found_again(database).await;
    }
}

#[tokio::test]
async fn large_texts_are_compressed_by_lz4_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    let connection = Connector::connect(&database.url).await.unwrap();
    let ask = async |sql: &str| {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).unwrap()
    };
    let able = "SELECT count(*) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";
    let able = ask(able).await == 1;
    let compressed = "SELECT count(*) FROM pg_attribute WHERE attcompression = 'l' \
                      AND attrelid IN ('event'::regclass, 'attempt'::regclass)";
    assert_eq!(ask(compressed).await, if able { 3 } else { 0 });
    connection.close().await.unwrap();
}
