//! Deliveries: looked at, and sent again.

use serde_json::json;

use super::Pipeline;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::Noun,
        ids::{DeliveryId, DestinationId},
        page::{Page, PageRequest},
        pipeline::{
            delivery::{Attempt, Content, Delivery},
            destination::{Destination, Health},
        },
        tenancy::member::Permission,
    },
    provider::redact,
    store::{self, Tx},
};

pub use store::pipeline::deliveries::Filter;

impl Pipeline {
    /// The deliveries, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_deliveries(&self, caller: &Caller, filter: Filter, page: PageRequest) -> Result<Page<Delivery>> {
        caller.require(Permission::DeliveriesRead)?;
        store::pipeline::deliveries::list(self.base.store.reader(), caller.organisation_id, filter, page).await
    }

    /// One delivery with its attempts, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_delivery(&self, caller: &Caller, id: DeliveryId) -> Result<(Delivery, Vec<Attempt>)> {
        caller.require(Permission::DeliveriesRead)?;
        let reader = self.base.store.reader();
        let delivery = store::pipeline::deliveries::find(reader, caller.organisation_id, id).await?;
        let mut attempts = store::pipeline::deliveries::attempts(reader, id).await?;
        for attempt in &mut attempts {
            // Older ones were written down with less of it hidden.
            attempt.address = redact(&attempt.address).into_owned();
        }
        Ok((delivery, attempts))
    }

    /// Sends a finished delivery again, whatever became of it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Conflict`] where it is still on its way,
    /// [`Error::FailedPrecondition`] where its destination is switched off.
    pub async fn replay_delivery(&self, caller: &Caller, id: DeliveryId) -> Result<Delivery> {
        caller.require(Permission::DeliveriesReplay)?;
        let tx = self.base.store.begin().await?;
        let delivery = store::pipeline::deliveries::find(&tx, caller.organisation_id, id).await?;
        let destination = self.reachable(&tx, caller, delivery.destination_id).await?;
        let content = delivery.content.map(Content::by_hand);
        if !store::pipeline::deliveries::replay(&tx, id, content.as_ref(), self.base.now()).await? {
            let message = format!("the delivery {id} is still on its way; wait until it is delivered or failed");
            return Err(Error::Conflict { noun: Noun::Delivery, message });
        }
        let replayed = store::pipeline::deliveries::find(&tx, caller.organisation_id, id).await?;
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "delivery.replay", id, json!({})).await?;
        self.send_again(tx, &destination).await?;
        Ok(replayed)
    }

    /// Sends every failed delivery of a destination again, in their order. Tells how many there are.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] where it is switched off.
    pub async fn replay_failed_deliveries(&self, caller: &Caller, id: DestinationId) -> Result<u64> {
        caller.require(Permission::DeliveriesReplay)?;
        let tx = self.base.store.begin().await?;
        let destination = self.reachable(&tx, caller, id).await?;
        let count = store::pipeline::deliveries::replay_failed(&tx, id, self.base.now()).await?;
        let detail = json!({"count": count});
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "delivery.replay_failed", id, detail).await?;
        self.send_again(tx, &destination).await?;
        Ok(count)
    }

    /// The destinations, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_destinations(&self, caller: &Caller, page: PageRequest) -> Result<Page<Destination>> {
        caller.require(Permission::DeliveriesRead)?;
        let mut page =
            store::pipeline::destinations::list(self.base.store.reader(), caller.organisation_id, page).await?;
        page.items = page.items.into_iter().map(shown).collect();
        Ok(page)
    }

    /// One destination.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_destination(&self, caller: &Caller, id: DestinationId) -> Result<Destination> {
        caller.require(Permission::DeliveriesRead)?;
        store::pipeline::destinations::find(self.base.store.reader(), caller.organisation_id, id).await.map(shown)
    }

    /// Demands a destination that is not switched off.
    async fn reachable(&self, tx: &Tx, caller: &Caller, id: DestinationId) -> Result<Destination> {
        let destination = store::pipeline::destinations::find(tx, caller.organisation_id, id).await?;
        match destination.health {
            Health::Healthy | Health::Broken { .. } => Ok(destination),
            Health::Off { reason, .. } => Err(Error::FailedPrecondition { message: reason }),
        }
    }

    /// Gives a broken destination a new chance, commits, and has the workers look at it.
    async fn send_again(&self, tx: Tx, destination: &Destination) -> Result<()> {
        if destination.health != Health::Healthy {
            store::pipeline::destinations::set_health(&tx, destination.id, &Health::Healthy).await?;
        }
        store::pipeline::destinations::wake(&tx, &mut vec![destination.id], self.base.now()).await?;
        tx.commit().await?;
        self.base.bell.notify_one();
        Ok(())
    }
}

/// A destination without the secrets that its URL may have.
fn shown(mut destination: Destination) -> Destination {
    destination.address = redact(&destination.address).into_owned();
    destination
}
