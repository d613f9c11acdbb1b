//! Routes of an organisation.
//!
//! Not here: their matching (`matcher`), the kinds of destination (`pipeline::sender`).

pub mod matcher;

use std::sync::Arc;

use serde_json::json;

use super::{
    Caller,
    kernel::Base,
    pipeline::{
        ChannelPolicy,
        matcher::Place,
        sender::{Sender, Senders},
    },
    tenancy::Tenancy,
};
use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{ChannelId, DestinationId, OrganisationId, RouteId},
        page::{Page, PageRequest},
        pipeline::destination::{Destination, DestinationKind},
        routes::route::Route,
        tenancy::member::Permission,
    },
    store::{self, Tx},
};

/// Largest number of routes of an organisation: each one is evaluated for each event.
pub const MOST_ROUTES: u64 = 500;

/// Destination of a route to be created.
#[derive(Clone, Debug)]
pub enum RouteTarget {
    /// A destination that exists.
    Existing(DestinationId),
    /// A destination by its kind and address, created where it does not exist.
    Address {
        /// Name of the kind.
        kind: String,
        /// Address.
        address: String,
    },
}

/// A route to be created.
#[derive(Clone, Debug)]
pub struct NewRoute {
    /// Display name.
    pub name: String,
    /// Globs of the sources.
    pub sources: Vec<String>,
    /// Globs of the event types.
    pub types: Vec<String>,
    /// Only the events of this channel.
    pub channel_id: Option<ChannelId>,
    /// The destination.
    pub to: RouteTarget,
    /// True if it is enabled.
    pub enabled: bool,
}

/// A patch of a route: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct RouteChange {
    /// Display name.
    pub name: Option<String>,
    /// Globs of the sources.
    pub sources: Option<Vec<String>>,
    /// Globs of the event types.
    pub types: Option<Vec<String>>,
    /// True if it is enabled.
    pub enabled: Option<bool>,
}

/// Service of routes.
#[derive(Clone)]
pub struct Routes {
    base: Base,
    tenancy: Arc<Tenancy>,
    channels: Arc<dyn ChannelPolicy>,
    senders: Senders,
}

impl Routes {
    /// Creates the service.
    pub fn new(base: Base, tenancy: Arc<Tenancy>, channels: Arc<dyn ChannelPolicy>, senders: Senders) -> Self {
        Self { base, tenancy, channels, senders }
    }

    /// Lists the routes of the organisation, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_routes(&self, caller: &Caller, page: PageRequest) -> Result<Page<Route>> {
        caller.require(Permission::RoutesRead)?;
        store::routes::list(self.base.store.reader(), caller.organisation_id, page).await
    }

    /// Returns a route.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_route(&self, caller: &Caller, id: RouteId) -> Result<Route> {
        caller.require(Permission::RoutesRead)?;
        store::routes::find(self.base.store.reader(), caller.organisation_id, id).await
    }

    /// Creates a route, with its destination where that does not exist.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::NotFound`] for the channel or the destination,
    /// [`Error::FailedPrecondition`] where the organisation has its number of destinations, [`Error::Conflict`] where it
    /// has its number of routes.
    pub async fn create_route(&self, caller: &Caller, new: NewRoute) -> Result<Route> {
        caller.require(Permission::RoutesManage)?;
        let NewRoute { name, sources, types, channel_id, to, enabled } = new;
        let (organisation_id, now) = (caller.organisation_id, self.base.now());
        let (id, created_by) = (self.base.ambient.id(), caller.user_id);
        let destination_id = self.base.ambient.id();
        let mut route = Route {
            id,
            organisation_id,
            name,
            sources,
            types,
            channel_id,
            destination_id,
            enabled,
            created_by,
            created_at: now,
            updated_at: now,
        };
        route.check()?;
        if let Some(id) = channel_id {
            self.channels.require_visible(caller, id).await?;
        }
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::lock(&tx, organisation_id).await?;
        if store::routes::count(&tx, organisation_id).await? >= MOST_ROUTES {
            let message = format!("an organisation has at most {MOST_ROUTES} routes; delete one first");
            return Err(Error::Conflict { noun: Noun::Route, message });
        }
        route.destination_id = self.destination(&tx, organisation_id, to).await?;
        store::routes::insert(&tx, &route).await?;
        self.audit_route(&tx, caller, "route.create", &route).await?;
        tx.commit().await?;
        Ok(route)
    }

    /// Changes a route. Omitted fields stay; a refused change changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_route(&self, caller: &Caller, id: RouteId, change: RouteChange) -> Result<Route> {
        caller.require(Permission::RoutesManage)?;
        let tx = self.base.store.begin().await?;
        let mut route = store::routes::find_for_update(&tx, caller.organisation_id, id).await?;
        let RouteChange { name, sources, types, enabled } = change;
        route.name = name.unwrap_or(route.name);
        route.sources = sources.unwrap_or(route.sources);
        route.types = types.unwrap_or(route.types);
        route.enabled = enabled.unwrap_or(route.enabled);
        route.updated_at = self.base.now();
        route.check()?;
        store::routes::update(&tx, &route).await?;
        self.audit_route(&tx, caller, "route.update", &route).await?;
        tx.commit().await?;
        Ok(route)
    }

    /// Deletes a route. Its pending deliveries are still sent.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn delete_route(&self, caller: &Caller, id: RouteId) -> Result<()> {
        caller.require(Permission::RoutesManage)?;
        let tx = self.base.store.begin().await?;
        let route = store::routes::find_for_update(&tx, caller.organisation_id, id).await?;
        store::routes::delete(&tx, id).await?;
        self.audit_route(&tx, caller, "route.delete", &route).await?;
        tx.commit().await
    }

    /// Returns the destination of a route, found or created.
    async fn destination(&self, tx: &Tx, organisation_id: OrganisationId, to: RouteTarget) -> Result<DestinationId> {
        let (kind, address) = match to {
            RouteTarget::Existing(id) => {
                let found = store::pipeline::destinations::find(tx, organisation_id, id).await?;
                self.sender(&found.kind, "/destinationId")?;
                return Ok(found.id);
            }
            RouteTarget::Address { kind, address } => (DestinationKind::stored(kind), address),
        };
        let Place { kind, name, address } = self.sender(&kind, "/destination/kind")?.place(&address)?;
        let fresh = self.base.ambient.id();
        let wanted = Destination::fresh(fresh, organisation_id, (kind, name, address), self.base.now());
        let destination = store::pipeline::destinations::ensure(tx, &wanted).await?;
        let is_new = !store::routes::destinations(tx, organisation_id).await?.contains(&destination.id);
        self.tenancy.demand_room_for_destinations(tx, organisation_id, usize::from(is_new)).await?;
        Ok(destination.id)
    }

    /// Returns the sender of a kind to which routes may send.
    fn sender(&self, kind: &DestinationKind, field: &str) -> Result<&Arc<dyn Sender>> {
        let sender = self.senders.of(kind).ok().filter(|sender| sender.takes_any_event());
        sender.ok_or_else(|| {
            let kinds = self.senders.routable().join(" or ");
            Error::invalid(field, format!("routes send to destinations of the kind {kinds}, not {}", kind.as_str()))
        })
    }

    async fn audit_route(&self, tx: &Tx, caller: &Caller, action: &'static str, route: &Route) -> Result<()> {
        let detail = json!({"sources": route.sources, "types": route.types, "destination_id": route.destination_id});
        self.base.audit(tx, (caller.organisation_id, &caller.actor()), action, route.id, detail).await
    }
}
