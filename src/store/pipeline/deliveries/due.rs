//! The pending deliveries that a worker loads, of many destinations at once.
//!
//! Not here: the choice of the destinations (`destinations::claim`).

use std::collections::HashMap;

use ::entity::event;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::derived::{Row, delivery};
use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::DestinationId,
        pipeline::{delivery::Delivery, event::Event},
        search::first_id,
    },
    store::{
        kernel::{columns, placeholders},
        pipeline::destinations::Position,
    },
};

/// Number of deliveries that have stepped aside in one destination that are loaded at once.
const ASIDE: usize = 4;

/// Due delivery, with its event.
#[derive(Clone, Debug)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// Event that it delivers.
    pub event: Event,
}

/// Selections of a destination's deliveries that wait for a retry: condition, order and, where it is not that of all,
/// number.
pub(super) type Parked = [(&'static str, &'static str, Option<usize>)];

/// Selections where order is kept: those that hold up others by their order, and those that have stepped aside by the
/// times of their retries.
pub(super) const IN_ORDER: [(&str, &str, Option<usize>); 2] = [
    (" AND (p.aside_at IS NULL OR p.aside_at > $1)", "p.delivery_id", None),
    (" AND p.aside_at IS NOT NULL AND p.aside_at <= $1", "p.next_attempt_at, p.delivery_id", Some(ASIDE)),
];
const IN_ANY: [(&str, &str, Option<usize>); 1] = [("", "p.next_attempt_at, p.delivery_id", None)];

/// Loaded deliveries of a destination.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Its due deliveries, and those that wait for a retry among them.
    pub due: Vec<Due>,
    /// Position up to which its queue was loaded. There is no delivery at a position that a wake-up has taken.
    pub reached: i64,
    /// True if more deliveries than those were left out that are in no queue.
    pub more: bool,
}

/// Returns the first `limit` pending deliveries of each destination, with their events, in one round trip: those that wait
/// for a retry, and then the queue. A queue that goes back by more than a day takes another one. Those that have stepped aside by `now` do not count; the first [`ASIDE`] of them, by
/// the times of their retries, come besides. The data of an event is left out where the delivery has content of its own:
/// a webhook may have sent 25 MB.
///
/// # Errors
/// When the database fails.
pub async fn due(
    db: &impl ConnectionTrait,
    queues: &[Position],
    limit: usize,
    now: Time,
) -> Result<HashMap<DestinationId, Loaded>> {
    let is_aside = |due: &Due| due.delivery.aside_at.is_some_and(|at| at <= now);
    let in_order = |position: &Position, Waiting { parked, queue }: Waiting| {
        let (aside, mut held): (Vec<Due>, Vec<Due>) = parked.into_iter().partition(is_aside);
        held.sort_unstable_by_key(|due| due.delivery.id);
        // Those that have stepped aside come by their times: while one of them waits, all that were left out wait longer.
        let no_one_waits = aside.iter().all(|due| due.delivery.next_attempt_at.is_none_or(|at| at <= now));
        let more = held.len() == limit || aside.len() == ASIDE && no_one_waits;
        let taken = queue.len().min(limit.saturating_sub(held.len()));
        let reached = reached(position, &positions(&queue), taken, limit);
        let mut due: Vec<Due> = held.into_iter().chain(aside).collect();
        due.sort_unstable_by_key(|due| due.delivery.id);
        due.extend(queue.into_iter().take(taken));
        Loaded { due, reached, more }
    };
    waiting(db, queues, (&IN_ORDER, limit), now, in_order).await
}

/// Returns the same of destinations that keep no order: the earliest due first, even where older ones wait for a retry.
///
/// # Errors
/// When the database fails.
pub async fn due_first(
    db: &impl ConnectionTrait,
    queues: &[Position],
    limit: usize,
    now: Time,
) -> Result<HashMap<DestinationId, Loaded>> {
    waiting(db, queues, (&IN_ANY, limit), now, |position, waiting| earliest(position, waiting, limit, now)).await
}

/// Returns the first deliveries of one queue alone.
///
/// # Errors
/// When the database fails.
pub async fn queued(db: &impl ConnectionTrait, queue: Position, limit: usize, now: Time) -> Result<Loaded> {
    let choose = |position: &Position, waiting| earliest(position, waiting, limit, now);
    let mut loaded = waiting(db, &[queue], (&[], limit), now, choose).await?;
    Ok(loaded.remove(&queue.id).unwrap_or_default())
}

