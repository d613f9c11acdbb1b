//! A rolling upgrade: a process serves while the migrations of the next version are applied to its database.
//!
//! The next version is this one with the kinds of changes that a migration may make (docs/upgrades): new columns, tables
//! and indexes on the tables that are written most.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database as Connector, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};
use serde_json::json;
use tieline::store::{Limits, Store};
use tokio_util::sync::CancellationToken;

use crate::support::{Integration, TestApp, until};

/// Time limit of each wait.
const LIMIT: Duration = Duration::from_secs(60);
/// Concurrent callers.
const CALLERS: usize = 4;
/// Events that each sends after the migrations.
const EVENTS: usize = 15;

struct Next;

impl MigratorTrait for Next {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.push(Box::new(Columns));
        migrations
    }
}

struct Columns;

impl MigrationName for Columns {
    fn name(&self) -> &'static str {
        "m29990101_000000_columns"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Columns {
    /// An index is made beside writers outside of a transaction alone.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for table in ["event", "delivery", "attempt", "destination", "route", "organisation", "member"] {
            db.execute_unprepared(&format!("ALTER TABLE {table} ADD COLUMN next_text TEXT")).await?;
            db.execute_unprepared(&format!("ALTER TABLE {table} ADD COLUMN next_count BIGINT NOT NULL DEFAULT 0"))
                .await?;
        }
        let beside = if db.get_database_backend() == DbBackend::Postgres { " CONCURRENTLY" } else { "" };
        db.execute_unprepared(&format!("CREATE INDEX{beside} destination_next ON destination (next_count)")).await?;
        // Beside writers there is none of a table with partitions.
        db.execute_unprepared("CREATE INDEX delivery_next ON delivery (next_count)").await?;
        db.execute_unprepared("CREATE TABLE next_thing (id BIGINT PRIMARY KEY)").await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Sends events until it is told to stop, then a few more. Returns the identifiers of those that were accepted.
async fn call(app: &TestApp, caller: usize, migrated: &AtomicBool) -> Vec<String> {
    let (mut ids, mut afterwards) = (Vec::new(), 0);
    while afterwards < EVENTS {
        afterwards += usize::from(migrated.load(Ordering::Relaxed));
        let event = json!({"type": "order.created", "data": {"caller": caller, "number": ids.len()}});
        let accepted = app.owner.post("/v1/events", &event).await.ok(202);
        let id = accepted["id"].as_str().unwrap().to_owned();
        let of_event = format!("/v1/deliveries?eventId={id}");
        let read =
            [of_event.as_str(), "/v1/events", "/v1/routes", "/v1/destinations", "/v1/statistics", "/v1/organisations"];
        app.owner.get(read[ids.len() % read.len()]).await.ok(200);
        ids.push(id);
    }
    ids
}

both_databases! {
    async fn a_process_serves_while_the_next_version_migrates(database) {
        let address = database.url.clone();
        let app = TestApp::start(database).await;
        let upstream = Integration::start("output", json!([])).await;
        let to = json!({"kind": "webhook", "url": format!("{}/hook", upstream.base())});
        app.owner.post("/v1/routes", &json!({"name": "all", "types": ["order.*"], "destination": to})).await.ok(201);
        let stop = CancellationToken::new();
        let worker = tokio::spawn(app.deliverer.clone().run(stop.clone()));
        let migrated = Arc::new(AtomicBool::new(false));

        let calls = join_all((0..CALLERS).map(|caller| call(&app, caller, &migrated)));
        let migration = async {
            let at_work = async || (upstream.calls().len() >= CALLERS).then_some(());
            until("the callers are at work", LIMIT, at_work).await;
            let connection = Connector::connect(&address).await.unwrap();
            Next::up(&connection, None).await.unwrap();
            connection.close().await.unwrap();
            migrated.store(true, Ordering::Relaxed);
        };
        let (accepted, ()) = tokio::join!(calls, migration);

        let accepted: Vec<String> = accepted.into_iter().flatten().collect();
        assert!(accepted.len() >= CALLERS * EVENTS, "{}", accepted.len());
        let delivered = async || (upstream.calls().len() >= accepted.len()).then_some(());
        until("every accepted event is delivered", LIMIT, delivered).await;
        stop.cancel();
        tokio::time::timeout(LIMIT, worker).await.unwrap().unwrap();
        app.drain().await;
        for id in &accepted {
            assert_eq!(app.delivery_of(id).await["state"], "delivered", "{id}");
        }
        let store = Store::connect(&address, Limits::default()).await.unwrap();
        let newer = store.migrate().await.unwrap_err().to_string();
        assert!(newer.contains("newer"), "{newer}");
        store.close().await;
    }
}
