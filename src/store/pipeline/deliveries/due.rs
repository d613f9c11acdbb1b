//! The pending deliveries that a worker loads, of many destinations at once.
//!
//! Not here: the choice of the destinations (`destinations::claim`).

use ::entity::{delivery::Model as Row, event};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};

use super::delivery;
use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::DestinationId,
        pipeline::{delivery::Delivery, event::Event},
    },
    store::kernel::{batches, placeholders},
};

/// Number of deliveries that have stepped aside in one destination that are loaded at once.
pub const ASIDE: usize = 4;

/// Due delivery, with its event.
#[derive(Clone, Debug)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// Event that it delivers.
    pub event: Event,
}

/// Selections of the pending deliveries of a destination: condition, order and number of each.
type Heads<'a> = &'a [(&'a str, &'a str, usize)];

/// Returns the first `limit` pending deliveries of each destination, oldest first, with their events, in one round
/// trip. Those that have stepped aside by `now` are not among them; the first [`ASIDE`] of them, by the times of their
/// retries, come besides. The data of an event is left out where the delivery has content of its own: a webhook may
/// have sent 25 MB.
///
/// # Errors
/// When the database fails.
pub async fn due(
    db: &impl ConnectionTrait,
    destinations: &[DestinationId],
    limit: usize,
    now: Time,
) -> Result<Vec<Due>> {
    let heads: Heads = &[
        (" AND (aside_at IS NULL OR aside_at > $1)", "id", limit),
        (" AND aside_at IS NOT NULL AND aside_at <= $1", "next_attempt_at, id", ASIDE),
    ];
    waiting(db, destinations, heads, "d.id", now).await
}

/// Returns the same of destinations that keep no order: the earliest due first, even where older ones wait for a retry.
///
/// # Errors
/// When the database fails.
pub async fn due_first(
    db: &impl ConnectionTrait,
    destinations: &[DestinationId],
    limit: usize,
    now: Time,
) -> Result<Vec<Due>> {
    let heads: Heads = &[("", "next_attempt_at, id", limit)];
    waiting(db, destinations, heads, "d.next_attempt_at, d.id", now).await
}

async fn waiting(
    db: &impl ConnectionTrait,
    destinations: &[DestinationId],
    heads: Heads<'_>,
    order: &str,
    now: Time,
) -> Result<Vec<Due>> {
    if destinations.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db.query_all_raw(statement(db.get_database_backend(), destinations, heads, order, now)).await?;
    rows.iter()
        .map(|row| {
            Ok(Due {
                delivery: delivery(Row::from_query_result(row, "d_")?)?,
                event: crate::store::pipeline::events::event(event::Model::from_query_result(row, "")?)?,
            })
        })
        .collect()
}

pub(super) fn statement(
    backend: DbBackend,
    destinations: &[DestinationId],
    heads: Heads<'_>,
    order: &str,
    now: Time,
) -> Statement {
    let head = |of: &str| {
        let one = |(condition, order, limit): &(&str, &str, usize)| {
            format!(
                "SELECT * FROM (SELECT * FROM delivery WHERE destination_id = {of} AND state = 'pending'{condition} \
                 ORDER BY {order} LIMIT {limit}) AS one"
            )
        };
        heads.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
    };
    // Values, not an array: see `batches`.
    let ids = batches::filled(destinations.iter().map(|id| id.0));
    let heads = match backend {
        DbBackend::Postgres => {
            let rows = placeholders::rows(1, ids.len(), 1);
            format!("SELECT h.* FROM (VALUES {rows}) AS v (id) CROSS JOIN LATERAL ({}) AS h", head("v.id"))
        }
        // SQLite has no LATERAL.
        _ => {
            let heads = (0..ids.len()).map(|index| head(&format!("${}", index + 2)));
            heads.collect::<Vec<_>>().join(" UNION ALL ")
        }
    };
    let values = std::iter::once(now.into()).chain(ids.into_iter().map(Value::from)).collect::<Vec<_>>();
    let sql = format!(
        "SELECT d.id AS d_id, d.organisation_id AS d_organisation_id, d.event_id AS d_event_id, \
         d.destination_id AS d_destination_id, d.route_id AS d_route_id, d.state AS d_state, d.reason AS d_reason, d.content AS d_content, \
         d.attempts AS d_attempts, d.attempts_before_replay AS d_attempts_before_replay, d.replayed_at AS d_replayed_at, \
         d.next_attempt_at AS d_next_attempt_at, d.completed_at AS d_completed_at, d.created_at AS d_created_at, \
         d.aside_at AS d_aside_at, \
         e.id, e.organisation_id, e.channel_id, e.kind, e.source, e.attributes, \
         CASE WHEN d.content IS NULL THEN e.data ELSE 'null' END AS data, e.made_from, e.path, e.traceparent, e.created_at \
         FROM ({heads}) AS d JOIN event e ON e.organisation_id = d.organisation_id AND e.id = d.event_id ORDER BY {order}"
    );
    Statement::from_sql_and_values(backend, sql, values)
}