/// Deliveries of one destination: those that wait for a retry, and the first of its queue.
#[derive(Default)]
struct Waiting {
    parked: Vec<Due>,
    queue: Vec<Due>,
}

/// Returns the position up to which a queue is loaded if `taken` of the deliveries at these positions are, of the `limit`
/// that were read.
fn reached(position: &Position, read: &[i64], taken: usize, limit: usize) -> i64 {
    let last = |at: Option<&i64>| at.copied().unwrap_or(position.cursor);
    if taken < read.len() {
        return last(taken.checked_sub(1).and_then(|index| read.get(index)));
    }
    let end = position.cursor.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX));
    // What was committed after the claim is read as well.
    position.last_seq.min(end).max(last(read.last()))
}

fn positions(queue: &[Due]) -> Vec<i64> {
    queue.iter().filter_map(|due| due.delivery.seq).collect()
}

/// Merges by time. The queue stays in its order, whatever the clocks of those who accepted: its cursor passes what is
/// loaded.
fn earliest(position: &Position, Waiting { parked, queue }: Waiting, limit: usize, now: Time) -> Loaded {
    let (positions, waits) = (positions(&queue), parked.len());
    let (mut parked, mut queue) = (parked.into_iter().peekable(), queue.into_iter().peekable());
    let next = || match (parked.peek(), queue.peek()) {
        (Some(retry), Some(first)) if retry.delivery.next_attempt_at > Some(first.delivery.created_at) => queue.next(),
        (Some(_), _) => parked.next(),
        (None, _) => queue.next(),
    };
    let due: Vec<Due> = std::iter::from_fn(next).take(limit).collect();
    let taken = due.iter().filter(|due| due.delivery.seq.is_some()).count();
    // They come in the order of their times: one that waits is before all that were left out.
    let one_waits = due.iter().any(|due| due.delivery.next_attempt_at.is_some_and(|at| at > now));
    let more = !one_waits && (waits == limit || due.len() - taken < waits);
    Loaded { reached: reached(position, &positions, taken, limit), due, more }
}

async fn waiting(
    db: &impl ConnectionTrait,
    queues: &[Position],
    (parked, limit): (&Parked, usize),
    now: Time,
    choose: impl Fn(&Position, Waiting) -> Loaded,
) -> Result<HashMap<DestinationId, Loaded>> {
    if queues.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = db.get_database_backend();
    let since = if backend == DbBackend::Postgres { first_id(now - chrono::Days::new(1)) } else { Uuid::nil() };
    let mut found = read(db, statement(backend, queues, parked, limit, (now, since))).await?;
    let nothing = Waiting::default();
    let gaps = |queue: &&Position| has_gap(queue, &positions(&found.get(&queue.id).unwrap_or(&nothing).queue), limit);
    let older: Vec<Position> = queues.iter().filter(gaps).copied().collect();
    if !since.is_nil() && !older.is_empty() {
        found.extend(read(db, statement(backend, &older, parked, limit, (now, Uuid::nil()))).await?);
    }
    let mut loaded = |queue: &Position| (queue.id, choose(queue, found.remove(&queue.id).unwrap_or_default()));
    Ok(queues.iter().map(&mut loaded).collect())
}

/// Returns true if there is no delivery at a position up to the last one that is read: it is older than the others, or a
/// wake-up has taken the position.
fn has_gap(queue: &Position, read: &[i64], limit: usize) -> bool {
    let end = reached(queue, read, read.len(), limit);
    i64::try_from(read.len()).unwrap_or(i64::MAX) < end - queue.cursor
}

async fn read(db: &impl ConnectionTrait, statement: Statement) -> Result<HashMap<DestinationId, Waiting>> {
    let mut found: HashMap<DestinationId, Waiting> = HashMap::new();
    for row in &db.query_all_raw(statement).await? {
        let event = crate::store::pipeline::events::event(event::Model::from_query_result(row, "")?)?;
        let due = Due { delivery: delivery(Row::from_query_result(row, "d_")?)?, event };
        let waiting = found.entry(due.delivery.destination_id).or_default();
        if due.delivery.seq.is_some() { waiting.queue.push(due) } else { waiting.parked.push(due) }
    }
    Ok(found)
}

/// Absent time, with the type of the others of a union.
const NO_TIME: &str = "CAST(NULL AS TIMESTAMPTZ)";

