//! Records of what a worker delivered: attempts, and the cursors of the queues with the release of the destinations.
//!
//! Not here: the records with a failure or a change of health, which the worker writes step by step.

use std::collections::HashMap;

use sea_orm::Value;
use uuid::Uuid;

use super::{
    deliveries,
    destinations::{self, Release, Released},
};
use crate::{
    domain::{Result, ambient::Time, ids::DestinationId, pipeline::delivery::Attempt},
    store::{
        Store,
        kernel::{batches, ctes::Ctes},
    },
};

/// Writes the attempts of a record and the releases in one statement, without a transaction around it. Returns the state
/// of the released destinations, or `None` and writes nothing where it takes several: on SQLite, and for very many.
///
/// # Errors
/// When the database fails.
pub async fn write_at_once(
    store: &Store,
    owner: Uuid,
    now: Time,
    attempts: &[&Attempt],
    releases: &[&Release],
) -> Result<Option<HashMap<DestinationId, Released>>> {
    if store.is_embedded() || releases.len() > batches::MOST || attempts.is_empty() {
        return Ok(None);
    }
    let first = |values: &mut Vec<Value>| Ctes::of(&[deliveries::arrays::insert_attempts(attempts, values)]);
    destinations::release_after(store.writer(), owner, now, releases, first).await.map(Some)
}
