//! Facts about all organisations at once, for operators: counts, the backlog, destinations that fail.
//!
//! Each statement is bounded: it reads a page of organisations, or destinations that few indexes have, and counts no
//! further than it says. No content of an event or a delivery is read.

use ::entity::organisation::{Entity as Organisations, Model as OrganisationRow};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use uuid::Uuid;

use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        page::{Page, PageRequest},
        tenancy::organisation::Organisation,
    },
    store::{
        kernel::{batches, columns},
        pipeline::deliveries::pending,
        tenancy::organisations,
    },
};

/// Highest count of a thing of one organisation.
pub const MOST_COUNTED: u64 = 10_000;
/// Maximum number of destinations in a backlog.
pub const MOST_DESTINATIONS: usize = 500;
/// Maximum number of pending deliveries that are counted, in equal parts for each destination.
const MOST_PENDING: u64 = 1_000_000;

/// Order of a list of organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganisationOrder {
    /// The newest first.
    Newest,
    /// The order of the slugs.
    Slug,
}

/// Part of the list of organisations.
#[derive(Clone, Debug)]
pub struct OrganisationsWanted {
    /// Order of the list.
    pub order: OrganisationOrder,
    /// Beginning of the slugs; empty for all.
    pub slug: String,
    /// Last organisation of the previous page.
    pub after: Option<Organisation>,
    /// First identifier of an event of the last day.
    pub day: Uuid,
}

/// An organisation with counts, each up to [`MOST_COUNTED`].
#[derive(Clone, Debug)]
pub struct CountedOrganisation {
    /// The organisation.
    pub organisation: Organisation,
    /// Number of members.
    pub members: u64,
    /// Number of destinations.
    pub destinations: u64,
    /// Number of destinations that are failing.
    pub failing_destinations: u64,
    /// Number of events of the last day.
    pub events: u64,
    /// Number of pending deliveries.
    pub pending: u64,
    /// Time of the last event.
    pub last_event_at: Option<Time>,
}

#[derive(FromQueryResult)]
struct Counts {
    members: i64,
    destinations: i64,
    failing_destinations: i64,
    events: i64,
    pending: i64,
    last_event_at: Option<Time>,
}

fn whole(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Lists a page of all organisations with counts.
///
/// # Errors
/// When the database fails.
pub async fn list_organisations(
    db: &impl ConnectionTrait,
    wanted: &OrganisationsWanted,
    page: PageRequest,
) -> Result<Page<CountedOrganisation>> {
    let rows = db.query_all_raw(organisations_statement(db.get_database_backend(), wanted, page.limit)).await?;
    let counted = |row: &sea_orm::QueryResult| {
        let counts = Counts::from_query_result(row, "")?;
        Ok(CountedOrganisation {
            organisation: organisations::organisation(OrganisationRow::from_query_result(row, "")?)?,
            members: whole(counts.members),
            destinations: whole(counts.destinations),
            failing_destinations: whole(counts.failing_destinations),
            events: whole(counts.events),
            pending: whole(counts.pending),
            last_event_at: counts.last_event_at,
        })
    };
    let counted = rows.iter().map(counted).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(counted, page.limit, |one| one.organisation.id.0))
}

fn organisations_statement(backend: DbBackend, wanted: &OrganisationsWanted, limit: u32) -> Statement {
    // In the order of their bytes, as SQLite has them anyway.
    let slug = if backend == DbBackend::Postgres { "slug COLLATE \"C\"" } else { "slug" };
    let order = match wanted.order {
        OrganisationOrder::Newest => "id DESC",
        OrganisationOrder::Slug => slug,
    };
    let mut values: Vec<Value> = vec![wanted.day.into()];
    let mut conditions: Vec<String> = Vec::new();
    let mut demand = |left: &str, comparison: &str, value: Value| {
        values.push(value);
        conditions.push(format!("{left} {comparison} ${}", values.len()));
    };
    if !wanted.slug.is_empty() {
        demand(slug, ">=", wanted.slug.as_str().into());
        // Above every character of a slug.
        demand(slug, "<", format!("{}~", wanted.slug).into());
    }
    match (&wanted.after, wanted.order) {
        (Some(after), OrganisationOrder::Newest) => demand("id", "<", after.id.0.into()),
        (Some(after), OrganisationOrder::Slug) => demand(slug, ">", after.slug.as_str().into()),
        (None, _) => {}
    }
    let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!(
        "SELECT {columns}, {counts}, \
         (SELECT e.created_at FROM event e WHERE e.organisation_id = o.id ORDER BY e.id DESC LIMIT 1) AS last_event_at \
         FROM (SELECT * FROM organisation {filter} ORDER BY {order} LIMIT {limit}) AS o ORDER BY o.{order}",
        columns = columns::of::<Organisations>("o"),
        counts = counts(backend),
        limit = limit + 1,
    );
    Statement::from_sql_and_values(backend, sql, values)
}

