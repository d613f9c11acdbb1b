//! Statistics of deliveries, by destination and hour.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

use super::derived;
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        search::Period,
    },
    store::{corrupt, kernel::placeholders},
};

/// Deliveries of the events that were accepted in one hour, to one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Hour {
    /// The destination.
    pub destination_id: DestinationId,
    /// Kind of the destination.
    pub destination_kind: String,
    /// Name of the destination.
    pub destination_name: String,
    /// Beginning of the hour, in UTC.
    pub hour: Time,
    /// Number of deliveries that were delivered.
    pub delivered: u64,
    /// Number of deliveries that failed.
    pub failed: u64,
    /// Number of deliveries that were skipped.
    pub skipped: u64,
    /// Number of deliveries that are pending.
    pub pending: u64,
    /// Average time from the acceptance of the event to its delivery, in milliseconds.
    pub average_ms: Option<u64>,
    /// Longest such time, in milliseconds.
    pub max_ms: Option<u64>,
}

/// Maximum number of hours in an answer.
pub const MOST_HOURS: usize = 10_000;

#[derive(FromQueryResult)]
struct Row {
    destination_id: Uuid,
    destination_kind: String,
    destination_name: String,
    hour: String,
    delivered: i64,
    failed: i64,
    skipped: i64,
    pending: i64,
    average_ms: Option<i64>,
    max_ms: Option<i64>,
}

/// Counts the deliveries of a period by destination and hour: the newest hour first, and within it in the order of the
/// destinations' ids.
///
/// # Errors
/// [`Error::Invalid`] for more than [`MOST_HOURS`].
pub async fn statistics(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    destination_id: Option<DestinationId>,
    period: Period,
) -> Result<Vec<Hour>> {
    let backend = db.get_database_backend();
    // Times are texts in SQLite, in UTC, and begin with date and hour.
    let (hour, took) = match backend {
        DbBackend::Postgres => (
            "TO_CHAR(delivery.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')",
            "EXTRACT(EPOCH FROM d.completed_at - d.created_at) * 1000",
        ),
        _ => (
            "REPLACE(SUBSTR(delivery.created_at, 1, 13), 'T', ' ')",
            "(UNIXEPOCH(d.completed_at, 'subsec') - UNIXEPOCH(d.created_at, 'subsec')) * 1000",
        ),
    };
    let at = |index| placeholders::one(backend, index);
    let count = |state: &str| format!("SUM(CASE WHEN d.state = '{state}' THEN 1 ELSE 0 END) AS {state}");
    let counts = ["delivered", "failed", "skipped", "pending"].map(count).join(", ");
    let of_destination = destination_id.map_or(String::new(), |_| format!("AND delivery.destination_id = {}", at(3)));
    let sql = format!(
        "WITH d AS MATERIALIZED (SELECT delivery.destination_id, delivery.created_at, {hour} AS hour, {state} AS state, \
         {completed_at} AS completed_at FROM {source} WHERE delivery.organisation_id = {} AND delivery.id >= {} \
         AND delivery.id < {} {of_destination}) \
         SELECT c.*, t.kind AS destination_kind, t.name AS destination_name FROM (\
         SELECT d.destination_id, d.hour, {counts}, \
         CAST(ROUND(AVG(CASE WHEN d.state = 'delivered' THEN {took} END)) AS BIGINT) AS average_ms, \
         CAST(ROUND(MAX(CASE WHEN d.state = 'delivered' THEN {took} END)) AS BIGINT) AS max_ms \
         FROM d GROUP BY d.destination_id, d.hour) c JOIN destination t ON t.id = c.destination_id \
         ORDER BY c.hour DESC, c.destination_id LIMIT {}",
        at(0),
        at(1),
        at(2),
        MOST_HOURS + 1,
        source = derived::SOURCE,
        state = derived::STATE,
        completed_at = derived::completed_at(backend),
    );
    let mut values = vec![organisation_id.0.into(), period.first().into(), period.end().into()];
    values.extend(destination_id.map(|id| id.0.into()));
    let rows = Row::find_by_statement(Statement::from_sql_and_values(backend, sql, values)).all(db).await?;
    if rows.len() > MOST_HOURS {
        let rule = format!("gives more than {MOST_HOURS} rows; ask for a shorter period or for one destination");
        return Err(Error::invalid("since", rule));
    }
    rows.into_iter().map(hour_of).collect()
}

fn hour_of(row: Row) -> Result<Hour> {
    let hour = chrono::NaiveDateTime::parse_from_str(&format!("{}:00", row.hour), "%Y-%m-%d %H:%M");
    let whole = |count: i64| u64::try_from(count).unwrap_or_default();
    Ok(Hour {
        destination_id: row.destination_id.into(),
        destination_kind: row.destination_kind,
        destination_name: row.destination_name,
        hour: hour.map_err(|error| corrupt("delivery", "created_at", error))?.and_utc(),
        delivered: whole(row.delivered),
        failed: whole(row.failed),
        skipped: whole(row.skipped),
        pending: whole(row.pending),
        average_ms: row.average_ms.map(whole),
        max_ms: row.max_ms.map(whole),
    })
}
