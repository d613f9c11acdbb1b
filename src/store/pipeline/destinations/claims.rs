//! Wake-up of destinations, and release of claimed ones. Not here: the claim, which is in [`super::claim`].
//!
//! `due_at` is the time at which a worker should look at a destination; empty means that nothing is pending. A claim
//! moves `due_at` to the end of the lease, so that a crash makes the destination due again by itself. A writer that
//! wakes it in the meantime makes its queue longer, by a position without a delivery where it adds none, and the release
//! sees positions that the worker has not loaded: no wake-up is lost between "nothing left" and "released".

use std::collections::{BTreeMap, HashMap, HashSet};

use ::entity::destination::{Column, Entity as Destinations, Model as Row};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryResult, Statement, Value,
    sea_query::{CommonTableExpression, Expr, LockType, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    COLUMNS,
    claim::{Claimed, Lease, claimed},
    health::health_columns,
};
use crate::{
    domain::{Result, ambient::Time, ids::DestinationId, pipeline::destination::Health},
    store::{
        Tx,
        kernel::{batches, columns, ctes::Ctes, lease_clock::LeaseClock, placeholders},
    },
};

/// State written back when a worker releases its lease on a destination.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its identifier.
    pub id: DestinationId,
    /// True if deliveries are pending there, as far as the worker knows.
    pub more: bool,
    /// Earliest time of the next claim: a pause that the upstream or the rate limit asks for.
    pub not_before: Option<Time>,
    /// Next claim where every pending delivery waits for a retry of its own. A wake-up comes before it.
    pub later: Option<Time>,
    /// State of its rate limit.
    pub pace_until: Option<Time>,
    /// Number of successful deliveries.
    pub successes: i64,
    /// Number of failed attempts.
    pub failures: i64,
    /// Number of failures in a row, up to the last attempt; `None` leaves it.
    pub consecutive_failures: Option<i32>,
    /// Time of the last attempt; `None` where there was none.
    pub last_sent_at: Option<Time>,
    /// Health that the attempts showed; `None` leaves it. As the number of failures in a row, it is discarded where the
    /// address was changed in the meantime.
    pub health: Option<Health>,
    /// Address of those attempts.
    pub address: String,
    /// Class from now on; `None` leaves it.
    pub slow: Option<bool>,
    /// Position up to which its queue is through; one before the stored one leaves that.
    pub cursor: i64,
    /// Position up to which the worker has loaded its queue: if that is longer, more deliveries may be pending.
    pub reached: i64,
    /// True if the worker goes on under the lease: the rest is written, and the destination is not released.
    pub keep: bool,
}

/// Number of values of a release in the statement.
const RELEASE_WIDTH: usize = 19;

/// Lease that the caller's own worker takes of destinations that wait for nothing else.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The lease of each.
    pub lease: Lease,
    /// Destinations that the worker has room for.
    pub destinations: Vec<DestinationId>,
}

/// Destinations after a wake-up.
#[derive(Debug, Default)]
pub struct Woken {
    /// Those of which the lease was taken, as offered.
    pub leased: Vec<Claimed>,
    /// True if others wait for a claim. A worker that has the lease looks again by itself when it releases it.
    pub unclaimed: bool,
    /// Last position in the queue of each to which deliveries were added.
    pub(in crate::store::pipeline) last_seq: HashMap<DestinationId, i64>,
}

/// Number of deliveries that are added to the queue of each destination.
pub(in crate::store::pipeline) type Added = BTreeMap<DestinationId, i64>;

/// Statements of PostgreSQL that append within a wake-up, with values of their own.
pub(in crate::store::pipeline) struct Append {
    /// Those before it.
    pub(in crate::store::pipeline) before: Ctes,
    /// The one that has the positions from it, which it calls [`WOKEN`].
    pub(in crate::store::pipeline) after: String,
}

/// Name of the rows of the woken destinations.
pub(in crate::store::pipeline) const WOKEN: &str = "woken";

/// Wakes these destinations, which have pending deliveries; of those that are offered and wait for nothing else, the
/// lease is taken instead. The last statement before the commit, so that its row locks are held shortly; the ids are
/// locked in their order, so that two writers never deadlock.
///
/// # Errors
/// When the database fails.
pub async fn wake(tx: &Tx, ids: &[DestinationId], now: Time, offer: Option<&Offer>) -> Result<Woken> {
    wake_with(tx, &ids.iter().map(|id| (*id, 0)).collect(), now, offer).await
}

