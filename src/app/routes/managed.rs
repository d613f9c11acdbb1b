//! Seam of the routes that rooms manage: their own settings, shown among all routes and changed by them too.
//!
//! Not here: the routes that are stored as such (`routes`), the decisions of these (`pipeline::matcher`).

use std::{cmp::Reverse, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use super::{RouteChange, Routes};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{ChannelId, DestinationId, OrganisationId, RouteId, UserId},
        page::{Page, PageRequest},
        pipeline::delivery::Reason,
        routes::{route::Route, rule::Rule},
        tenancy::member::Permission,
    },
    store,
};

/// Route that a room manages.
#[derive(Clone, Debug)]
pub struct ManagedRoute {
    /// Its identifier: that of the thing whose settings it shows.
    pub id: RouteId,
    /// The thing whose settings it shows, such as `outgoing_webhook`.
    pub managed_by: &'static str,
    /// Display name.
    pub name: String,
    /// Globs of the sources.
    pub sources: Vec<String>,
    /// Globs of the event types.
    pub types: Vec<String>,
    /// Only the events of this channel.
    pub channel_id: Option<ChannelId>,
    /// Rule that decides.
    pub rule: Rule,
    /// The destination, if it was made already.
    pub destination_id: Option<DestinationId>,
    /// True if it is enabled.
    pub enabled: bool,
    /// Reason for which the service disabled it, if it did.
    pub disabled_reason: Option<String>,
    /// The creator, if it is a user.
    pub created_by: Option<UserId>,
    /// Time of creation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

/// Patch of a managed route: `None` leaves a field as it is.
#[derive(Clone, Debug)]
pub struct ManagedChange {
    /// True to enable it.
    pub enabled: Option<bool>,
    /// Settings of its rule, of which those that are absent stay.
    pub settings: Option<Value>,
}

/// Room that manages routes.
#[async_trait]
pub trait RouteManager: Send + Sync {
    /// Kind of the rules of its routes.
    fn kind(&self) -> &'static str;

    /// Lists the routes of an organisation.
    ///
    /// # Errors
    /// When the database fails.
    async fn routes(&self, organisation_id: OrganisationId) -> Result<Vec<ManagedRoute>>;

    /// Changes one of its routes.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] with pointers into the settings, and as the room has them.
    async fn change(&self, caller: &Caller, route: ManagedRoute, change: ManagedChange) -> Result<()>;

    /// Deletes one of its routes.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::FailedPrecondition`] where it ends with something else.
    async fn delete(&self, caller: &Caller, route: ManagedRoute) -> Result<()>;
}

/// Route of the list: stored as such, or managed by a room.
#[derive(Clone, Debug)]
pub enum Listed {
    /// A stored one.
    Own(Route),
    /// A managed one.
    Managed(ManagedRoute),
}

impl Listed {
    fn id(&self) -> RouteId {
        match self {
            Listed::Own(route) => route.id,
            Listed::Managed(route) => route.id,
        }
    }

    fn destination_id(&self) -> Option<DestinationId> {
        match self {
            Listed::Own(route) => Some(route.destination_id),
            Listed::Managed(route) => route.destination_id,
        }
    }
}

/// Route as members see it.
#[derive(Clone, Debug)]
pub struct ShownRoute {
    /// The route.
    pub route: Listed,
    /// Reason for which nothing is sent to its destination for now, if there is one.
    pub paused: Option<Reason>,
}

impl Routes {
    /// Lists the routes of the organisation, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_routes(&self, caller: &Caller, page: PageRequest) -> Result<Page<ShownRoute>> {
        caller.require(Permission::RoutesRead)?;
        let own = store::routes::list(self.base.store.reader(), caller.organisation_id, page).await?;
        let more = own.next.is_some();
        // Own routes beyond this page are older than all of it.
        let oldest = own.items.last().filter(|_| more).map(|route| route.id.0);
        let mut all: Vec<Listed> = own.items.into_iter().map(|route| Listed::Own(self.shown(route))).collect();
        for (_, route) in self.managed(caller.organisation_id).await? {
            let id = route.id.0;
            if page.after.is_none_or(|after| id < after) && oldest.is_none_or(|oldest| id > oldest) {
                all.push(Listed::Managed(route));
            }
        }
        all.sort_by_key(|route| Reverse(route.id().0));
        let cut = Page::cut(all, page.limit, |route| route.id().0);
        let next = cut.next.or_else(|| cut.items.last().filter(|_| more).map(|route| route.id().0));
        Ok(Page { items: self.with_pauses(caller, cut.items).await?, next })
    }

