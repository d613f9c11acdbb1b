//! Records of what a worker delivered, with the release of the destinations.
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
    domain::{
        Result,
        ambient::Time,
        ids::{DeliveryId, DestinationId, OrganisationId},
        pipeline::delivery::Attempt,
    },
    store::{
        Store,
        kernel::{batches, ctes::Ctes},
    },
};

/// Maximum number of deliveries of a record in one statement: each is two of its values.
const MOST_DELIVERED: usize = 512;

/// Deliveries that succeeded at the first attempt of their turn.
#[derive(Clone, Copy, Debug)]
pub struct Successes<'a> {
    /// Their attempts.
    pub attempts: &'a [&'a Attempt],
    /// The deliveries.
    pub delivered: &'a [(OrganisationId, DeliveryId)],
    /// Leases to release.
    pub releases: &'a [&'a Release],
}

/// Writes a record in one statement, without a transaction around it. Returns the state of the released destinations, or
/// `None` and writes nothing where it takes several: on SQLite, and for very many.
///
/// # Errors
/// When the database fails.
pub async fn write_at_once(
    store: &Store,
    owner: Uuid,
    now: Time,
    successes: &Successes<'_>,
) -> Result<Option<HashMap<DestinationId, Released>>> {
    let Successes { attempts, delivered, releases } = *successes;
    let few = releases.len() <= batches::MOST && delivered.len() <= MOST_DELIVERED;
    if store.is_embedded() || !few || delivered.is_empty() {
        return Ok(None);
    }
    let first = |values: &mut Vec<Value>| {
        let recorded =
            [deliveries::arrays::insert_attempts(attempts, values), deliveries::delivered(delivered, now, values)];
        Ctes::of(&recorded)
    };
    destinations::release_after(store.writer(), owner, now, releases, first).await.map(Some)
}
