//! Queues of destinations: `delivery.seq` is the position of a delivery in the queue of its destination, handed out under
//! the lock of the destination's row, and `destination.cursor` the position up to which the queue is through. A delivery is
//! written once. What the cursor cannot tell of it, a retry, an end without success or a replay, is in `delivery_progress`.
//!
//! Deliveries that were there before have no position: those that are not finished are in `delivery_progress`.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "CREATE TABLE delivery_progress (
    organisation_id {uuid} NOT NULL,
    delivery_id {uuid} NOT NULL,
    destination_id {uuid} NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    content TEXT,
    attempts INTEGER NOT NULL,
    attempts_before_replay INTEGER NOT NULL,
    replayed_at {time},
    next_attempt_at {time},
    aside_at {time},
    completed_at {time},
    PRIMARY KEY (organisation_id, delivery_id)
)";

const INDEXES: [&str; 5] = [
    "delivery_progress_pending ON delivery_progress (destination_id, delivery_id) WHERE state = 'pending'",
    "delivery_progress_due ON delivery_progress (destination_id, next_attempt_at, delivery_id) WHERE state = 'pending'",
    "delivery_progress_failed ON delivery_progress (destination_id, delivery_id) WHERE state = 'failed'",
    "delivery_progress_failed_in_organisation ON delivery_progress (organisation_id, delivery_id) WHERE state = 'failed'",
    "delivery_progress_skipped_in_organisation ON delivery_progress (organisation_id, delivery_id) WHERE state = 'skipped'",
];

const FILL: &str = "INSERT INTO delivery_progress (organisation_id, delivery_id, destination_id, state, reason, content, \
    attempts, attempts_before_replay, replayed_at, next_attempt_at, aside_at, completed_at) \
    SELECT organisation_id, id, destination_id, state, reason, CASE WHEN replayed_at IS NOT NULL THEN content END, \
    attempts, attempts_before_replay, replayed_at, next_attempt_at, aside_at, completed_at \
    FROM delivery WHERE state = 'pending' OR replayed_at IS NOT NULL";

/// Columns that are those of `delivery_progress` now.
const MOVED: [(&str, &str); 4] = [
    ("attempts_before_replay", "INTEGER NOT NULL DEFAULT 0"),
    ("replayed_at", "{time}"),
    ("next_attempt_at", "{time}"),
    ("aside_at", "{time}"),
];

/// Columns that stay, as SQLite has them.
const KEPT: [&str; 11] = [
    "id BLOB NOT NULL",
    "organisation_id BLOB NOT NULL",
    "event_id BLOB NOT NULL",
    "destination_id BLOB NOT NULL",
    "route_id BLOB",
    "state TEXT NOT NULL",
    "reason TEXT",
    "content TEXT",
    "attempts INTEGER NOT NULL",
    "completed_at TEXT",
    "created_at TEXT NOT NULL",
];

const QUEUE: &str = "CREATE INDEX delivery_queue ON delivery (destination_id, seq) WHERE seq IS NOT NULL";

/// Other indexes of `delivery`, which a copy has not.
const OTHERS: [&str; 4] = [
    "delivery_event ON delivery (event_id)",
    "delivery_failed ON delivery (destination_id, id) WHERE state = 'failed'",
    "delivery_failed_in_organisation ON delivery (organisation_id, id) WHERE state = 'failed'",
    "delivery_skipped_in_organisation ON delivery (organisation_id, id) WHERE state = 'skipped'",
];

/// Indexes of what is pending, before.
const FORMER: [&str; 2] = [
    "delivery_pending ON delivery (destination_id, id) WHERE state = 'pending'",
    "delivery_aside ON delivery (destination_id, next_attempt_at) WHERE state = 'pending' AND aside_at IS NOT NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut statements = vec![TABLE.to_owned(), FILL.to_owned()];
        statements.extend(INDEXES.map(|index| format!("CREATE INDEX {index}")));
        statements.extend(FORMER.iter().map(|index| format!("DROP INDEX {}", name(index))));
        for column in ["last_seq", "cursor"] {
            statements.push(format!("ALTER TABLE destination ADD COLUMN {column} BIGINT NOT NULL DEFAULT 0"));
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            // The row of a busy destination changes with each batch: its next version finds room beside it.
            statements.push("ALTER TABLE destination SET (fillfactor = 50)".to_owned());
            statements.push("ALTER TABLE delivery ADD COLUMN seq BIGINT".to_owned());
            statements.extend(MOVED.map(|(column, _)| format!("ALTER TABLE delivery DROP COLUMN {column}")));
        } else {
            // One copy instead of a pass over the table for each column that goes.
            let names: Vec<&str> = KEPT.iter().filter_map(|column| column.split(' ').next()).collect();
            let (names, columns) = (names.join(", "), KEPT.join(", "));
            statements.extend([
                format!("CREATE TABLE delivery_copy ({columns}, seq BIGINT, PRIMARY KEY (organisation_id, id))"),
                format!("INSERT INTO delivery_copy ({names}) SELECT {names} FROM delivery ORDER BY rowid"),
                "DROP TABLE delivery".to_owned(),
                "ALTER TABLE delivery_copy RENAME TO delivery".to_owned(),
            ]);
            statements.extend(OTHERS.map(|index| format!("CREATE INDEX {index}")));
        }
        statements.push(QUEUE.to_owned());
        run(manager, statements).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut statements: Vec<String> =
            MOVED.map(|(column, kind)| format!("ALTER TABLE delivery ADD COLUMN {column} {kind}")).into();
        let progress = |column: &str| {
            format!(
                "(SELECT p.{column} FROM delivery_progress p WHERE p.organisation_id = delivery.organisation_id \
                 AND p.delivery_id = delivery.id)"
            )
        };
        let columns = ["state", "reason", "attempts", "attempts_before_replay", "replayed_at", "next_attempt_at"];
        let columns = columns.into_iter().chain(["aside_at", "completed_at"]);
        let set = columns.map(|column| format!("{column} = {}", progress(column))).collect::<Vec<_>>().join(", ");
        let queued = "state = 'pending' AND seq <= (SELECT t.cursor FROM destination t WHERE t.id = destination_id)";
        statements.extend([
            format!("UPDATE delivery SET state = 'delivered', attempts = 1, completed_at = created_at WHERE {queued}"),
            "UPDATE delivery SET next_attempt_at = created_at WHERE state = 'pending'".to_owned(),
            format!(
                "UPDATE delivery SET content = {} WHERE {} IS NOT NULL",
                progress("content"),
                progress("replayed_at")
            ),
            format!("UPDATE delivery SET {set} WHERE {} IS NOT NULL", progress("state")),
            "DROP INDEX delivery_queue".to_owned(),
            "ALTER TABLE delivery DROP COLUMN seq".to_owned(),
            "DROP TABLE delivery_progress".to_owned(),
        ]);
        statements.extend(["last_seq", "cursor"].map(|column| format!("ALTER TABLE destination DROP COLUMN {column}")));
        statements.extend(FORMER.map(|index| format!("CREATE INDEX {index}")));
        run(manager, statements).await
    }
}

fn name(index: &str) -> &str {
    index.split(' ').next().unwrap_or_default()
}

async fn run(manager: &SchemaManager<'_>, statements: Vec<String>) -> Result<(), DbErr> {
    for statement in statements {
        statements::execute(manager, &statement).await?;
    }
    Ok(())
}
