//! Wake-up of destinations, and release of claimed ones. Not here: the claim, which is in [`super::claim`].
//!
//! `due_at` is the time at which a worker should look at a destination; empty means that nothing is pending. A claim
//! moves `due_at` to the end of the lease, so that a crash makes the destination due again by itself. A writer that
//! adds a delivery in the meantime sets `woken`, and the release honours it: no wake-up is lost between "nothing left"
//! and "released".

use std::collections::HashMap;

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
        kernel::{batches, ctes::Ctes, lease_clock::LeaseClock, placeholders},
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
}

/// Number of values of a release in the statement.
const RELEASE_WIDTH: usize = 16;

/// Lease that the caller's own worker takes of destinations that wait for nothing else.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The lease of each.
    pub lease: Lease,
    /// Destinations that the worker has room for.
    pub destinations: Vec<DestinationId>,
}

/// Wakes these destinations, which have pending deliveries; of those that are offered and wait for nothing else, the
/// lease is taken instead. Returns the leased ones. The last statement before the commit, so that its row locks are held
/// shortly; the ids are locked in their order, so that two writers never deadlock.
///
/// # Errors
/// When the database fails.
pub async fn wake(tx: &Tx, ids: &mut Vec<DestinationId>, now: Time, offer: Option<&Offer>) -> Result<Vec<Claimed>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    wake_after(tx, ids, now, offer, |_| Ctes::default()).await
}

/// The same after what `first` writes in the same statement, with values of its own. There are some to wake.
pub(in crate::store::pipeline) async fn wake_after(
    tx: &Tx,
    ids: &mut Vec<DestinationId>,
    now: Time,
    offer: Option<&Offer>,
    first: impl FnOnce(&mut Vec<Value>) -> Ctes,
) -> Result<Vec<Claimed>> {
    ids.sort_unstable();
    ids.dedup();
    let statement = wake_statement(tx.get_database_backend(), ids, now, offer, first);
    if offer.is_none() {
        tx.execute_raw(statement).await?;
        return Ok(Vec::new());
    }
    let written = Row::find_by_statement(statement).all(tx).await?;
    // Those that were only woken are marked as such, also where they are the worker's already.
    written.into_iter().filter(|row| !row.woken).map(claimed).collect()
}

/// A destination that is awake already, because it is due or its worker was notified, is locked and not written: each
/// write goes to the indexes too, and hundreds of URLs of one webhook wait for every message of a channel. The state is
/// read under the lock (`held`), never from before: a release in between may have ended it.
fn wake_statement(
    backend: DbBackend,
    ids: &[DestinationId],
    now: Time,
    offer: Option<&Offer>,
    first: impl FnOnce(&mut Vec<Value>) -> Ctes,
) -> Statement {
    let lease = offer.map(|offer| &offer.lease);
    let owner = lease.map(|lease| lease.owner);
    let mut values: Vec<Value> = vec![owner.into(), now.into(), lease.map_or(now, |lease| lease.until).into()];
    let mut list = |ids: &[DestinationId]| batches::among(backend, ids.iter().map(|id| id.0).collect(), &mut values);
    let (woken, offered) = (list(ids), list(offer.map_or(&[], |offer| &offer.destinations)));
    let first = first(&mut values);
    let sql = format!(
        "WITH {list}held AS MATERIALIZED (SELECT id, woken, lease_owner, due_at, not_before, \
         id {offered} AND lease_owner IS NULL AND due_at IS NULL AND NOT slow AND COALESCE(not_before <= $2, TRUE) \
         AS free FROM destination WHERE id {woken}{done} ORDER BY id{lock}) \
         UPDATE destination SET woken = NOT held.free, \
         lease_owner = CASE WHEN held.free THEN $1 ELSE held.lease_owner END, \
         due_at = CASE WHEN held.free THEN {lease_until} WHEN held.lease_owner IS NOT NULL THEN held.due_at \
         WHEN held.due_at <= $2 THEN held.due_at WHEN held.not_before > $2 THEN held.not_before ELSE $2 END \
         FROM held WHERE destination.id = held.id \
         AND NOT CASE WHEN held.lease_owner IS NULL THEN COALESCE(held.due_at <= $2, FALSE) ELSE held.woken END\
         {returning}",
        list = first.list,
        done = first.done,
        lease_until = lease.map_or(LeaseClock::Caller, |lease| lease.clock).due().lease_until,
        lock = if backend == DbBackend::Postgres { " FOR UPDATE" } else { "" },
        returning = offer.map_or(String::new(), |_| format!(" RETURNING {}", *COLUMNS)),
    );
    Statement::from_sql_and_values(backend, sql, values)
}

/// State of a destination after its release.
#[derive(Clone, Debug)]
pub struct Released {
    /// Time at which it is due again, if it is.
    pub due_at: Option<Time>,
    /// Its health, in the word of the database.
    pub health: String,
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
        let state = Released { due_at: row.try_get("", "due_at")?, health: row.try_get("", "health")? };
        Ok((DestinationId(row.try_get("", "id")?), state))
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
        ]);
    }
    values.push(owner.into());
    let first = first(&mut values);
    let sql = format!(
        "WITH {list}v (id, more, earliest, not_before, pace_until, successes, failures, last_sent_at, health, reason, since, \
         address, later, slow, probe_at, run) AS (VALUES {rows}), \
         held AS MATERIALIZED (SELECT id FROM destination WHERE id IN (SELECT id FROM v) AND lease_owner = {owner}{done} \
         ORDER BY id{lock}) \
         UPDATE destination SET \
         due_at = CASE WHEN v.more OR destination.woken THEN v.earliest ELSE v.later END, \
         woken = FALSE, lease_owner = NULL, not_before = v.not_before, pace_until = v.pace_until, \
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
         RETURNING destination.id, destination.due_at, destination.health",
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