/// Returns the counts of an organisation `o`; `$1` is the first identifier of the last day.
fn counts(backend: DbBackend) -> String {
    // Destination by destination: without statistics PostgreSQL would read all that is pending for each organisation. What
    // is pending has a destination that is due; both classes are named, since the index begins with them.
    let of_each = |pending: String| {
        let each = match backend {
            DbBackend::Postgres => {
                format!("CROSS JOIN LATERAL (SELECT 1 FROM {pending} LIMIT {MOST_COUNTED}) AS one WHERE")
            }
            // SQLite has no LATERAL, and joins in loops.
            _ => format!("CROSS JOIN {pending} AND"),
        };
        format!(
            "SELECT 1 AS one FROM destination t {each} t.slow IN (FALSE, TRUE) AND t.organisation_id = o.id \
             AND t.due_at IS NOT NULL"
        )
    };
    let pending = [pending::in_queue("t"), pending::in_progress("t")].map(of_each).join(" UNION ALL ");
    let sources = [
        ("members", "member m WHERE m.organisation_id = o.id"),
        ("destinations", "destination t WHERE t.organisation_id = o.id"),
        // Both conditions: the first is the index's, and SQLite does not see that the second implies it.
        (
            "failing_destinations",
            "destination t WHERE t.organisation_id = o.id AND t.health <> 'healthy' AND t.health = 'failing'",
        ),
        ("events", "event e WHERE e.organisation_id = o.id AND e.id >= $1"),
        ("pending", &format!("({pending}) AS p")),
    ];
    let count = |(name, rows): (&str, &str)| {
        format!("(SELECT COUNT(*) FROM (SELECT 1 FROM {rows} LIMIT {MOST_COUNTED}) AS c) AS {name}")
    };
    sources.map(count).join(", ")
}

/// Organisation that owns something in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its identifier.
    pub id: OrganisationId,
    /// Its handle.
    pub slug: String,
    /// Display name.
    pub name: String,
}

/// Destination with pending deliveries.
#[derive(Clone, Debug)]
pub struct Backlogged {
    /// Its identifier.
    pub id: DestinationId,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its health, in the word of the database.
    pub health: String,
    /// Its organisation.
    pub owner: Owner,
    /// Time at which it is due; during a lease, the end of that.
    pub due_at: Time,
    /// True while a worker has a lease on it.
    pub leased: bool,
    /// Number of pending deliveries, up to a bound.
    pub pending: u64,
    /// True if there may be more of them.
    pub more: bool,
    /// Time at which the event of the oldest one was accepted.
    pub oldest_at: Time,
}

#[derive(FromQueryResult)]
struct BacklogRow {
    id: Uuid,
    kind: String,
    name: String,
    health: String,
    organisation_id: Uuid,
    slug: String,
    organisation_name: String,
    due_at: Time,
    leased: bool,
    pending: i64,
    oldest_at: Option<Time>,
}

/// Lists the destinations with pending deliveries, those that are due longest first: up to [`MOST_DESTINATIONS`], and one
/// more where there are more.
///
/// # Errors
/// When the database fails.
pub async fn backlog(db: &impl ConnectionTrait) -> Result<Vec<Backlogged>> {
    let chosen = waiting_destinations(db).await?;
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let share = MOST_PENDING / chosen.len() as u64;
    let backend = db.get_database_backend();
    let mut values: Vec<Value> = Vec::new();
    let among = batches::among(backend, chosen, &mut values);
    let sql = format!(
        "SELECT d.id, d.kind, d.name, d.health, d.organisation_id, o.slug, o.name AS organisation_name, d.due_at, \
         d.lease_owner IS NOT NULL AS leased, \
         (SELECT COUNT(*) FROM (SELECT 1 FROM {in_queue} UNION ALL SELECT 1 FROM {in_progress} \
         LIMIT {share}) AS c) AS pending, \
         (SELECT MIN(head.created_at) FROM (\
         SELECT * FROM (SELECT p.created_at FROM {in_queue} ORDER BY p.seq LIMIT 1) AS queued UNION ALL \
         SELECT * FROM (SELECT (SELECT o.created_at FROM delivery o WHERE o.organisation_id = p.organisation_id \
         AND o.id = p.delivery_id) FROM {in_progress} ORDER BY p.delivery_id LIMIT 1) AS parked) AS head) AS oldest_at \
         FROM destination d JOIN organisation o ON o.id = d.organisation_id \
         WHERE d.id {among} AND d.due_at IS NOT NULL ORDER BY d.due_at, d.id",
        in_queue = pending::in_queue("d"),
        in_progress = pending::in_progress("d"),
    );
    let rows = BacklogRow::find_by_statement(Statement::from_sql_and_values(backend, sql, values)).all(db).await?;
    Ok(rows.into_iter().filter_map(|row| backlogged(row, share)).collect())
}

