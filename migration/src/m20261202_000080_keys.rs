//! Keys of events, deliveries and attempts that begin with the organisation: its rows are together, and one index answers
//! what two did, "by its identifier" and "the newest of an organisation".
//!
//! SQLite cannot change a key: there the tables are copied, which takes as much disk again as they have.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

struct Table {
    name: &'static str,
    key: &'static str,
    /// Index of the same columns, which the key replaces.
    replaced: &'static str,
    /// Columns of the replaced index.
    replaced_columns: &'static str,
    /// Columns as SQLite has them; PostgreSQL keeps its own.
    columns: &'static [&'static str],
    /// Other indexes, each with what it is on: a copied table has none.
    indexes: &'static [(&'static str, &'static str)],
}

const TABLES: [Table; 3] = [
    Table {
        name: "event",
        key: "organisation_id, id",
        replaced: "event_organisation",
        replaced_columns: "organisation_id, id",
        columns: &[
            "id BLOB NOT NULL",
            "organisation_id BLOB NOT NULL",
            "channel_id BLOB",
            "kind TEXT NOT NULL",
            "source TEXT NOT NULL",
            "attributes TEXT NOT NULL DEFAULT '{}'",
            "data TEXT NOT NULL",
            "made_from BLOB",
            "path TEXT",
            "traceparent TEXT",
            "created_at TEXT NOT NULL",
        ],
        indexes: &[("event_channel", "(organisation_id, channel_id, id) WHERE channel_id IS NOT NULL")],
    },
    Table {
        name: "delivery",
        key: "organisation_id, id",
        replaced: "delivery_organisation",
        replaced_columns: "organisation_id, id",
        columns: &[
            "id BLOB NOT NULL",
            "organisation_id BLOB NOT NULL",
            "event_id BLOB NOT NULL",
            "destination_id BLOB NOT NULL",
            "route_id BLOB",
            "state TEXT NOT NULL",
            "reason TEXT",
            "content TEXT",
            "attempts INTEGER NOT NULL",
            "attempts_before_replay INTEGER NOT NULL DEFAULT 0",
            "replayed_at TEXT",
            "next_attempt_at TEXT",
            "aside_at TEXT",
            "completed_at TEXT",
            "created_at TEXT NOT NULL",
        ],
        indexes: &[
            ("delivery_event", "(event_id)"),
            ("delivery_pending", "(destination_id, id) WHERE state = 'pending'"),
            ("delivery_failed", "(destination_id, id) WHERE state = 'failed'"),
            ("delivery_aside", "(destination_id, next_attempt_at) WHERE state = 'pending' AND aside_at IS NOT NULL"),
            ("delivery_failed_in_organisation", "(organisation_id, id) WHERE state = 'failed'"),
            ("delivery_skipped_in_organisation", "(organisation_id, id) WHERE state = 'skipped'"),
        ],
    },
    Table {
        name: "attempt",
        key: "organisation_id, delivery_id, id",
        replaced: "attempt_delivery",
        replaced_columns: "delivery_id, id",
        columns: &[
            "id BLOB NOT NULL",
            "organisation_id BLOB NOT NULL",
            "delivery_id BLOB NOT NULL",
            "number INTEGER NOT NULL",
            "address TEXT NOT NULL",
            "outcome TEXT NOT NULL",
            "status_code INTEGER",
            "reason TEXT",
            "request TEXT NOT NULL",
            "answer TEXT",
            "detail TEXT",
            "history_of BLOB",
            "duration_ms BIGINT NOT NULL",
            "created_at TEXT NOT NULL",
        ],
        indexes: &[("attempt_history", "(history_of, id) WHERE history_of IS NOT NULL")],
    },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in &TABLES {
            set_key(manager, table, table.key).await?;
            statements::execute(manager, &format!("DROP INDEX IF EXISTS {}", table.replaced)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table @ Table { name, replaced, replaced_columns, .. } in &TABLES {
            set_key(manager, table, "id").await?;
            statements::execute(manager, &format!("CREATE INDEX {replaced} ON {name} ({replaced_columns})")).await?;
        }
        Ok(())
    }
}

async fn set_key(manager: &SchemaManager<'_>, table: &Table, key: &str) -> Result<(), DbErr> {
    let Table { name, columns, indexes, .. } = table;
    if manager.get_database_backend() == DbBackend::Postgres {
        statements::execute(manager, &format!("ALTER TABLE {name} DROP CONSTRAINT {name}_pkey")).await?;
        return statements::execute(manager, &format!("ALTER TABLE {name} ADD PRIMARY KEY ({key})")).await;
    }
    let names: Vec<&str> = columns.iter().filter_map(|column| column.split(' ').next()).collect();
    let names = names.join(", ");
    let copy = [
        format!("CREATE TABLE {name}_copy ({}, PRIMARY KEY ({key}))", columns.join(", ")),
        format!("INSERT INTO {name}_copy ({names}) SELECT {names} FROM {name} ORDER BY rowid"),
        format!("DROP TABLE {name}"),
        format!("ALTER TABLE {name}_copy RENAME TO {name}"),
    ];
    let indexes = indexes.iter().map(|(index, on)| format!("CREATE INDEX {index} ON {name} {on}"));
    for statement in copy.into_iter().chain(indexes) {
        statements::execute(manager, &statement).await?;
    }
    Ok(())
}
