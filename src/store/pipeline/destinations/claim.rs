//! The claim of due destinations under a lease, fair by organisation. Not here: the wake-up and the release, which are in
//! [`super::claims`].
//!
//! One statement. It walks the organisations that have due destinations, beginning after the one at which the former
//! claim ended, by skips through the index `(slow, organisation_id, due_at, id)`: one probe for each organisation and
//! class, however many are due there. Each of them offers its oldest due destinations; they are ranked within the
//! organisation, after its deliveries in flight, and taken by that rank: the first of every organisation before the
//! second of any. So a claim costs the same whether one organisation has ten thousand due destinations or a thousand
//! have ten.

use ::entity::destination::Model as Row;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::{COLUMNS, destination};
use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        pipeline::destination::Destination,
    },
    store::kernel::{lease_clock::LeaseClock, placeholders},
};

/// Destination under a worker's lease.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The destination.
    pub destination: Destination,
    /// State of its rate limit, as the last release left it.
    pub pace_until: Option<Time>,
    /// True for the slow class: the last delivery there was not answered in time.
    pub slow: bool,
    /// Position up to which its queue is through.
    pub cursor: i64,
    /// Position of its end, at the claim.
    pub last_seq: i64,
}

/// Queue of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The destination.
    pub id: DestinationId,
    /// Position up to which the queue is through.
    pub cursor: i64,
    /// Position of its end, as far as it is known.
    pub last_seq: i64,
}

impl Claimed {
    /// Returns the position of its queue.
    pub fn position(&self) -> Position {
        Position { id: self.destination.id, cursor: self.cursor, last_seq: self.last_seq }
    }
}

/// Lease that a worker asks for.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The worker.
    pub owner: Uuid,
    /// The present moment, by the caller's clock.
    pub now: Time,
    /// End of the lease, by the same clock.
    pub until: Time,
    /// Clock of the leases. A destination without a lease is due by the caller's clock in any case.
    pub clock: LeaseClock,
}

/// A worker's request for due destinations.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The lease of each.
    pub lease: Lease,
    /// Organisation at which the former claim ended; this one begins with the next.
    pub after: OrganisationId,
    /// Free slots, and those in use.
    pub room: Room,
}

/// Slots that a worker has for deliveries in flight.
#[derive(Clone, Debug)]
pub struct Room {
    /// Maximum number of destinations to claim.
    pub limit: usize,
    /// Maximum number of the slow class among them.
    pub slow_limit: usize,
    /// Maximum number of deliveries that an organisation may have in flight after the claim.
    pub ceiling: usize,
    /// Maximum number of the slow class that it may have in flight then.
    pub slow_ceiling: usize,
    /// Organisations that have deliveries in flight.
    pub busy: Vec<Busy>,
}

/// Deliveries that an organisation has in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Number of all of them.
    pub in_flight: usize,
    /// Number of the slow class among them.
    pub slow: usize,
}

/// Number of organisations that one claim looks at in each class, beside those that may not have more in flight anyway.
const ORGANISATIONS: usize = 64;
/// Number of values before those of the busy organisations.
const FIXED: usize = 12;
/// Number of values of a busy organisation.
const BUSY_WIDTH: usize = 3;

/// Claims due destinations under a lease: as many as there is room for, fairly shared among organisations, and within
/// an organisation the oldest due first.
///
/// The condition stands twice: on PostgreSQL the inner one alone lets two workers claim the same row. The rows to lock
/// are chosen once, by themselves: within the condition PostgreSQL may choose again for every row, skip those that it
/// has locked already, and so take more than `limit`. They are ranked before they are locked, because no query both
/// locks and ranks. The repeated condition is within a COALESCE, so that rows are looked up by their ids: with
/// statistics of a quiet hour, PostgreSQL takes the index of due rows for a short one, and reads it all for each row.
///
/// # Errors
/// When the database fails.
pub async fn claim(db: &impl ConnectionTrait, claim: &Claim) -> Result<Vec<Claimed>> {
    let rows = Row::find_by_statement(statement(db.get_database_backend(), claim)).all(db).await?;
    rows.into_iter().map(claimed).collect()
}

pub(super) fn claimed(row: Row) -> Result<Claimed> {
    let (pace_until, slow, cursor, last_seq) = (row.pace_until, row.slow, row.cursor, row.last_seq);
    Ok(Claimed { pace_until, slow, cursor, last_seq, destination: destination(row)? })
}

/// Parts of the statement that depend on the clock of the leases.
pub(super) struct Due {
    /// Time up to which a row may be due, by either clock: the index answers it alone. Where the clocks differ, rows
    /// that are not due are walked and ranked as well, and left where they are.
    latest: &'static str,
    /// Condition that a row is due.
    condition: &'static str,
    /// End of the lease.
    pub(super) lease_until: &'static str,
}

