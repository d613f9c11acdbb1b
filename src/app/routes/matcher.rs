//! Rules of routes: events that match go to the destination of the route.
//!
//! Not here: the rules of one route (`domain::routes::route`).

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::{
    app::pipeline::matcher::{Decision, Matcher, Rules, Ruling, Target, organisations},
    domain::{
        Result,
        ids::OrganisationId,
        pipeline::{destination::Destination, event::Event},
        routes::route::Route,
    },
    store::{self, Tx},
};

/// Rules of routes.
pub struct RouteMatcher;

impl Matcher for RouteMatcher {
    fn load<'a>(&'a self, tx: &'a Tx, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>> {
        Box::pin(async move {
            let mut routes: HashMap<OrganisationId, Vec<(Route, Destination)>> = HashMap::new();
            for (route, to) in store::routes::of_organisations(tx, &organisations(events.iter())).await? {
                routes.entry(route.organisation_id).or_default().push((route, to));
            }
            Ok(Box::new(Routes(routes)) as Box<dyn Rules>)
        })
    }
}

struct Routes(HashMap<OrganisationId, Vec<(Route, Destination)>>);

impl Rules for Routes {
    fn decide(&self, event: &Event) -> Vec<Decision> {
        let routes = self.0.get(&event.organisation_id).into_iter().flatten();
        let matching = routes.filter(|(route, _)| route.matches(event));
        let deliver =
            |to: &Destination| Decision { to: Target::Known(to.clone()), ruling: Ruling::Deliver, content: None };
        matching.map(|(_, to)| deliver(to)).collect()
    }
}
