//! The state of a delivery, derived: its row is written once, at intake, and never changed. The row of
//! `delivery_progress` tells what became of it, where there is one; otherwise the cursor of its destination's queue does:
//! what is behind the cursor was delivered at the first attempt, and what is before it is pending.
//!
//! Not here: the writes of progress (`progress`).

use sea_orm::{DbBackend, FromQueryResult};
use uuid::Uuid;

use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::RouteId,
        pipeline::delivery::{Content, Delivery},
    },
    store::corrupt,
};

/// Deliveries with what their state is derived from. The expressions name these tables.
pub(super) const SOURCE: &str = "delivery JOIN destination ON destination.id = delivery.destination_id \
     LEFT JOIN delivery_progress ON delivery_progress.organisation_id = delivery.organisation_id \
     AND delivery_progress.delivery_id = delivery.id";

/// The state.
pub(super) const STATE: &str = "COALESCE(delivery_progress.state, CASE WHEN delivery.state <> 'pending' THEN delivery.state \
     WHEN delivery.seq > destination.cursor THEN 'pending' ELSE 'delivered' END)";

/// The reason.
pub(super) const REASON: &str =
    "CASE WHEN delivery_progress.state IS NULL THEN delivery.reason ELSE delivery_progress.reason END";

/// Columns that are derived alike on both databases.
const COLUMNS: [(&str, &str); 14] = [
    ("id", "delivery.id"),
    ("organisation_id", "delivery.organisation_id"),
    ("event_id", "delivery.event_id"),
    ("destination_id", "delivery.destination_id"),
    ("route_id", "delivery.route_id"),
    ("created_at", "delivery.created_at"),
    ("state", STATE),
    ("reason", REASON),
    ("attempts_before_replay", "COALESCE(delivery_progress.attempts_before_replay, 0)"),
    ("replayed_at", "delivery_progress.replayed_at"),
    ("aside_at", "delivery_progress.aside_at"),
    (
        "attempts",
        "COALESCE(delivery_progress.attempts, CASE WHEN delivery.seq <= destination.cursor THEN 1 ELSE delivery.attempts END)",
    ),
    (
        "next_attempt_at",
        "CASE WHEN delivery_progress.state IS NOT NULL THEN delivery_progress.next_attempt_at \
         WHEN delivery.seq > destination.cursor THEN delivery.created_at END",
    ),
    ("seq", "CASE WHEN delivery_progress.state IS NULL AND delivery.seq > destination.cursor THEN delivery.seq END"),
];

/// The content; lists leave it out.
pub(super) const CONTENT: &str =
    "CASE WHEN delivery_progress.replayed_at IS NULL THEN delivery.content ELSE delivery_progress.content END";

/// Returns the time at which a delivery ended: of one that was delivered at the first attempt, the end of that.
pub(super) fn completed_at(backend: DbBackend) -> String {
    let ended = match backend {
        DbBackend::Postgres => "MAX(attempt.created_at + attempt.duration_ms * INTERVAL '1 millisecond')",
        _ => {
            "MAX(STRFTIME('%Y-%m-%d %H:%M:%f', attempt.created_at, (attempt.duration_ms / 1000.0) || ' seconds')) || '+00:00'"
        }
    };
    format!(
        "CASE WHEN delivery_progress.state IS NOT NULL THEN delivery_progress.completed_at \
         WHEN delivery.state <> 'pending' THEN delivery.completed_at WHEN delivery.seq <= destination.cursor THEN \
         (SELECT {ended} FROM attempt WHERE attempt.organisation_id = delivery.organisation_id \
         AND attempt.delivery_id = delivery.id) END"
    )
}

/// Returns the columns of a delivery, each with its expression, but for the content.
pub(super) fn columns(backend: DbBackend) -> impl Iterator<Item = (&'static str, String)> {
    let same = COLUMNS.into_iter().map(|(name, expression)| (name, expression.to_owned()));
    same.chain([("completed_at", completed_at(backend))])
}

/// Columns of a delivery with its derived state.
#[derive(FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    organisation_id: Uuid,
    event_id: Uuid,
    destination_id: Uuid,
    route_id: Option<Uuid>,
    state: String,
    reason: Option<String>,
    content: Option<String>,
    attempts: i32,
    attempts_before_replay: i32,
    replayed_at: Option<Time>,
    next_attempt_at: Option<Time>,
    aside_at: Option<Time>,
    completed_at: Option<Time>,
    created_at: Time,
    seq: Option<i64>,
}

pub(super) fn delivery(row: Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        event_id: row.event_id.into(),
        destination_id: row.destination_id.into(),
        route_id: row.route_id.map(RouteId),
        state: row.state.parse().map_err(|error| corrupt("delivery", "state", error))?,
        reason: row.reason,
        content: row.content.map(Content::stored),
        attempts: row.attempts,
        attempts_before_replay: row.attempts_before_replay,
        replayed_at: row.replayed_at,
        next_attempt_at: row.next_attempt_at,
        aside_at: row.aside_at,
        completed_at: row.completed_at,
        created_at: row.created_at,
        seq: row.seq,
    })
}
