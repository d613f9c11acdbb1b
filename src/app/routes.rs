//! Routes of an organisation.
//!
//! Not here: their list with those that rooms manage (`managed`), their matching (`matcher`), drafts (`drafts`), the kinds
//! of destination (`pipeline::sender`).

pub mod drafts;
pub mod managed;
pub mod matcher;

use std::sync::Arc;

use serde_json::{Value, json};

use self::managed::{Listed, RouteManager, ShownRoute};
use super::{
    Caller,
    kernel::Base,
    pipeline::{
        ChannelPolicy, Pipeline,
        destinations::{CreateDestination, Destinations, Wanted},
        matcher::Place,
    },
};
use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{ChannelId, DestinationId, OrganisationId, RouteId},
        pipeline::{delivery::DeliveryState, template::Template},
        routes::{
            condition::Condition,
            route::Route,
            rule::{ReadyRoute, Rule, RuleKinds},
        },
        tenancy::member::Permission,
    },
    store::{self, Tx},
};

/// Largest number of routes of an organisation.
pub const MOST_ROUTES: u64 = 10_000;

/// Destination of a route to be created.
#[derive(Clone, Debug)]
pub enum RouteTarget {
    /// A destination that exists.
    Existing(DestinationId),
    /// A destination that is created where it does not exist.
    New(CreateDestination),
    /// The same by a place that a room vouches for.
    Place(Place),
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
    /// Condition in CEL.
    pub condition: Option<String>,
    /// Rule of a kind that a room adds; absent settings have their defaults.
    pub rule: Option<Rule>,
    /// Template of the content.
    pub template: Option<Value>,
    /// The destination.
    pub to: RouteTarget,
    /// Place among the routes.
    pub position: i32,
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
    /// Condition; an inner `None` removes it.
    pub condition: Option<Option<String>>,
    /// Rule; settings that it does not have stay, if the kind is the same.
    pub rule: Option<Rule>,
    /// Template; an inner `None` removes it.
    pub template: Option<Option<Value>>,
    /// Another destination.
    pub destination_id: Option<DestinationId>,
    /// Place among the routes.
    pub position: Option<i32>,
    /// True if it is enabled.
    pub enabled: Option<bool>,
}

/// Service of routes.
#[derive(Clone)]
pub struct Routes {
    base: Base,
    pipeline: Arc<Pipeline>,
    destinations: Arc<Destinations>,
    channels: Arc<dyn ChannelPolicy>,
    kinds: RuleKinds,
    managers: Arc<[Arc<dyn RouteManager>]>,
}

impl Routes {
    /// Creates the service; routes may have rules of these kinds, and rooms manage others.
    pub fn new(
        base: Base,
        (pipeline, destinations): (Arc<Pipeline>, Arc<Destinations>),
        channels: Arc<dyn ChannelPolicy>,
        kinds: RuleKinds,
        managers: Vec<Arc<dyn RouteManager>>,
    ) -> Self {
        Self { base, pipeline, destinations, channels, kinds, managers: managers.into() }
    }

    /// Returns a route as it decides: this version may not read its rule any more.
    fn shown(&self, route: Route) -> Route {
        ReadyRoute::new(route, &self.kinds).route
    }

    /// Creates a route, with its destination where that does not exist.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::NotFound`] for the channel or the destination,
    /// [`Error::FailedPrecondition`] where the organisation has its number of destinations, [`Error::Conflict`] where it
    /// has its number of routes.
    pub async fn create_route(&self, caller: &Caller, new: NewRoute) -> Result<ShownRoute> {
        caller.require(Permission::RoutesManage)?;
        let organisation_id = caller.organisation_id;
        if let Some(id) = new.channel_id {
            self.channels.require_visible(caller, id).await?;
        }
        let to = new.to.clone();
        let mut route = self.route(caller, new)?;
        let to = self.target(organisation_id, to).await?;
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::lock(&tx, organisation_id).await?;
        if store::routes::count(&tx, organisation_id).await? >= MOST_ROUTES {
            let message = format!("an organisation has at most {MOST_ROUTES} routes; delete one first");
            return Err(Error::Conflict { noun: Noun::Route, message });
        }
        route.destination_id = match to {
            Target::Existing(id) => id,
            Target::Wanted(wanted) => self.destinations.ensure(&tx, &wanted).await?.id,
        };
        store::routes::insert(&tx, &route).await?;
        self.commit_route(tx, caller, "route.create", &route).await?;
        self.with_pause(caller, Listed::Own(route)).await
    }

    /// Changes a stored route.
    async fn update_own(&self, caller: &Caller, id: RouteId, change: RouteChange) -> Result<Route> {
        caller.require(Permission::RoutesManage)?;
        let tx = self.base.store.begin().await?;
        let mut route = store::routes::find_for_update(&tx, caller.organisation_id, id).await?;
        let RouteChange { name, sources, types, condition, rule, template, destination_id, position, enabled } = change;
        route.name = name.unwrap_or(route.name);
        route.sources = sources.unwrap_or(route.sources);
        route.types = types.unwrap_or(route.types);
        if let Some(condition) = condition {
            route.condition = parsed_condition(condition)?;
        }
        if let Some(rule) = rule {
            route.rule = Some(self.full(merged(route.rule.take(), rule))?);
        }
        if let Some(id) = destination_id {
            let found = store::pipeline::destinations::find(&tx, caller.organisation_id, id).await?;
            self.destinations.sender(&found.kind, "/destinationId")?;
            route.destination_id = id;
        }
        if let Some(template) = template {
            route.template = parsed_template(template)?;
        }
        route.position = position.unwrap_or(route.position);
        route.enabled = enabled.unwrap_or(route.enabled);
        route.disabled_reason = None;
        route.updated_at = self.base.now();
        route.check()?;
        store::routes::update(&tx, &route).await?;
        self.commit_route(tx, caller, "route.update", &route).await?;
        Ok(route)
    }