    /// Returns a route.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_route(&self, caller: &Caller, id: RouteId) -> Result<ShownRoute> {
        caller.require(Permission::RoutesRead)?;
        let route = match store::routes::find(self.base.store.reader(), caller.organisation_id, id).await {
            Ok(route) => Listed::Own(self.shown(route)),
            Err(Error::NotFound { .. }) => Listed::Managed(self.managed_one(caller, id).await?.1),
            Err(error) => return Err(error),
        };
        self.with_pause(caller, route).await
    }

    /// Changes a route. Omitted fields stay; a refused change changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_route(&self, caller: &Caller, id: RouteId, change: RouteChange) -> Result<ShownRoute> {
        match self.update_own(caller, id, change.clone()).await {
            Ok(route) => return self.with_pause(caller, Listed::Own(route)).await,
            Err(Error::NotFound { noun: Noun::Route, .. }) => {}
            Err(error) => return Err(error),
        }
        let (manager, route) = self.managed_one(caller, id).await?;
        let change = managed_change(&*manager, &route, change)?;
        let changed = manager.change(caller, route, change).await;
        changed.map_err(|error| error.within(&format!("/rule/{}", manager.kind())))?;
        self.get_route(caller, id).await
    }

    /// Deletes a route. Its pending deliveries are still sent.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] for one that ends with something else.
    pub async fn delete_route(&self, caller: &Caller, id: RouteId) -> Result<()> {
        match self.delete_own(caller, id).await {
            Err(Error::NotFound { noun: Noun::Route, .. }) => {
                let (manager, route) = self.managed_one(caller, id).await?;
                manager.delete(caller, route).await
            }
            other => other,
        }
    }

    /// Adds the pauses of the destinations of routes.
    async fn with_pauses(&self, caller: &Caller, routes: Vec<Listed>) -> Result<Vec<ShownRoute>> {
        let destinations = routes.iter().filter_map(Listed::destination_id).collect();
        let pauses = self.pipeline.list_pauses(caller, destinations).await?;
        let paused = |route: &Listed| route.destination_id().and_then(|id| pauses.get(&id).copied());
        Ok(routes.into_iter().map(|route| ShownRoute { paused: paused(&route), route }).collect())
    }

    /// Adds the pause of the destination of a route.
    pub(super) async fn with_pause(&self, caller: &Caller, route: Listed) -> Result<ShownRoute> {
        let shown = self.with_pauses(caller, vec![route]).await?;
        shown.into_iter().next().ok_or_else(|| Error::Internal("a route was shown and is not there".into()))
    }

    async fn managed_one(&self, caller: &Caller, id: RouteId) -> Result<(Arc<dyn RouteManager>, ManagedRoute)> {
        let all = self.managed(caller.organisation_id).await?;
        all.into_iter().find(|(_, route)| route.id == id).ok_or_else(|| Error::not_found(Noun::Route, id))
    }

    async fn managed(&self, organisation_id: OrganisationId) -> Result<Vec<(Arc<dyn RouteManager>, ManagedRoute)>> {
        let mut all = Vec::new();
        for manager in self.managers.iter() {
            let routes = manager.routes(organisation_id).await?;
            all.extend(routes.into_iter().map(|route| (manager.clone(), route)));
        }
        Ok(all)
    }
}

/// Returns the part of a change that a managed route takes.
fn managed_change(manager: &dyn RouteManager, route: &ManagedRoute, change: RouteChange) -> Result<ManagedChange> {
    let RouteChange { name, sources, types, condition, rule, template, destination_id, position, enabled } = change;
    let given = [
        ("/name", name.is_some()),
        ("/sources", sources.is_some()),
        ("/types", types.is_some()),
        ("/condition", condition.is_some()),
        ("/template", template.is_some()),
        ("/destinationId", destination_id.is_some()),
        ("/position", position.is_some()),
        ("/rule", rule.as_ref().is_some_and(|rule| rule.kind != manager.kind())),
    ];
    if let Some((field, _)) = given.iter().find(|(_, given)| *given) {
        let by = route.managed_by.replace('_', " ");
        let rule = format!(
            "must be left out: the route shows the settings of its {by}, of which enabled and rule change here"
        );
        return Err(Error::invalid(*field, rule));
    }
    Ok(ManagedChange { enabled, settings: rule.map(|rule| rule.settings) })
}
