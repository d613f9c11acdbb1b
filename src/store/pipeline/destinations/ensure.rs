//! Destinations that are found by kind and name, or created, many at once.

use std::{collections::HashMap, sync::LazyLock};

use ::entity::destination::{Column, Entity as Destinations, Model as Row};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, Statement,
    sea_query::OnConflict,
};

use super::{destination, row};
use crate::{
    domain::{
        Error, Result,
        ids::OrganisationId,
        pipeline::destination::{Destination, DestinationKind},
    },
    store::{
        Tx,
        kernel::{batches, columns},
    },
};

/// Finds the destination with this kind and name, or creates it.
///
/// # Errors
/// When the database fails.
pub async fn ensure(tx: &Tx, wanted: &Destination) -> Result<Destination> {
    let found = ensure_all(tx, std::slice::from_ref(wanted)).await?;
    found.into_iter().next().ok_or_else(|| Error::Internal("a destination was asked for and not answered".into()))
}

/// Finds the destinations with these kinds and names, in their order, and creates those that do not exist.
///
/// # Errors
/// When the database fails.
pub async fn ensure_all(tx: &Tx, wanted: &[Destination]) -> Result<Vec<Destination>> {
    // Sorted, so that two writers that create the same destinations never deadlock.
    let mut different: Vec<&Destination> = wanted.iter().collect();
    different.sort_unstable_by_key(|one| key(one));
    different.dedup_by_key(|one| key(one));
    let mut known = HashMap::with_capacity(different.len());
    find_all(tx, &different, &mut known).await?;
    let missing: Vec<&Destination> = different.into_iter().filter(|one| !known.contains_key(&owned_key(one))).collect();
    for run in batches::runs(&missing) {
        let there = OnConflict::columns([Column::OrganisationId, Column::Kind, Column::Name]).do_nothing().to_owned();
        let rows = run.iter().map(|one| row(one));
        Destinations::insert_many(rows).on_conflict(there).exec_without_returning(tx).await?;
    }
    find_all(tx, &missing, &mut known).await?;
    let found = |one: &Destination| {
        let vanished = || Error::Internal(format!("a {} destination vanished while it was made", one.kind.as_str()));
        known.get(&owned_key(one)).cloned().ok_or_else(vanished)
    };
    wanted.iter().map(found).collect()
}

/// Query for all at once, on PostgreSQL: each by index. With statistics of an empty table a plain join reads all of it.
static FIND_ALL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT d.* FROM UNNEST($1, $2, $3) AS v (organisation_id, kind, name) CROSS JOIN LATERAL (SELECT {} \
         FROM destination o WHERE o.organisation_id = v.organisation_id AND o.kind = v.kind AND o.name = v.name \
         LIMIT 1) AS d",
        columns::of::<Destinations>("o"),
    )
});

type Known = HashMap<(OrganisationId, DestinationKind, String), Destination>;

fn key(of: &Destination) -> (OrganisationId, &str, &str) {
    (of.organisation_id, of.kind.as_str(), &of.name)
}

fn owned_key(of: &Destination) -> (OrganisationId, DestinationKind, String) {
    (of.organisation_id, of.kind.clone(), of.name.clone())
}

/// Adds those that exist. Rows that a query finds across organisations besides are under keys that no caller looks up.
async fn find_all(tx: &Tx, wanted: &[&Destination], known: &mut Known) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres && !wanted.is_empty() {
        let texts = |of: fn(&Destination) -> &str| wanted.iter().map(|one| of(one).to_owned()).collect::<Vec<_>>();
        let keys = [
            wanted.iter().map(|one| one.organisation_id.0).collect::<Vec<_>>().into(),
            texts(|one| one.kind.as_str()).into(),
            texts(|one| &one.name).into(),
        ];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, &*FIND_ALL, keys);
        return learn(known, Row::find_by_statement(statement).all(tx).await?);
    }
    for run in batches::runs(wanted) {
        let mut kinds: Vec<&str> = run.iter().map(|one| one.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut organisations: Vec<_> = run.iter().map(|one| one.organisation_id.0).collect();
        organisations.dedup();
        let rows = Destinations::find()
            .filter(Column::OrganisationId.is_in(batches::filled(organisations)))
            .filter(Column::Kind.is_in(kinds))
            .filter(Column::Name.is_in(run.iter().map(|one| one.name.as_str())))
            .all(tx)
            .await?;
        learn(known, rows)?;
    }
    Ok(())
}

fn learn(known: &mut Known, rows: Vec<Row>) -> Result<()> {
    for row in rows {
        let found = destination(row)?;
        known.insert(owned_key(&found), found);
    }
    Ok(())
}
