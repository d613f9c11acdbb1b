//! Queries of deliveries and destinations.
//!
//! Not here: replays (`replays`).

use std::collections::HashMap;

use super::Pipeline;
use crate::{
    app::Caller,
    domain::{
        Result,
        ids::{DeliveryId, DestinationId},
        page::{Page, PageRequest},
        pipeline::{
            delivery::{Attempt, Reason},
            destination::Destination,
        },
        tenancy::member::Permission,
    },
    provider::redact,
    store,
};

pub use store::pipeline::deliveries::{Filter, NamedDelivery};

/// A destination as members see it.
#[derive(Clone, Debug)]
pub struct ShownDestination {
    /// The destination, without the secrets that its URL may have.
    pub destination: Destination,
    /// Reason for which nothing is sent there for now: its connection is paused.
    pub paused: Option<Reason>,
}

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
        let mut attempts = store::pipeline::deliveries::attempts(reader, caller.organisation_id, id).await?;
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
    pub async fn list_destinations(&self, caller: &Caller, page: PageRequest) -> Result<Page<ShownDestination>> {
        caller.require(Permission::DeliveriesRead)?;
        let Page { items, next } =
            store::pipeline::destinations::list(self.base.store.reader(), caller.organisation_id, page).await?;
        let paused = self.pauses.paused(None, &items.iter().collect::<Vec<_>>()).await?;
        let shown =
            |one: Destination| ShownDestination { paused: paused.get(&one.id).copied(), destination: safe(one) };
        Ok(Page { items: items.into_iter().map(shown).collect(), next })
    }

    /// Returns a destination.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_destination(&self, caller: &Caller, id: DestinationId) -> Result<ShownDestination> {
        caller.require(Permission::DeliveriesRead)?;
        let found = store::pipeline::destinations::find(self.base.store.reader(), caller.organisation_id, id).await?;
        self.shown(found).await
    }

    /// Returns the reasons of those of some destinations of the organisation that are paused.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::app) async fn list_pauses(
        &self,
        caller: &Caller,
        ids: Vec<DestinationId>,
    ) -> Result<HashMap<DestinationId, Reason>> {
        let found = store::pipeline::destinations::of_ids(self.base.store.reader(), ids).await?;
        let own: Vec<&Destination> =
            found.values().filter(|one| one.organisation_id == caller.organisation_id).collect();
        self.pauses.paused(None, &own).await
    }

    /// Returns a destination as members see it.
    pub(super) async fn shown(&self, destination: Destination) -> Result<ShownDestination> {
        let paused = self.pauses.paused(None, &[&destination]).await?.remove(&destination.id);
        Ok(ShownDestination { destination: safe(destination), paused })
    }
}

/// Returns a destination without the secrets that its URL may have.
fn safe(mut destination: Destination) -> Destination {
    destination.address = redact(&destination.address).into_owned();
    destination
}