/// The same with positions at the ends of their queues for the deliveries that are added.
pub(in crate::store::pipeline) async fn wake_with(
    tx: &Tx,
    added: &Added,
    now: Time,
    offer: Option<&Offer>,
) -> Result<Woken> {
    if added.is_empty() {
        return Ok(Woken::default());
    }
    let rows = tx.query_all_raw(wake_statement(tx.get_database_backend(), added, now, offer, |_| None)).await?;
    woken(&rows, added)
}

/// The same on PostgreSQL, with the writes of the deliveries in the same statement, the last one before the commit. There
/// are some to wake.
pub(in crate::store::pipeline) async fn wake_and_append(
    tx: &Tx,
    added: &Added,
    now: Time,
    offer: Option<&Offer>,
    append: impl FnOnce(&mut Vec<Value>) -> Append,
) -> Result<Woken> {
    let append = |values: &mut Vec<Value>| Some(append(values));
    let rows = tx.last(&wake_statement(tx.get_database_backend(), added, now, offer, append)).await?;
    woken(&rows, added)
}

fn woken(rows: &[QueryResult], added: &Added) -> Result<Woken> {
    let mut woken = Woken::default();
    for row in rows {
        let row = Row::from_query_result(row, "")?;
        let id = DestinationId(row.id);
        if added.get(&id).is_some_and(|added| *added > 0) {
            woken.last_seq.insert(id, row.last_seq);
        }
        // Those that were only woken are marked as such, also where they are the worker's already.
        if row.woken {
            woken.unclaimed |= row.lease_owner.is_none();
        } else {
            woken.leased.push(claimed(row)?);
        }
    }
    Ok(woken)
}

/// A destination that is due already is locked and not written, unless its queue gets longer: then no column that an index
/// has changes. The state is read under the lock (`held`), never from
/// before: a release in between may have ended it.
fn wake_statement(
    backend: DbBackend,
    added: &Added,
    now: Time,
    offer: Option<&Offer>,
    append: impl FnOnce(&mut Vec<Value>) -> Option<Append>,
) -> Statement {
    let lease = offer.map(|offer| &offer.lease);
    let owner = lease.map(|lease| lease.owner);
    let mut values: Vec<Value> = vec![owner.into(), now.into(), lease.map_or(now, |lease| lease.until).into()];
    let offered: HashSet<DestinationId> =
        offer.map(|offer| offer.destinations.iter().copied().collect()).unwrap_or_default();
    let wanted = added.iter().map(|(id, added)| (id.0, *added, offered.contains(id))).collect();
    let want = wanted_rows(backend, wanted, &mut values);
    let Append { before, after } =
        append(&mut values).unwrap_or(Append { before: Ctes::default(), after: String::new() });
    let held = format!(
        "{list}want (id, added, offered) AS ({want}), \
         held AS MATERIALIZED (SELECT destination.id, destination.lease_owner, destination.due_at, \
         destination.not_before, want.added, want.offered AND destination.lease_owner IS NULL AND \
         destination.due_at IS NULL AND NOT destination.slow AND COALESCE(destination.not_before <= $2, TRUE) AS free \
         FROM destination JOIN want ON want.id = destination.id WHERE TRUE{done} ORDER BY destination.id{lock})",
        list = before.list,
        done = before.done,
        lock = if backend == DbBackend::Postgres { " FOR UPDATE OF destination" } else { "" },
    );
    let update = format!(
        "UPDATE destination SET last_seq = destination.last_seq + CASE WHEN held.added = 0 \
         AND held.lease_owner IS NOT NULL THEN 1 ELSE held.added END, woken = NOT held.free, \
         lease_owner = CASE WHEN held.free THEN $1 ELSE held.lease_owner END, \
         due_at = CASE WHEN held.free THEN {lease_until} WHEN held.lease_owner IS NOT NULL THEN held.due_at \
         WHEN held.due_at <= $2 THEN held.due_at WHEN held.not_before > $2 THEN held.not_before ELSE $2 END \
         FROM held WHERE destination.id = held.id AND (held.added > 0 \
         OR held.lease_owner IS NOT NULL OR COALESCE(held.due_at > $2, TRUE)) \
         RETURNING {returned}",
        lease_until = lease.map_or(LeaseClock::Caller, |lease| lease.clock).due().lease_until,
        returned = *COLUMNS,
    );
    let sql = if after.is_empty() {
        format!("WITH {held} {update}")
    } else {
        let columns = columns::of::<Destinations>(WOKEN);
        format!("WITH {held}, {WOKEN} AS ({update}), appended AS ({after}) SELECT {columns} FROM {WOKEN}")
    };
    Statement::from_sql_and_values(backend, sql, values)
}

