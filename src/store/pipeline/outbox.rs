//! Appends of events with their deliveries, and the positions of the pending ones in the queues of their destinations: in
//! one statement on PostgreSQL, together with the wake-up of the destinations.
//!
//! A position is handed out under the lock of the destination's row, which is held until the commit: what is committed
//! later is behind, so the cursor of a queue never passes what it does not see.
//!
//! Not here: the decisions.

use sea_orm::{ConnectionTrait, DbBackend};

use super::{
    deliveries,
    destinations::{self, Added, Append, Offer, WOKEN, Woken},
    events,
};
use crate::{
    domain::{
        Result,
        ambient::Time,
        pipeline::{
            delivery::{Delivery, DeliveryState},
            event::Event,
        },
    },
    store::{Tx, kernel::ctes::Ctes},
};

/// Appends events with their deliveries, last in a transaction: the destinations of the pending ones are woken, or leased
/// where the offer has them. The pending ones get their positions.
///
/// # Errors
/// When the database fails.
pub async fn append(
    tx: &Tx,
    events: &[Event],
    deliveries: &mut [Delivery],
    now: Time,
    offer: Option<&Offer>,
) -> Result<Woken> {
    let mut added = Added::new();
    let mut behind: Vec<Option<i64>> = Vec::with_capacity(deliveries.len());
    for delivery in deliveries.iter().rev() {
        behind.push((delivery.state == DeliveryState::Pending).then(|| {
            let added = added.entry(delivery.destination_id).or_default();
            *added += 1;
            *added - 1
        }));
    }
    behind.reverse();
    if tx.get_database_backend() == DbBackend::Postgres && !added.is_empty() {
        let append = |values: &mut Vec<_>| Append {
            before: Ctes::of(&[events::arrays::insert(events, values)]),
            after: deliveries::arrays::enqueue(deliveries, &behind, WOKEN, values),
        };
        let woken = destinations::wake_and_append(tx, &added, now, offer, append).await?;
        number(deliveries, &behind, &woken);
        return Ok(woken);
    }
    if deliveries.is_empty() {
        events::insert_last(tx, events).await?;
        return Ok(Woken::default());
    }
    events::insert_many(tx, events).await?;
    let woken = destinations::wake_with(tx, &added, now, offer).await?;
    number(deliveries, &behind, &woken);
    deliveries::insert_many(tx, deliveries).await?;
    Ok(woken)
}

/// Sets the positions of deliveries: each is before the number of those that are behind it.
fn number(deliveries: &mut [Delivery], behind: &[Option<i64>], woken: &Woken) {
    for (delivery, behind) in deliveries.iter_mut().zip(behind) {
        let last = woken.last_seq.get(&delivery.destination_id);
        delivery.seq = last.zip(*behind).map(|(last, behind)| last - behind);
    }
}
