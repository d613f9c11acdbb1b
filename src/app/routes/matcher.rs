//! Rules of routes: events that match go to the destination of the route.
//!
//! The routes of an organisation are kept in memory while its configuration version, which is read in the transaction that
//! accepts the events, stays the same. Not here: the rules of one route (`domain::routes::route`).

use std::{
    cell::OnceCell,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use futures_util::future::BoxFuture;
use moka::future::Cache;

use crate::{
    app::pipeline::{
        matcher::{Decision, Matcher, NoRules, Rules, Ruling, Target, organisations},
        sender::WeakSenders,
    },
    domain::{
        Result,
        ids::OrganisationId,
        pipeline::{
            destination::DestinationKind,
            event::{Event, EventSource},
        },
        routes::{
            condition::Scope,
            route::{Match, Route},
        },
    },
    store::{self, Tx},
};

/// Maximum number of routes in memory, of all organisations.
const MOST_IN_MEMORY: u64 = 200_000;

/// Senders of the process, which stand on the pipeline and are known once it is wired.
pub type LateSenders = Arc<OnceLock<WeakSenders>>;

/// Rules of routes.
pub struct RouteMatcher {
    senders: LateSenders,
    known: Cache<OrganisationId, (i64, Arc<Compiled>)>,
}

impl RouteMatcher {
    /// Creates the rules.
    pub fn new(senders: LateSenders) -> Self {
        let weight = |_: &OrganisationId, (_, compiled): &(i64, Arc<Compiled>)| {
            u32::try_from(compiled.routes.len()).unwrap_or(u32::MAX).saturating_add(1)
        };
        Self { senders, known: Cache::builder().weigher(weight).max_capacity(MOST_IN_MEMORY).build() }
    }

    async fn routes(&self, tx: &Tx, ids: &[OrganisationId]) -> Result<HashMap<OrganisationId, Arc<Compiled>>> {
        let versions = store::tenancy::organisations::configuration_versions(tx, ids).await?;
        let mut routes = HashMap::with_capacity(versions.len());
        let mut missing = Vec::new();
        for (id, version) in versions {
            match self.known.get(&id).await {
                Some((known, compiled)) if known == version => drop(routes.insert(id, compiled)),
                _ => missing.push((id, version)),
            }
        }
        if missing.is_empty() {
            return Ok(routes);
        }
        let ids: Vec<OrganisationId> = missing.iter().map(|(id, _)| *id).collect();
        let mut loaded: HashMap<OrganisationId, Vec<(Route, DestinationKind)>> = HashMap::new();
        for (route, kind) in store::routes::of_organisations(tx, &ids).await? {
            loaded.entry(route.organisation_id).or_default().push((route, kind));
        }
        for (id, version) in missing {
            let compiled = Arc::new(Compiled::new(loaded.remove(&id).unwrap_or_default()));
            self.known.insert(id, (version, compiled.clone())).await;
            routes.insert(id, compiled);
        }
        Ok(routes)
    }
}

impl Matcher for RouteMatcher {
    fn load<'a>(&'a self, tx: &'a Tx, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>> {
        Box::pin(async move {
            let concerned = organisations(events.iter().filter(|event| event.source != EventSource::TEST));
            if concerned.is_empty() {
                return Ok(Box::new(NoRules) as Box<dyn Rules>);
            }
            let routes = self.routes(tx, &concerned).await?;
            Ok(Box::new(Routes { routes, senders: self.senders.clone() }) as Box<dyn Rules>)
        })
    }
}

/// Routes of an organisation, in the order in which they decide.
struct Compiled {
    routes: Vec<(Route, DestinationKind)>,
    /// Places of the routes that name a type, by it.
    by_type: HashMap<String, Vec<usize>>,
    /// Places of the routes with a pattern among their types.
    patterns: Vec<usize>,
}

impl Compiled {
    fn new(routes: Vec<(Route, DestinationKind)>) -> Self {
        let (mut by_type, mut patterns): (HashMap<String, Vec<usize>>, Vec<usize>) = Default::default();
        for (place, (route, _)) in routes.iter().enumerate() {
            if route.types.iter().any(|glob| glob.contains('*')) {
                patterns.push(place);
                continue;
            }
            for name in &route.types {
                by_type.entry(name.clone()).or_default().push(place);
            }
        }
        Self { routes, by_type, patterns }
    }

    /// Returns the routes that may concern a type, in their order.
    fn of_type(&self, kind: &str) -> Vec<&(Route, DestinationKind)> {
        let mut places = self.patterns.clone();
        places.extend(self.by_type.get(kind).into_iter().flatten());
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.routes[place]).collect()
    }
}

struct Routes {
    routes: HashMap<OrganisationId, Arc<Compiled>>,
    senders: LateSenders,
}

impl Rules for Routes {
    fn decide(&self, event: &Event) -> Vec<Decision> {
        let Some(compiled) = self.routes.get(&event.organisation_id) else { return Vec::new() };
        // Read by conditions alone, and once for all of them.
        let scope = OnceCell::new();
        let routes = compiled.of_type(&event.fact.kind).into_iter();
        let decide = |(route, kind): &(Route, DestinationKind)| {
            let decision = |ruling, content| {
                Some(Decision { to: Target::Id(route.destination_id), ruling, content, route_id: Some(route.id) })
            };
            match route.matches(event, || scope.get_or_init(|| Scope::of(event))) {
                Match::Unconcerned(_) => None,
                Match::Skipped(reason) => decision(Ruling::Skip(reason.into()), None),
                Match::Matched => match &route.template {
                    None => decision(Ruling::Deliver, None),
                    Some(template) => match self
                        .senders
                        .get()
                        .and_then(WeakSenders::upgrade)
                        .map(|all| all.content(kind, template, event))
                    {
                        Some(Ok(content)) => decision(Ruling::Deliver, Some(content)),
                        Some(Err(reason)) => decision(Ruling::Fail(reason.into()), None),
                        None => decision(Ruling::Fail("the service is starting; replay this delivery".into()), None),
                    },
                },
            }
        };
        routes.filter_map(decide).collect()
    }
}
