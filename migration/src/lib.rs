//! Migrations of Tieline's database, one dated file each. They run on SQLite and on PostgreSQL alike.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigratorTrait, SchemaManager};

mod m20261120_000001_core;
mod m20261121_000001_github;
mod m20261121_000002_integrations;
mod m20261122_000001_signing;
mod m20261122_000002_webhooks;
mod m20261122_000003_registry;
mod m20261122_000004_bot_installations;
mod m20261122_000010_webhook_history;
mod m20261201_000001_readiness;
mod m20261201_000002_fair_claims;
mod m20261201_000003_invitations;
mod m20261201_000004_event_attributes;
mod m20261201_000005_routes;
mod m20261201_000006_registry_tables;
mod m20261201_000007_replays;
mod m20261201_000008_routing;
mod m20261201_000009_health;
mod m20261201_000010_search;
mod m20261201_000011_route_rules;
mod m20261201_000012_retry_schedules;
mod m20261201_000020_connections;
mod m20261202_000030_sessions;
mod m20261202_000031_operators;
mod m20261202_000040_compression;
mod m20261202_000041_workers;
mod m20261202_000050_interfaces;
mod m20261202_000060_app_keys;
mod m20261202_000070_traces;
mod m20261202_000080_keys;
mod m20261203_000090_queues;
mod m20261204_000100_partitions;
mod statements;

/// List of all migrations, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let all: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m20261120_000001_core::Migration),
            Box::new(m20261121_000001_github::Migration),
            Box::new(m20261121_000002_integrations::Migration),
            Box::new(m20261122_000001_signing::Migration),
            Box::new(m20261122_000002_webhooks::Migration),
            Box::new(m20261122_000003_registry::Migration),
            Box::new(m20261122_000004_bot_installations::Migration),
            Box::new(m20261122_000010_webhook_history::Migration),
            Box::new(m20261201_000001_readiness::Migration),
            Box::new(m20261201_000002_fair_claims::Migration),
            Box::new(m20261201_000003_invitations::Migration),
            Box::new(m20261201_000004_event_attributes::Migration),
            Box::new(m20261201_000005_routes::Migration),
            Box::new(m20261201_000006_registry_tables::Migration),
            Box::new(m20261201_000007_replays::Migration),
            Box::new(m20261201_000008_routing::Migration),
            Box::new(m20261201_000009_health::Migration),
            Box::new(m20261201_000010_search::Migration),
            Box::new(m20261201_000011_route_rules::Migration),
            Box::new(m20261201_000012_retry_schedules::Migration),
            Box::new(m20261201_000020_connections::Migration),
            Box::new(m20261202_000030_sessions::Migration),
            Box::new(m20261202_000031_operators::Migration),
            Box::new(m20261202_000040_compression::Migration),
            Box::new(m20261202_000041_workers::Migration),
            Box::new(m20261202_000050_interfaces::Migration),
            Box::new(m20261202_000060_app_keys::Migration),
            Box::new(m20261202_000070_traces::Migration),
            Box::new(m20261202_000080_keys::Migration),
            Box::new(m20261203_000090_queues::Migration),
            Box::new(m20261204_000100_partitions::Migration),
        ];
        all.into_iter().map(|migration| Box::new(InTransaction(migration)) as _).collect()
    }
}

/// A migration that is applied as a whole or not at all, on SQLite too: a process that is killed half-way must be able to
/// start again.
struct InTransaction(Box<dyn MigrationTrait>);

impl MigrationName for InTransaction {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for InTransaction {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }
}