/// Returns the rows of a wake-up: few as values, many as arrays, as in `batches`.
fn wanted_rows(backend: DbBackend, mut wanted: Vec<(Uuid, i64, bool)>, values: &mut Vec<Value>) -> String {
    let first = values.len();
    if backend == DbBackend::Postgres && wanted.len() > batches::FEW {
        let ids = wanted.iter().map(|(id, ..)| *id).collect::<Vec<_>>();
        let added = wanted.iter().map(|(_, added, _)| *added).collect::<Vec<_>>();
        let offered = wanted.iter().map(|(.., offered)| *offered).collect::<Vec<_>>();
        values.extend::<[Value; 3]>([ids.into(), added.into(), offered.into()]);
        return format!(
            "SELECT * FROM UNNEST(${}, ${}, ${}) AS w (id, added, offered)",
            first + 1,
            first + 2,
            first + 3
        );
    }
    wanted.resize(wanted.len().next_power_of_two(), (Uuid::nil(), 0, false));
    let count = wanted.len();
    values.extend(wanted.into_iter().flat_map(|(id, added, offered)| [Value::from(id), added.into(), offered.into()]));
    format!("VALUES {}", placeholders::rows(first, count, 3))
}

/// Locks destinations until the transaction ends, in the order of their ids. Returns the worker that has the lease of each.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, ids: &[DestinationId]) -> Result<HashMap<DestinationId, Option<Uuid>>> {
    let (backend, mut values) = (tx.get_database_backend(), Vec::new());
    let these = batches::among(backend, ids.iter().map(|id| id.0).collect(), &mut values);
    let lock = if backend == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT id, lease_owner FROM destination WHERE id {these} ORDER BY id{lock}");
    let rows = tx.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    rows.iter().map(|row| Ok((DestinationId(row.try_get("", "id")?), row.try_get("", "lease_owner")?))).collect()
}

/// State of a destination after its release, or while the lease goes on.
#[derive(Clone, Debug)]
pub struct Released {
    /// Time at which it is due again, if it is.
    pub due_at: Option<Time>,
    /// Its health, in the word of the database.
    pub health: String,
    /// Position of the end of its queue.
    pub last_seq: i64,
}

/// Releases the leases that `owner` still has, many in one statement. Returns the state of the released ones.
///
/// # Errors
/// When the database fails.
pub async fn release(
    tx: &Tx,
    owner: Uuid,
    now: Time,
    releases: &[&Release],
) -> Result<HashMap<DestinationId, Released>> {
    let mut ordered = releases.to_vec();
    ordered.sort_unstable_by_key(|release| release.id);
    let mut released = HashMap::with_capacity(releases.len());
    for part in ordered.chunks(batches::MOST) {
        released.extend(release_after(tx, owner, now, part, |_| Ctes::default()).await?);
    }
    Ok(released)
}

/// The same of a few, after what `first` writes in the same statement, with values of its own.
pub(in crate::store::pipeline) async fn release_after(
    db: &impl ConnectionTrait,
    owner: Uuid,
    now: Time,
    releases: &[&Release],
    first: impl FnOnce(&mut Vec<Value>) -> Ctes,
) -> Result<HashMap<DestinationId, Released>> {
    let rows = db.query_all_raw(release_statement(db.get_database_backend(), owner, now, releases, first)).await?;
    let released = |row: &QueryResult| {
        let (due_at, health, last_seq) =
            (row.try_get("", "due_at")?, row.try_get("", "health")?, row.try_get("", "last_seq")?);
        Ok((DestinationId(row.try_get("", "id")?), Released { due_at, health, last_seq }))
    };
    rows.iter().map(released).collect()
}

/// Selects the destinations that match a condition, locked in the order of their ids. Every statement that changes
/// several of them locks them by this first: a join locks in the order of its plan, and two of them deadlock.
pub(in crate::store::pipeline) fn locked(tx: &Tx, condition: Expr) -> SelectStatement {
    let mut found = Query::select();
    found.column(Column::Id).from(Destinations).and_where(condition).order_by(Column::Id, sea_orm::Order::Asc);
    if tx.get_database_backend() == DbBackend::Postgres {
        found.lock(LockType::Update);
    }
    let found = CommonTableExpression::new().query(found).table_name("held").materialized(true).to_owned();
    Query::select().with_cte(found).column(Column::Id).from("held").to_owned()
}

