//! Appends of events with their deliveries: in one statement on PostgreSQL, together with the wake-up of the destinations.
//!
//! Not here: the decisions.

use sea_orm::{ConnectionTrait, DbBackend};

use super::{
    deliveries,
    destinations::{self, Claimed, Offer},
    events,
};
use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::DestinationId,
        pipeline::{
            delivery::{Delivery, DeliveryState},
            event::Event,
        },
    },
    store::{Tx, kernel::ctes::Ctes},
};

/// Destinations that an append has woken, or leased.
#[derive(Debug)]
pub struct Appended {
    /// Those of which the lease was taken, as offered.
    pub leased: Vec<Claimed>,
    /// True if others have pending deliveries.
    pub more: bool,
}

/// Appends events with their deliveries, last in a transaction: the destinations of the pending ones are woken, or leased
/// where the offer has them.
///
/// # Errors
/// When the database fails.
pub async fn append(
    tx: &Tx,
    events: &[Event],
    deliveries: &[Delivery],
    now: Time,
    offer: Option<&Offer>,
) -> Result<Appended> {
    let pending = deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Pending);
    let mut waiting: Vec<DestinationId> = pending.map(|delivery| delivery.destination_id).collect();
    let leased = if tx.get_database_backend() == DbBackend::Postgres && !waiting.is_empty() {
        let first = |values: &mut Vec<_>| {
            let appended = [events::arrays::insert(events, values), deliveries::arrays::insert(deliveries, values)];
            Ctes::of(&appended)
        };
        destinations::wake_after(tx, &mut waiting, now, offer, first).await?
    } else {
        events::insert_many(tx, events).await?;
        deliveries::insert_many(tx, deliveries).await?;
        destinations::wake(tx, &mut waiting, now, offer).await?
    };
    Ok(Appended { more: leased.len() < waiting.len(), leased })
}
