//! Rules of Slack links: completed steps of workflows go to the channel of the link.
//!
//! Not here: the filters themselves (`domain::slack::link`).

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::{
    app::pipeline::matcher::{Decision, Matcher, NoRules, Rules, Ruling, Target, organisations},
    domain::{
        Result,
        ids::{OrganisationId, RouteId},
        pipeline::{destination::Destination, event::Event},
        slack::link::{Routing, SlackLink},
    },
    store::{self, Reads},
};

/// Rules of Slack links.
pub struct LinkMatcher;

impl Matcher for LinkMatcher {
    fn load<'a>(&'a self, reads: Reads<'a>, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>> {
        Box::pin(async move {
            let concerned = organisations(events.iter().filter(|event| SlackLink::is_concerned(&event.fact)));
            if concerned.is_empty() {
                return Ok(Box::new(NoRules) as Box<dyn Rules>);
            }
            let links = store::slack::links::of_organisations(&reads, &concerned).await?;
            let by_organisation = links.into_iter().map(|(link, to)| (link.organisation_id, (link, to))).collect();
            Ok(Box::new(Links(by_organisation)) as Box<dyn Rules>)
        })
    }
}

struct Links(HashMap<OrganisationId, (SlackLink, Destination)>);

impl Rules for Links {
    fn decide(&self, event: &Event) -> Vec<Decision> {
        let Some((link, destination)) = self.0.get(&event.organisation_id) else { return Vec::new() };
        let ruling = match link.route(&event.fact) {
            Routing::Ignore => return Vec::new(),
            Routing::Skip(reason) => Ruling::Skip(reason.text().into()),
            Routing::Fail(reason) => Ruling::Fail(reason.text().into()),
            Routing::Send => Ruling::Deliver,
        };
        let route_id = Some(RouteId(link.id.0));
        vec![Decision { to: Target::Known(destination.clone()), ruling, content: None, route_id }]
    }
}
