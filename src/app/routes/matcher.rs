//! Rules of routes: events that match go to the destination of the route.
//!
//! The routes of an organisation are kept in memory while its configuration version, which is read in the transaction that
//! accepts the events, stays the same. Not here: the rules of one route (`domain::routes::route`).

use std::{
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
            delivery::Content,
            destination::DestinationKind,
            event::{Event, EventSource},
            template::Template,
        },
        routes::{
            route::Match,
            rule::{ReadyRoute, RuleKinds, View},
        },
    },
    store::{self, Reads},
};

/// Maximum number of routes in memory, of all organisations.
const MOST_IN_MEMORY: u64 = 200_000;

/// Senders of the process, which stand on the pipeline and are known once it is wired.
pub type LateSenders = Arc<OnceLock<WeakSenders>>;

/// Rules of routes.
pub struct RouteMatcher {
    senders: LateSenders,
    kinds: RuleKinds,
    known: Cache<OrganisationId, (i64, Arc<Compiled>)>,
}

impl RouteMatcher {
    /// Creates the rules; routes may have rules of these kinds.
    pub fn new(senders: LateSenders, kinds: RuleKinds) -> Self {
        let weight = |_: &OrganisationId, (_, compiled): &(i64, Arc<Compiled>)| {
            u32::try_from(compiled.routes.len()).unwrap_or(u32::MAX).saturating_add(1)
        };
        Self { senders, kinds, known: Cache::builder().weigher(weight).max_capacity(MOST_IN_MEMORY).build() }
    }

    async fn routes(&self, reads: Reads<'_>, ids: &[OrganisationId]) -> Result<HashMap<OrganisationId, Arc<Compiled>>> {
        let versions = store::tenancy::organisations::configuration_versions(&reads, ids).await?;
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
        let mut loaded: HashMap<OrganisationId, Vec<(ReadyRoute, DestinationKind)>> = HashMap::new();
        for (route, kind) in store::routes::of_organisations(&reads, &ids).await? {
            let of_one = loaded.entry(route.organisation_id).or_default();
            of_one.push((ReadyRoute::new(route, &self.kinds), kind));
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
    fn load<'a>(&'a self, reads: Reads<'a>, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>> {
        Box::pin(async move {
            let concerned = organisations(events.iter().filter(|event| event.source != EventSource::TEST));
            if concerned.is_empty() {
                return Ok(Box::new(NoRules) as Box<dyn Rules>);
            }
            let routes = self.routes(reads, &concerned).await?;
            Ok(Box::new(Routes { routes, senders: self.senders.clone(), kinds: self.kinds.clone() }) as Box<dyn Rules>)
        })
    }
}

/// Routes of an organisation, in the order in which they decide.
struct Compiled {
    routes: Vec<(ReadyRoute, DestinationKind)>,
    /// Places of the routes that name a type, by it.
    by_type: HashMap<String, Vec<usize>>,
    /// Places of the routes with a pattern among their types.
    patterns: Vec<usize>,
}

impl Compiled {
    fn new(routes: Vec<(ReadyRoute, DestinationKind)>) -> Self {
        let (mut by_type, mut patterns): (HashMap<String, Vec<usize>>, Vec<usize>) = Default::default();
        for (place, (ReadyRoute { route, .. }, _)) in routes.iter().enumerate() {
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
    fn of_type(&self, kind: &str) -> Vec<&(ReadyRoute, DestinationKind)> {
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
    kinds: RuleKinds,
}

impl Rules for Routes {
    fn decide(&self, event: &Event) -> Vec<Decision> {
        let Some(compiled) = self.routes.get(&event.organisation_id) else { return Vec::new() };
        let view = View::new(event, &self.kinds);
        let decide = |(ready, kind): &(ReadyRoute, DestinationKind)| {
            let route = &ready.route;
            let (ruling, content) = match ready.matches(&view) {
                Match::Unconcerned(_) => return None,
                Match::Skipped(reason) => (Ruling::Skip(reason.into()), None),
                Match::Matched(made) => match &route.template {
                    None => {
                        (Ruling::Deliver, made.and_then(|(made_for, content)| (made_for == *kind).then_some(content)))
                    }
                    Some(template) => match self.content(kind, template, event) {
                        Ok(content) => (Ruling::Deliver, Some(content)),
                        Err(reason) => (Ruling::Fail(reason.into()), None),
                    },
                },
            };
            Some(Decision { to: Target::Id(route.destination_id), ruling, content, route_id: Some(route.id) })
        };
        compiled.of_type(&event.fact.kind).into_iter().filter_map(decide).collect()
    }
}

impl Routes {
    /// Returns the content by a template, or the reason for which there is none.
    fn content(&self, kind: &DestinationKind, template: &Template, event: &Event) -> Result<Content, String> {
        let senders = self.senders.get().and_then(WeakSenders::upgrade);
        senders.ok_or("the service is starting; replay this delivery")?.content(kind, template, event)
    }
}
