//! Partitions of events, deliveries and attempts by the time in their ids, on PostgreSQL: what is past its retention goes
//! with its table instead of row by row. An attempt is with its delivery.
//!
//! The stored rows become the first partition as they are. Later ones are made by the running service, a day each.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, Statement, prelude::Uuid},
};

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

struct Table {
    name: &'static str,
    /// Column of the time.
    by: &'static str,
    key: &'static str,
    indexes: &'static [(&'static str, &'static str)],
}

const TABLES: [Table; 3] = [
    Table {
        name: "event",
        by: "id",
        key: "organisation_id, id",
        indexes: &[("event_channel", "(organisation_id, channel_id, id) WHERE channel_id IS NOT NULL")],
    },
    Table {
        name: "delivery",
        by: "id",
        key: "organisation_id, id",
        indexes: &[
            ("delivery_event", "(event_id)"),
            ("delivery_failed", "(destination_id, id) WHERE state = 'failed'"),
            ("delivery_failed_in_organisation", "(organisation_id, id) WHERE state = 'failed'"),
            ("delivery_skipped_in_organisation", "(organisation_id, id) WHERE state = 'skipped'"),
            ("delivery_queue", "(destination_id, seq) WHERE seq IS NOT NULL"),
        ],
    },
    Table {
        name: "attempt",
        by: "delivery_id",
        key: "organisation_id, delivery_id, id",
        indexes: &[("attempt_history", "(history_of, id) WHERE history_of IS NOT NULL")],
    },
];

/// Properties of the columns that a table takes over from another.
const LIKE: &str = "INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION";

const DAY_MS: u128 = 86_400_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for Table { name, by, key, indexes } in TABLES {
            let end = end(manager, name, by).await?;
            execute(manager, &format!("ALTER TABLE {name} RENAME TO {name}_first")).await?;
            execute(manager, &format!("ALTER INDEX {name}_pkey RENAME TO {name}_first_pkey")).await?;
            for (index, _) in indexes {
                execute(manager, &format!("ALTER INDEX {index} RENAME TO {index}_first")).await?;
            }
            execute(
                manager,
                &format!(
                    "CREATE TABLE {name} (LIKE {name}_first {LIKE}, PRIMARY KEY ({key})) PARTITION BY RANGE ({by})"
                ),
            )
            .await?;
            for (index, on) in indexes {
                execute(manager, &format!("CREATE INDEX {index} ON {name} {on}")).await?;
            }
            let bounds = format!("FROM (MINVALUE) TO ({end})");
            execute(manager, &format!("ALTER TABLE {name} ATTACH PARTITION {name}_first FOR VALUES {bounds}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for Table { name, key, indexes, .. } in TABLES {
            execute(manager, &format!("CREATE TABLE {name}_whole (LIKE {name} {LIKE})")).await?;
            execute(manager, &format!("INSERT INTO {name}_whole SELECT * FROM {name}")).await?;
            execute(manager, &format!("DROP TABLE {name}")).await?;
            execute(manager, &format!("ALTER TABLE {name}_whole RENAME TO {name}")).await?;
            execute(manager, &format!("ALTER TABLE {name} ADD PRIMARY KEY ({key})")).await?;
            for (index, on) in indexes {
                execute(manager, &format!("CREATE INDEX {index} ON {name} {on}")).await?;
            }
        }
        Ok(())
    }
}

/// Returns the end of the first partition: the begin of the day after all that is stored, and after today.
async fn end(manager: &SchemaManager<'_>, table: &str, by: &str) -> Result<String, DbErr> {
    // What was accepted last by a clock that is ahead is stored as well. There is no greatest UUID by `max` before 18.
    let sql = format!(
        "SELECT CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT) AS now, \
         (SELECT {by} FROM {table} ORDER BY {by} DESC LIMIT 1) AS last"
    );
    let row = manager.get_connection().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the time of the database".to_owned()))?;
    let (now, last): (i64, Option<Uuid>) = (row.try_get("", "now")?, row.try_get("", "last")?);
    // The first 48 bits are milliseconds (RFC 9562, section 5.7).
    let last = last.map_or(0, |id| id.as_u128() >> 80);
    let end = (last.max(u128::try_from(now).unwrap_or_default()) / DAY_MS + 1) * DAY_MS;
    Ok(if end < 1 << 48 { format!("'{}'", Uuid::from_u128(end << 80)) } else { "MAXVALUE".to_owned() })
}

async fn execute(manager: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    statements::execute(manager, statement).await
}