fn release_statement(
    backend: DbBackend,
    owner: Uuid,
    now: Time,
    releases: &[&Release],
    first: impl FnOnce(&mut Vec<Value>) -> Ctes,
) -> Statement {
    let releases = batches::filled_rows(releases);
    let mut values: Vec<Value> = Vec::with_capacity(releases.len() * RELEASE_WIDTH + 1);
    for release in &releases {
        let learnt = release.health.as_ref().map(health_columns);
        let health = learnt.as_ref().map(|columns| columns.health);
        let (reason, since, probe_at) =
            learnt.map_or_else(Default::default, |columns| (columns.reason, columns.since, columns.probe_at));
        let earliest = release.not_before.filter(|time| *time > now).unwrap_or(now);
        values.extend::<[Value; RELEASE_WIDTH]>([
            release.id.0.into(),
            release.more.into(),
            earliest.into(),
            release.not_before.into(),
            release.pace_until.into(),
            release.successes.into(),
            release.failures.into(),
            release.last_sent_at.into(),
            health.into(),
            reason.into(),
            since.into(),
            release.address.as_str().into(),
            release.later.into(),
            release.slow.into(),
            probe_at.into(),
            release.consecutive_failures.into(),
            release.cursor.into(),
            release.reached.into(),
            release.keep.into(),
        ]);
    }
    values.push(owner.into());
    let first = first(&mut values);
    let sql = format!(
        "WITH {list}v (id, more, earliest, not_before, pace_until, successes, failures, last_sent_at, health, reason, since, \
         address, later, slow, probe_at, run, cursor, reached, keep) AS (VALUES {rows}), \
         held AS MATERIALIZED (SELECT id FROM destination WHERE id IN (SELECT id FROM v) AND lease_owner = {owner}{done} \
         ORDER BY id{lock}) \
         UPDATE destination SET \
         due_at = CASE WHEN v.keep THEN destination.due_at \
         WHEN v.more OR destination.last_seq > v.reached THEN v.earliest ELSE v.later END, \
         cursor = CASE WHEN v.cursor > destination.cursor THEN v.cursor ELSE destination.cursor END, \
         lease_owner = CASE WHEN v.keep THEN destination.lease_owner END, not_before = v.not_before, pace_until = v.pace_until, \
         success_count = destination.success_count + v.successes, \
         failure_count = destination.failure_count + v.failures, \
         consecutive_failures = CASE WHEN v.address = destination.address \
         THEN COALESCE(v.run, destination.consecutive_failures) ELSE destination.consecutive_failures END, \
         last_sent_at = COALESCE(v.last_sent_at, destination.last_sent_at), \
         slow = COALESCE(v.slow, destination.slow), \
         health = CASE WHEN {learnt} THEN v.health ELSE destination.health END, \
         health_reason = CASE WHEN {learnt} THEN v.reason ELSE destination.health_reason END, \
         health_since = CASE WHEN {learnt} THEN v.since ELSE destination.health_since END, \
         probe_at = CASE WHEN {learnt} THEN v.probe_at ELSE destination.probe_at END \
         FROM v WHERE destination.id = v.id AND destination.id IN (SELECT id FROM held) \
         AND destination.lease_owner = {owner} \
         RETURNING destination.id, destination.due_at, destination.health, destination.last_seq",
        list = first.list,
        done = first.done,
        learnt = "v.health IS NOT NULL AND v.address = destination.address AND destination.health <> 'disabled'",
        rows = placeholders::rows(0, releases.len(), RELEASE_WIDTH),
        owner = format_args!("${}", releases.len() * RELEASE_WIDTH + 1),
        lock = if backend == DbBackend::Postgres { " FOR UPDATE" } else { "" },
    );
    Statement::from_sql_and_values(backend, sql, values)
}

/// Ends every lease. Only for the embedded database, whose single process has just started: their owners are gone.
///
/// # Errors
/// When the database fails.
pub async fn end_leases(db: &impl ConnectionTrait, now: Time) -> Result<()> {
    Destinations::update_many()
        .col_expr(Column::DueAt, Expr::value(now))
        .col_expr(Column::LeaseOwner, Expr::value(None::<Uuid>))
        .filter(Column::LeaseOwner.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}