/// Returns the ids of the destinations that a worker has to look at, those that are due longest first.
async fn waiting_destinations(db: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    #[derive(FromQueryResult)]
    struct Id {
        id: Uuid,
    }
    let sql = format!(
        "SELECT id FROM destination WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT {}",
        MOST_DESTINATIONS + 1
    );
    let rows = Id::find_by_statement(Statement::from_string(db.get_database_backend(), sql)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Returns a destination of the backlog; `None` where nothing is pending there any more.
fn backlogged(row: BacklogRow, share: u64) -> Option<Backlogged> {
    let pending = whole(row.pending);
    Some(Backlogged {
        id: row.id.into(),
        kind: row.kind,
        name: row.name,
        health: row.health,
        owner: Owner { id: row.organisation_id.into(), slug: row.slug, name: row.organisation_name },
        due_at: row.due_at,
        leased: row.leased,
        pending,
        more: pending >= share,
        oldest_at: row.oldest_at.filter(|_| pending > 0)?,
    })
}

/// Health of the destinations in a list of those with a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unhealthy {
    /// Attempts fail.
    Failing,
    /// Nothing is sent.
    Disabled,
}

impl Unhealthy {
    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Disabled => "disabled",
        }
    }
}

/// Destination with a problem.
#[derive(Clone, Debug)]
pub struct UnhealthyDestination {
    /// Its identifier.
    pub id: DestinationId,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its organisation.
    pub owner: Owner,
    /// Reason, with the cure.
    pub reason: String,
    /// Time from which on it has the problem.
    pub since: Time,
}

/// Position in the list of destinations with a problem.
pub type Since = (Time, DestinationId);

#[derive(FromQueryResult)]
struct UnhealthyRow {
    id: Uuid,
    kind: String,
    name: String,
    organisation_id: Uuid,
    slug: String,
    organisation_name: String,
    reason: Option<String>,
    since: Time,
}

/// Lists up to `limit` destinations of all organisations that have a problem, the most recent problem first.
///
/// # Errors
/// When the database fails.
pub async fn list_unhealthy(
    db: &impl ConnectionTrait,
    health: Unhealthy,
    after: Option<Since>,
    limit: u32,
) -> Result<Vec<UnhealthyDestination>> {
    let backend = db.get_database_backend();
    let (beyond, values): (&str, Vec<Value>) = match after {
        Some((since, id)) => ("AND (health_since, id) < ($1, $2)", vec![since.into(), id.0.into()]),
        None => ("", Vec::new()),
    };
    // The words are no parameters: the partial index is used for a known health alone.
    let sql = format!(
        "SELECT d.id, d.kind, d.name, d.organisation_id, o.slug, o.name AS organisation_name, \
         d.health_reason AS reason, d.health_since AS since \
         FROM (SELECT * FROM destination WHERE health <> 'healthy' AND health = '{health}' {beyond} \
         ORDER BY health_since DESC, id DESC LIMIT {limit}) AS d JOIN organisation o ON o.id = d.organisation_id \
         ORDER BY d.health_since DESC, d.id DESC",
        health = health.as_str(),
    );
    let rows = UnhealthyRow::find_by_statement(Statement::from_sql_and_values(backend, sql, values)).all(db).await?;
    let unhealthy = |row: UnhealthyRow| UnhealthyDestination {
        id: row.id.into(),
        kind: row.kind,
        name: row.name,
        owner: Owner { id: row.organisation_id.into(), slug: row.slug, name: row.organisation_name },
        reason: row.reason.unwrap_or_default(),
        since: row.since,
    };
    Ok(rows.into_iter().map(unhealthy).collect())
}
