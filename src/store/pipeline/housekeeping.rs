//! Removal of old rows, in slices, so that no statement holds the database for long.
//!
//! Identifiers begin with the time at which they were made, and nothing ends before it begins. So what is older than a
//! moment is, in each organisation, a range of the primary key, and a run reads what it removes, not what is stored.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use crate::{
    domain::{Result, ambient::Time, ids::OrganisationId, search::first_id},
    store::{Store, kernel::batches},
};

/// Maximum number of rows that one statement removes.
const SLICE: u32 = 1000;

/// Kind of rows that are removed some time after they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aged {
    /// Progress of deliveries that went with their day.
    Progress,
    /// Finished deliveries, and pending ones whose destination was removed with its organisation; with their attempts.
    Deliveries,
    /// Events that no delivery needs any more.
    Events,
}

impl Aged {
    fn table(self) -> &'static str {
        match self {
            Aged::Progress => "delivery_progress",
            Aged::Deliveries => "delivery",
            Aged::Events => "event",
        }
    }

    /// Returns the column with the id of the table's key.
    fn id(self) -> &'static str {
        match self {
            Aged::Progress => "delivery_id",
            Aged::Deliveries | Aged::Events => "id",
        }
    }

    /// Returns the condition of those that may go; `$3` is the time before which they have ended.
    fn condition(self) -> &'static str {
        match self {
            Aged::Progress => {
                "NOT EXISTS (SELECT 1 FROM delivery d WHERE d.organisation_id = delivery_progress.organisation_id \
                 AND d.id = delivery_progress.delivery_id)"
            }
            // Of one that was delivered at the first attempt, its attempt tells when it ended.
            Aged::Deliveries => {
                "CASE WHEN p.state <> 'pending' THEN p.completed_at < $3 \
                 WHEN p.state IS NULL AND delivery.state <> 'pending' THEN delivery.completed_at < $3 \
                 WHEN t.id IS NULL THEN TRUE \
                 ELSE p.state IS NULL AND delivery.seq <= t.cursor AND NOT EXISTS (SELECT 1 FROM attempt a \
                 WHERE a.organisation_id = delivery.organisation_id AND a.delivery_id = delivery.id \
                 AND a.created_at >= $3) END"
            }
            Aged::Events => "NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = event.id)",
        }
    }

    /// Returns the query of the oldest that may go: `$1` is the first id that stays, `$2` the organisation.
    fn slice(self) -> String {
        format!(
            "SELECT {table}.{id} AS id FROM {table}{joined} WHERE {table}.organisation_id = $2 AND {table}.{id} < $1 \
             AND {condition} ORDER BY {table}.{id} LIMIT {SLICE}",
            table = self.table(),
            id = self.id(),
            joined = self.joined(),
            condition = self.condition()
        )
    }

    /// Returns the other tables of the condition.
    fn joined(self) -> &'static str {
        match self {
            Aged::Deliveries => {
                " LEFT JOIN delivery_progress p ON p.organisation_id = delivery.organisation_id \
                 AND p.delivery_id = delivery.id LEFT JOIN destination t ON t.id = delivery.destination_id"
            }
            Aged::Progress | Aged::Events => "",
        }
    }

    /// Returns the tables that have rows of it, the table itself last, each with the column of its id.
    fn tables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Aged::Progress => &[("delivery_progress", "delivery_id")],
            Aged::Deliveries => &[("attempt", "delivery_id"), ("delivery_progress", "delivery_id"), ("delivery", "id")],
            Aged::Events => &[("event", "id")],
        }
    }

    /// Returns the query of the organisations that have rows with ids below `$1`: one or two looks into the primary key
    /// for each. Those that were deleted are among them, for what they had is left to age.
    fn owners(self, backend: DbBackend) -> String {
        // Leaves out the partitions of younger rows. A whole table would be read for it.
        let old = if backend == DbBackend::Postgres { format!(" AND t.{} < $1", self.id()) } else { String::new() };
        let first = old.replacen(" AND", " WHERE", 1);
        format!(
            "WITH RECURSIVE owner (id) AS (\
             SELECT first.id FROM (SELECT t.organisation_id AS id FROM {table} t{first} ORDER BY t.organisation_id LIMIT 1) \
             AS first UNION ALL \
             SELECT (SELECT t.organisation_id FROM {table} t WHERE t.organisation_id > owner.id{old} \
             ORDER BY t.organisation_id LIMIT 1) FROM owner WHERE owner.id IS NOT NULL) \
             SELECT owner.id FROM owner WHERE owner.id IS NOT NULL \
             AND EXISTS (SELECT 1 FROM {table} t WHERE t.organisation_id = owner.id AND t.{id} < $1)",
            table = self.table(),
            id = self.id()
        )
    }
}

/// Lists the organisations that have rows of a kind from before `before`.
///
/// # Errors
/// When the database fails.
pub async fn owners(db: &impl ConnectionTrait, aged: Aged, before: Time) -> Result<Vec<OrganisationId>> {
    let values = [first_id(before).into()];
    let backend = db.get_database_backend();
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, aged.owners(backend), values)).await?;
    rows.iter().map(|row| Ok(OrganisationId(row.try_get("", "id")?))).collect()
}

/// Removes up to a slice of an organisation's rows of a kind that are from before `before` and have ended before `ended`.
/// Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    store: &Store,
    aged: Aged,
    organisation_id: OrganisationId,
    (before, ended): (Time, Time),
) -> Result<u64> {
    let backend = store.writer().get_database_backend();
    let mut values = vec![first_id(before).into(), organisation_id.0.into()];
    values.extend((aged == Aged::Deliveries).then(|| ended.into()));
    let tx = store.begin().await?;
    let rows = tx.query_all_raw(Statement::from_sql_and_values(backend, aged.slice(), values)).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect::<Result<Vec<Uuid>>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    for (table, column) in aged.tables() {
        let mut values = vec![organisation_id.0.into()];
        let these = batches::among(backend, ids.clone(), &mut values);
        let sql = format!("DELETE FROM {table} WHERE organisation_id = $1 AND {column} {these}");
        tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    tx.commit().await?;
    Ok(ids.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::kernel::plan;

    async fn steps(sql: String) -> Vec<String> {
        plan::steps(&plan::migrated().await, Statement::from_string(DbBackend::Sqlite, sql)).await
    }

    #[tokio::test]
    async fn only_what_is_old_is_read() {
        for aged in [Aged::Progress, Aged::Deliveries, Aged::Events] {
            let steps = steps(aged.slice()).await;
            assert!(steps[0].starts_with(&format!("SEARCH {} USING ", aged.table())), "{steps:?}");
            assert!(steps[0].ends_with(&format!("(organisation_id=? AND {}<?)", aged.id())), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{steps:?}");
        }
    }

    #[tokio::test]
    async fn organisations_are_found_by_skips() {
        for aged in [Aged::Progress, Aged::Deliveries, Aged::Events] {
            let steps = steps(aged.owners(DbBackend::Sqlite)).await;
            assert!(steps.iter().any(|step| step.ends_with("(organisation_id>?)")), "{steps:?}");
            assert!(
                steps.iter().any(|step| step.ends_with(&format!("(organisation_id=? AND {}<?)", aged.id()))),
                "{steps:?}"
            );
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
        }
    }
}
