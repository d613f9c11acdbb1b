//! Batches in few sizes, for the caches of prepared statements.
//!
//! A prepared statement belongs to one number of rows, and databases prepare slowly and keep their prepared statements:
//! batches of any size would fill every connection's cache with statements that hardly ever come again.
//! PostgreSQL takes any number of rows as arrays of their columns ([`super::arrays`]), but plans a search with an array
//! anew each time: the plan for the array at hand always seems cheaper than the one for arrays of any length. So the few
//! ids of a hot statement are values of their own ([`among`]).
//!
//! Not here: the statements.

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use uuid::Uuid;

use super::{db::Tx, placeholders};
use crate::domain::Result;

/// Maximum number of rows of one statement.
pub(in crate::store) const MOST: usize = 64;
/// Maximum number of ids that are values of their own on PostgreSQL. Beyond it, planning is little beside the execution.
pub(in crate::store) const FEW: usize = 16;

/// Executes the statement that writes rows, where there are any.
///
/// # Errors
/// When the database fails.
pub(in crate::store) async fn write<T>(
    tx: &Tx,
    rows: &[T],
    statement: impl FnOnce(&[T], &mut Vec<Value>) -> String,
) -> Result<()> {
    if !rows.is_empty() {
        let mut values = Vec::new();
        let sql = statement(rows, &mut values);
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    }
    Ok(())
}

/// Fills up a list of rows to a power of two by its last one, for statements to which it does not matter how often a row
/// comes. An empty one stays empty.
pub(in crate::store) fn filled_rows<T: Clone>(rows: &[T]) -> Vec<T> {
    let mut filled = rows.to_vec();
    if let Some(last) = rows.last() {
        filled.resize(rows.len().next_power_of_two(), last.clone());
    }
    filled
}

/// Cuts rows into runs with powers of two as lengths.
pub(in crate::store) fn runs<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = rows.len().min(MOST).checked_ilog2()?;
        let (run, rest) = rows.split_at(1 << length);
        rows = rest;
        Some(run)
    })
}

/// Pads a list of ids to a power of two with an id that no row has.
pub(in crate::store) fn filled(ids: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.into_iter().collect();
    ids.resize(ids.len().next_power_of_two(), Uuid::nil());
    ids
}

/// Adds ids to the values of a hand-written statement. Returns the right side of a condition that one of them is met.
pub(in crate::store) fn among(backend: DbBackend, ids: Vec<Uuid>, values: &mut Vec<Value>) -> String {
    if backend == DbBackend::Postgres && ids.len() > FEW {
        values.push(ids.into());
        return format!("= ANY (${})", values.len());
    }
    let (ids, first) = (filled(ids), values.len());
    values.extend(ids.iter().map(|id| Value::from(*id)));
    format!("IN {}", placeholders::rows(first, 1, ids.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_powers_of_two_and_lose_nothing() {
        for count in 0..300 {
            let rows: Vec<usize> = (0..count).collect();
            let runs: Vec<&[usize]> = runs(&rows).collect();
            assert!(runs.iter().all(|run| run.len().is_power_of_two() && run.len() <= MOST));
            assert_eq!(runs.concat(), rows);
        }
    }

    #[test]
    fn lists_are_filled_up() {
        let ids: Vec<Uuid> = (1..=5).map(Uuid::from_u128).collect();
        let filled = filled(ids.clone());
        assert_eq!((filled.len(), &filled[..5], filled[5]), (8, &ids[..], Uuid::nil()));
        assert_eq!(filled_rows(&[1, 2, 3]), [1, 2, 3, 3]);
        assert!(filled_rows::<u8>(&[]).is_empty());
    }

    #[test]
    fn few_ids_are_values_of_their_own() {
        let ids = |count| (1..=count).map(Uuid::from_u128).collect::<Vec<_>>();
        let mut values = vec![Value::from(true)];
        assert_eq!(among(DbBackend::Postgres, ids(3), &mut values), "IN ($2, $3, $4, $5)");
        assert_eq!(values.len(), 5);
        assert_eq!(among(DbBackend::Postgres, ids(17), &mut values), "= ANY ($6)");
        assert_eq!(among(DbBackend::Sqlite, ids(17), &mut values).matches('$').count(), 32);
        assert_eq!(values.len(), 6 + 32);
    }
}
