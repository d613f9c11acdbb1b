//! Queries of deliveries and destinations.
//!
//! Not here: replays (`replays`).

use super::Pipeline;
use crate::{
    app::Caller,
    domain::{
        Result,
        ids::{DeliveryId, DestinationId},
        page::{Page, PageRequest},
        pipeline::{delivery::Attempt, destination::Destination},
        tenancy::member::Permission,
    },
    provider::redact,
    store,
};

pub use store::pipeline::deliveries::{Filter, NamedDelivery};

impl Pipeline {
    /// Lists the deliveries, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_deliveries(
        &self,
        caller: &Caller,
        filter: &Filter,
        page: PageRequest,
    ) -> Result<Page<NamedDelivery>> {
        caller.require(Permission::DeliveriesRead)?;
        store::pipeline::deliveries::list(self.base.store.reader(), caller.organisation_id, filter, page).await
    }

    /// Returns a delivery with its attempts, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_delivery(&self, caller: &Caller, id: DeliveryId) -> Result<(NamedDelivery, Vec<Attempt>)> {
        caller.require(Permission::DeliveriesRead)?;
        let reader = self.base.store.reader();
        let delivery = store::pipeline::deliveries::find_named(reader, caller.organisation_id, id).await?;
        let mut attempts = store::pipeline::deliveries::attempts(reader, id).await?;
        for attempt in &mut attempts {
            // Older attempts were recorded with less of the address redacted.
            attempt.address = redact(&attempt.address).into_owned();
        }
        Ok((delivery, attempts))
    }

    /// Lists the destinations, newest first.
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

    /// Returns a destination.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_destination(&self, caller: &Caller, id: DestinationId) -> Result<Destination> {
        caller.require(Permission::DeliveriesRead)?;
        store::pipeline::destinations::find(self.base.store.reader(), caller.organisation_id, id).await.map(shown)
    }
}

/// Returns a destination without the secrets that its URL may have.
pub(super) fn shown(mut destination: Destination) -> Destination {
    destination.address = redact(&destination.address).into_owned();
    destination
}
