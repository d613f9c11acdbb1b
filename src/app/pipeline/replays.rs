//! Replays: deliveries that members send again.
//!
//! Not here: the content that a replay has (`Sender::replayed`).

use serde_json::json;

use super::sender::Senders;
use crate::{
    app::{Caller, kernel::Base},
    domain::{
        Error, Result,
        error::Noun,
        ids::{DeliveryId, DestinationId},
        pipeline::{
            delivery::Delivery,
            destination::{Destination, Health},
        },
        search::Period,
        tenancy::member::Permission,
    },
    store::{self, Tx},
};

/// Service of replays.
#[derive(Clone)]
pub struct Replays {
    base: Base,
    senders: Senders,
}

impl Replays {
    /// Creates the service.
    pub fn new(base: Base, senders: Senders) -> Self {
        Self { base, senders }
    }

    /// Sends a finished delivery again, in any state.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Conflict`] where it is still pending,
    /// [`Error::FailedPrecondition`] where its destination is disabled.
    pub async fn replay_delivery(&self, caller: &Caller, id: DeliveryId) -> Result<Delivery> {
        caller.require(Permission::DeliveriesReplay)?;
        let tx = self.base.store.begin().await?;
        let delivery = store::pipeline::deliveries::find(&tx, caller.organisation_id, id).await?;
        let destination = self.reachable(&tx, caller, delivery.destination_id).await?;
        let sender = self.senders.of(&destination.kind)?;
        let content = delivery.content.map(|content| sender.replayed(content)).transpose()?;
        if !store::pipeline::deliveries::replay(&tx, (caller.organisation_id, id), content.as_ref(), self.base.now())
            .await?
        {
            let message = format!("the delivery {id} is still on its way; wait until it is delivered or failed");
            return Err(Error::Conflict { noun: Noun::Delivery, message });
        }
        let replayed = store::pipeline::deliveries::find(&tx, caller.organisation_id, id).await?;
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "delivery.replay", id, json!({})).await?;
        self.send_again(tx, &destination).await?;
        Ok(replayed)
    }

    /// Counts the failed deliveries of a destination and a period: those that a replay would send again.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn count_failed_deliveries(&self, caller: &Caller, id: DestinationId, period: Period) -> Result<u64> {
        caller.require(Permission::DeliveriesReplay)?;
        let reader = self.base.store.reader();
        store::pipeline::destinations::find(reader, caller.organisation_id, id).await?;
        store::pipeline::deliveries::count_failed(reader, id, period).await
    }

    /// Sends every failed delivery of a destination and a period again, in their order. Returns their number.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] where it is disabled.
    pub async fn replay_failed_deliveries(&self, caller: &Caller, id: DestinationId, period: Period) -> Result<u64> {
        caller.require(Permission::DeliveriesReplay)?;
        let tx = self.base.store.begin().await?;
        let destination = self.reachable(&tx, caller, id).await?;
        let count = store::pipeline::deliveries::replay_failed(&tx, id, period, self.base.now()).await?;
        let detail = json!({"count": count});
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "delivery.replay_failed", id, detail).await?;
        self.send_again(tx, &destination).await?;
        Ok(count)
    }

    /// Locks a destination, and returns it where it is not disabled.
    async fn reachable(&self, tx: &Tx, caller: &Caller, id: DestinationId) -> Result<Destination> {
        let destination = store::pipeline::destinations::find_for_update(tx, caller.organisation_id, id).await?;
        match destination.health {
            Health::Healthy | Health::Failing { .. } => Ok(destination),
            Health::Disabled { reason, .. } => Err(Error::FailedPrecondition { message: reason }),
        }
    }

    /// Resets an unhealthy destination to healthy, commits, and wakes the workers.
    async fn send_again(&self, tx: Tx, destination: &Destination) -> Result<()> {
        if destination.health != Health::Healthy {
            store::pipeline::destinations::set_health(&tx, destination.id, &Health::Healthy).await?;
        }
        store::pipeline::destinations::wake(&tx, &[destination.id], self.base.now(), None).await?;
        tx.commit().await?;
        self.base.wake.notify_one();
        Ok(())
    }
}