impl LeaseClock {
    /// Returns the parts. A leased row is due at the end of its lease, by the leases' clock; any other by the caller's.
    pub(super) fn due(self) -> Due {
        match self {
            LeaseClock::Caller => Due { latest: "$2", condition: "COALESCE(due_at, $3) <= $2", lease_until: "$3" },
            LeaseClock::Database => Due {
                latest: "GREATEST($2, STATEMENT_TIMESTAMP())",
                condition: "COALESCE(due_at, 'infinity') <= \
                     CASE WHEN lease_owner IS NULL THEN $2 ELSE STATEMENT_TIMESTAMP() END",
                lease_until: "STATEMENT_TIMESTAMP() + ($3 - $2)",
            },
        }
    }
}

fn statement(backend: DbBackend, claim: &Claim) -> Statement {
    let Due { latest, condition, lease_until } = claim.lease.clock.due();
    let offered = format!(
        "SELECT o.id{due_at} FROM destination o WHERE o.slow = ring.slow AND o.organisation_id = ring.organisation_id \
         AND o.due_at <= {latest} ORDER BY o.due_at, o.id LIMIT $10",
        due_at = if backend == DbBackend::Postgres { ", o.due_at" } else { "" },
    );
    let (offered, locked) = match backend {
        DbBackend::Postgres => (
            format!("CROSS JOIN LATERAL ({offered}) AS d WHERE"),
            format!(
                "SELECT id FROM destination WHERE id = ANY (ARRAY (SELECT id FROM chosen)) AND {condition} \
                 FOR UPDATE SKIP LOCKED"
            ),
        ),
        // SQLite has no LATERAL, and one writer, so nothing to lock.
        _ => (format!("CROSS JOIN destination d WHERE d.id IN ({offered}) AND"), "SELECT id FROM chosen".to_owned()),
    };
    let busy = claim.room.busy.len().max(1).next_power_of_two();
    let sql = format!(
        "WITH RECURSIVE busy (organisation_id, in_flight, slow) AS (VALUES {rows}), \
         lap (after, until) AS (VALUES ($4, $12), ($11, $4)), \
         class (slow) AS (VALUES (FALSE), (TRUE)), \
         ring (slow, until, organisation_id, step) AS ( \
           SELECT class.slow, lap.until, lap.after, 0 FROM class CROSS JOIN lap WHERE NOT class.slow OR $6 > 0 \
           UNION ALL \
           SELECT ring.slow, ring.until, (SELECT d.organisation_id FROM destination d WHERE d.slow = ring.slow \
             AND d.organisation_id > ring.organisation_id AND d.organisation_id <= ring.until AND d.due_at <= {latest} \
             ORDER BY d.organisation_id, d.due_at LIMIT 1), ring.step + 1 \
           FROM ring WHERE ring.organisation_id IS NOT NULL AND ring.step < $9), \
         offered AS (SELECT d.id, d.due_at, ring.slow, ring.organisation_id FROM ring {offered} \
           ring.step > 0 AND ring.organisation_id IS NOT NULL), \
         ranked AS (SELECT o.id, o.due_at, o.slow, COALESCE(busy.in_flight, 0) + ROW_NUMBER() OVER \
           (PARTITION BY o.organisation_id ORDER BY o.slow, o.due_at, o.id) AS share, \
           COALESCE(busy.slow, 0) + ROW_NUMBER() OVER \
           (PARTITION BY o.organisation_id, o.slow ORDER BY o.due_at, o.id) AS slow_share \
           FROM offered o LEFT JOIN busy ON busy.organisation_id = o.organisation_id), \
         placed AS (SELECT id, due_at, slow, share, \
           ROW_NUMBER() OVER (PARTITION BY slow ORDER BY share, due_at, id) AS place \
           FROM ranked WHERE share <= $7 AND (NOT slow OR slow_share <= $8)), \
         chosen AS (SELECT id FROM placed WHERE NOT slow OR place <= $6 ORDER BY share, due_at, id LIMIT $5), \
         due AS MATERIALIZED ({locked}) \
         UPDATE destination SET due_at = {lease_until}, lease_owner = $1 \
         WHERE id IN (SELECT id FROM due) AND {condition} RETURNING {returning}",
        returning = *COLUMNS,
        rows = placeholders::rows(FIXED, busy, BUSY_WIDTH),
    );
    Statement::from_sql_and_values(backend, sql, values(claim, busy))
}

fn values(claim: &Claim, busy: usize) -> Vec<Value> {
    let Claim { lease: Lease { owner, now, until, .. }, after, room } = claim;
    let number = |count: usize| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
    let full = room.busy.iter().filter(|one| one.in_flight >= room.ceiling).count();
    let mut values: Vec<Value> = Vec::with_capacity(FIXED + busy * BUSY_WIDTH);
    values.extend::<[Value; FIXED]>([
        (*owner).into(),
        (*now).into(),
        (*until).into(),
        after.0.into(),
        number(room.limit),
        number(room.slow_limit),
        number(room.ceiling),
        number(room.slow_ceiling),
        number(ORGANISATIONS + full),
        number(room.limit.min(room.ceiling)),
        Uuid::nil().into(),
        Uuid::max().into(),
    ]);
    for one in &room.busy {
        values.extend([one.organisation_id.0.into(), number(one.in_flight), number(one.slow)]);
    }
    // Filled up as in `batches`, with the id of no organisation.
    for _ in room.busy.len()..busy {
        values.extend([Uuid::nil().into(), number(0), number(0)]);
    }
    values
}