/// Columns of a delivery, with those of a retry and those of the queue.
const COLUMNS: [(&str, &str, &str); 16] = [
    ("id", "d.id", "d.id"),
    ("organisation_id", "d.organisation_id", "d.organisation_id"),
    ("event_id", "d.event_id", "d.event_id"),
    ("destination_id", "d.destination_id", "d.destination_id"),
    ("route_id", "d.route_id", "d.route_id"),
    ("state", "p.state", "d.state"),
    ("reason", "p.reason", "NULL"),
    ("content", "CASE WHEN p.replayed_at IS NULL THEN d.content ELSE p.content END", "d.content"),
    ("attempts", "p.attempts", "0"),
    ("attempts_before_replay", "p.attempts_before_replay", "0"),
    ("replayed_at", "p.replayed_at", NO_TIME),
    // What is in the queue is due at once, also after the clock was set back.
    ("next_attempt_at", "p.next_attempt_at", NO_TIME),
    ("aside_at", "p.aside_at", NO_TIME),
    ("completed_at", "p.completed_at", NO_TIME),
    ("created_at", "d.created_at", "d.created_at"),
    ("seq", "CAST(NULL AS BIGINT)", "d.seq"),
];

pub(super) fn statement(
    backend: DbBackend,
    queues: &[Position],
    parked: &Parked,
    limit: usize,
    (now, since): (Time, Uuid),
) -> Statement {
    let list = |column: fn(&(&'static str, &'static str, &'static str)) -> String| {
        COLUMNS.iter().map(column).collect::<Vec<_>>().join(", ")
    };
    let of_retry = list(|(name, retry, _)| format!("{retry} AS {name}"));
    let of_queue = list(|(name, _, queue)| format!("{queue} AS {name}"));
    let named = list(|(name, ..)| format!("d.{name} AS d_{name}"));
    let heads = |id: &str, cursor: &str, since: &str| {
        let retries = |(condition, order, number): &(&str, &str, Option<usize>)| {
            format!(
                "SELECT * FROM (SELECT {of_retry} FROM delivery_progress p JOIN delivery d \
                 ON d.organisation_id = p.organisation_id AND d.id = p.delivery_id \
                 WHERE p.destination_id = {id} AND p.state = 'pending'{condition} ORDER BY {order} LIMIT {}) AS one",
                number.unwrap_or(limit)
            )
        };
        let queue = format!(
            "SELECT * FROM (SELECT {of_queue} FROM delivery d WHERE d.destination_id = {id} AND d.seq > {cursor} \
             AND d.seq <= {cursor} + {limit}{since}) AS one"
        );
        parked.iter().map(retries).chain([queue]).collect::<Vec<_>>().join(" UNION ALL ")
    };
    // Filled up, and values instead of arrays: see `batches`.
    let count = queues.len().next_power_of_two();
    let mut rows: Vec<(Uuid, i64)> = queues.iter().map(|queue| (queue.id.0, queue.cursor)).collect();
    rows.resize(count, (Uuid::nil(), 0));
    let mut values: Vec<Value> = vec![now.into()];
    let heads = match backend {
        DbBackend::Postgres => {
            values.extend(rows.into_iter().flat_map(|(id, cursor)| [id.into(), cursor.into(), since.into()]));
            let rows = placeholders::rows(1, count, 3);
            let heads = heads("v.id", "v.cursor", " AND d.id >= v.since");
            format!("SELECT h.* FROM (VALUES {rows}) AS v (id, cursor, since) CROSS JOIN LATERAL ({heads}) AS h")
        }
        // SQLite has no LATERAL, and no partitions.
        _ => {
            values.extend(rows.into_iter().flat_map(|(id, cursor)| [Value::from(id), cursor.into()]));
            let heads = |index| heads(&format!("${}", 2 * index + 2), &format!("${}", 2 * index + 3), "");
            (0..count).map(heads).collect::<Vec<_>>().join(" UNION ALL ")
        }
    };
    // The data of an event is not read where the delivery has a content.
    let columns = columns::of::<event::Entity>("event");
    let event = columns.replace("event.data", "CASE WHEN d.content IS NULL THEN event.data ELSE 'null' END AS data");
    let its_event = "event.organisation_id = d.organisation_id AND event.id = d.event_id";
    let joined = match backend {
        // One look-up for each delivery: a plan from when the table was small reads it all, until it is analysed.
        DbBackend::Postgres => {
            format!("CROSS JOIN LATERAL (SELECT {columns} FROM event WHERE {its_event} LIMIT 1) AS event")
        }
        _ => format!("JOIN event ON {its_event}"),
    };
    let sql = format!("SELECT {named}, {event} FROM ({heads}) AS d {joined} ORDER BY d.seq, d.next_attempt_at, d.id");
    Statement::from_sql_and_values(backend, sql, values)
}

/// Returns a pending delivery of one destination, at a position of its queue.
#[cfg(test)]
pub fn sample(seq: i64) -> Due {
    use crate::domain::{
        ids::{DeliveryId, EventId, OrganisationId},
        pipeline::{
            delivery::DeliveryState,
            event::{EventSource, Fact},
        },
    };
    let (organisation_id, event_id) = (OrganisationId(Uuid::from_u128(1)), EventId(Uuid::from_u128(2)));
    let delivery = Delivery {
        id: DeliveryId(Uuid::from_u128(seq.unsigned_abs().into())),
        organisation_id,
        event_id,
        destination_id: DestinationId(Uuid::from_u128(3)),
        route_id: None,
        state: DeliveryState::Pending,
        reason: None,
        content: None,
        attempts: 0,
        attempts_before_replay: 0,
        replayed_at: None,
        next_attempt_at: None,
        aside_at: None,
        completed_at: None,
        created_at: Time::UNIX_EPOCH,
        seq: Some(seq),
    };
    let event = Event {
        id: event_id,
        organisation_id,
        source: EventSource::API,
        fact: Fact::plain("a", None, serde_json::Value::Null),
        made_from: None,
        path: Vec::new(),
        trace: None,
        created_at: Time::UNIX_EPOCH,
    };
    Due { delivery, event }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(seconds: i64) -> Due {
        let mut due = sample(0);
        due.delivery.next_attempt_at = Some(Time::UNIX_EPOCH + chrono::Duration::seconds(seconds));
        due.delivery.seq = None;
        due
    }

    /// Loads at the second 10 a queue that is through up to 4 and that has these deliveries, and these retries.
    fn load(queue: &[i64], retries: &[i64], limit: usize) -> (Vec<Option<i64>>, i64, bool) {
        let position = Position { id: DestinationId(Uuid::from_u128(3)), cursor: 4, last_seq: 9 };
        let parked = retries.iter().copied().map(retry).collect();
        let waiting = Waiting { parked, queue: queue.iter().copied().map(sample).collect() };
        let now = Time::UNIX_EPOCH + chrono::Duration::seconds(10);
        let Loaded { due, reached, more } = earliest(&position, waiting, limit, now);
        (due.into_iter().map(|due| due.delivery.seq).collect(), reached, more)
    }

    #[test]
    fn a_queue_is_loaded_up_to_a_position() {
        assert_eq!(load(&[5, 6], &[], 2), (vec![Some(5), Some(6)], 6, false));
        assert_eq!(load(&[5, 8], &[], 4), (vec![Some(5), Some(8)], 8, false), "there is nothing at 6 and 7");
        assert_eq!(load(&[5, 8], &[], 8), (vec![Some(5), Some(8)], 9, false), "nor at 9");
        assert_eq!(load(&[], &[], 3), (vec![], 7, false), "nor up to 7");
        assert_eq!(
            load(&[9, 10, 11], &[], 8),
            (vec![Some(9), Some(10), Some(11)], 11, false),
            "committed after the claim"
        );
    }

    #[test]
    fn a_gap_is_a_position_without_a_delivery() {
        let position = Position { id: DestinationId(Uuid::from_u128(3)), cursor: 4, last_seq: 7 };
        for whole in [&[5, 6, 7][..], &[5, 6, 7, 8]] {
            assert!(!has_gap(&position, whole, 8), "{whole:?}");
        }
        assert!(!has_gap(&position, &[5, 6], 2), "no more are asked for");
        for gap in [&[][..], &[5, 6], &[6, 7], &[5, 6, 8], &[5, 6, 7, 9]] {
            assert!(has_gap(&position, gap, 8), "{gap:?}");
        }
    }

    #[test]
    fn retries_are_among_them_by_their_times() {
        assert_eq!(load(&[5, 6], &[-1], 2), (vec![None, Some(5)], 5, false));
        assert_eq!(load(&[5, 6], &[-2, -1], 2), (vec![None, None], 4, true), "there may be more retries");
        assert_eq!(load(&[5], &[60], 2), (vec![Some(5), None], 6, false));
        assert_eq!(load(&[5, 6], &[60], 2), (vec![Some(5), Some(6)], 6, true), "it is looked at the next time");
    }
}