    /// Deletes a stored route.
    async fn delete_own(&self, caller: &Caller, id: RouteId) -> Result<()> {
        caller.require(Permission::RoutesManage)?;
        let tx = self.base.store.begin().await?;
        let route = store::routes::find_for_update(&tx, caller.organisation_id, id).await?;
        store::routes::delete(&tx, id).await?;
        self.commit_route(tx, caller, "route.delete", &route).await
    }

    /// Deletes a destination that was made for routes. Its pending deliveries are not sent; finished ones stay.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] for one that something else manages,
    /// [`Error::Conflict`] where a route sends there.
    pub async fn delete_destination(&self, caller: &Caller, id: DestinationId) -> Result<()> {
        caller.require(Permission::RoutesManage)?;
        let tx = self.base.store.begin().await?;
        let destination = store::pipeline::destinations::find_for_update(&tx, caller.organisation_id, id).await?;
        if destination.settings.is_none() {
            let message = "only destinations with a URL of their own are deleted; delete what sends there".into();
            return Err(Error::FailedPrecondition { message });
        }
        if store::routes::send_to(&tx, id).await? {
            let message = "a route sends there; delete the route first".into();
            return Err(Error::Conflict { noun: Noun::Destination, message });
        }
        let (reason, now) = ("the destination was deleted", self.base.now());
        store::pipeline::deliveries::end_pending(&tx, id, DeliveryState::Failed, reason, now).await?;
        store::pipeline::destinations::delete(&tx, id).await?;
        let detail = json!({"kind": destination.kind.as_str(), "name": destination.name});
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "destination.delete", id, detail).await?;
        tx.commit().await
    }

    /// Checks a route to be created; its destination is not known yet.
    fn route(&self, caller: &Caller, new: NewRoute) -> Result<Route> {
        let NewRoute { name, sources, types, channel_id, condition, rule, template, position, enabled, .. } = new;
        let now = self.base.now();
        let route = Route {
            id: self.base.ambient.id(),
            organisation_id: caller.organisation_id,
            name,
            sources,
            types,
            channel_id,
            condition: parsed_condition(condition)?,
            rule: rule.map(|rule| self.full(rule)).transpose()?,
            template: parsed_template(template)?,
            destination_id: self.base.ambient.id(),
            position,
            enabled,
            disabled_reason: None,
            created_by: caller.user_id,
            created_at: now,
            updated_at: now,
        };
        route.check()?;
        Ok(route)
    }

    /// Checks the destination of a route to be created.
    async fn target(&self, organisation_id: OrganisationId, to: RouteTarget) -> Result<Target> {
        match to {
            RouteTarget::Existing(id) => {
                let reader = self.base.store.reader();
                let found = store::pipeline::destinations::find(reader, organisation_id, id).await?;
                self.destinations.sender(&found.kind, "/destinationId")?;
                Ok(Target::Existing(found.id))
            }
            RouteTarget::New(create) => {
                let wanted = self.destinations.wanted(organisation_id, create, "/destination").await?;
                Ok(Target::Wanted(Box::new(wanted)))
            }
            RouteTarget::Place(place) => {
                Ok(Target::Wanted(Box::new(self.destinations.vouched(organisation_id, place))))
            }
        }
    }

    /// Checks a rule, and returns it with all its settings.
    fn full(&self, rule: Rule) -> Result<Rule> {
        let settings = self.kinds.parse(&rule)?.settings();
        Ok(Rule { settings, ..rule })
    }

    /// Commits a change of a route: processes that have the routes in memory load them again.
    async fn commit_route(&self, tx: Tx, caller: &Caller, action: &'static str, route: &Route) -> Result<()> {
        let detail = json!({"sources": route.sources, "types": route.types, "destination_id": route.destination_id});
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), action, route.id, detail).await?;
        store::tenancy::organisations::raise_configuration_version(&tx, caller.organisation_id).await?;
        tx.commit().await
    }
}

/// Checked destination of a route to be created.
enum Target {
    Existing(DestinationId),
    Wanted(Box<Wanted>),
}

/// Returns a rule with the settings of the former one that it does not have.
fn merged(former: Option<Rule>, given: Rule) -> Rule {
    match (former, given.settings) {
        (Some(Rule { kind, settings: Value::Object(mut settings) }), Value::Object(given_settings))
            if kind == given.kind =>
        {
            settings.extend(given_settings);
            Rule { kind, settings: Value::Object(settings) }
        }
        (_, settings) => Rule { settings, ..given },
    }
}

fn parsed_condition(text: Option<String>) -> Result<Option<Condition>> {
    let parsed = text.as_deref().map(Condition::parse).transpose();
    parsed.map_err(|rule| Error::invalid("/condition", rule))
}

fn parsed_template(template: Option<Value>) -> Result<Option<Template>> {
    let parsed = template.map(Template::parse).transpose();
    parsed.map_err(|(pointer, rule)| Error::invalid(format!("/template{pointer}"), rule))
}
