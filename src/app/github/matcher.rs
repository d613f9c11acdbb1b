//! Rules of subscriptions: GitHub events go to the Slack channels that subscribed to them.
//!
//! Not here: the rules of one subscription (`domain::github::subscription`).

use std::{borrow::Cow, collections::HashMap};

use futures_util::future::BoxFuture;

use crate::{
    app::pipeline::matcher::{Decision, Matcher, NoRules, Rules, Ruling, Target, organisations},
    domain::{
        Result,
        github::{
            self, EVENT_PREFIX, GithubEvent,
            subscription::{Decision as Decided, Subscription},
        },
        ids::OrganisationId,
        pipeline::{delivery::Content, destination::Destination, event::Event},
        slack::{
            link::{SlackLink, SlackLinkStatus},
            reason,
        },
    },
    store::{self, Tx},
};

/// Rules of subscriptions.
pub struct SubscriptionMatcher;

/// The subscriptions of an organisation by destination, in the order of their creation.
type Subscribed = Vec<(Destination, Vec<Subscription>)>;

impl Matcher for SubscriptionMatcher {
    fn load<'a>(&'a self, tx: &'a Tx, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>> {
        Box::pin(async move {
            let concerned = organisations(events.iter().filter(|event| event.source == github::SOURCE));
            if concerned.is_empty() {
                return Ok(Box::new(NoRules) as Box<dyn Rules>);
            }
            let mut subscribed: HashMap<OrganisationId, Subscribed> = HashMap::new();
            for (subscription, to) in store::github::subscriptions::of_organisations(tx, &concerned).await? {
                let of_one = subscribed.entry(subscription.organisation_id).or_default();
                match of_one.iter_mut().find(|(known, _)| known.id == to.id) {
                    Some((_, subscriptions)) => subscriptions.push(subscription),
                    None => of_one.push((to, vec![subscription])),
                }
            }
            if subscribed.is_empty() {
                return Ok(Box::new(NoRules) as Box<dyn Rules>);
            }
            let links = store::slack::links::of_organisations(tx, &concerned).await?;
            let links = links.into_iter().map(|(link, _)| (link.organisation_id, link)).collect();
            Ok(Box::new(Subscriptions { subscribed, links }) as Box<dyn Rules>)
        })
    }
}

struct Subscriptions {
    subscribed: HashMap<OrganisationId, Subscribed>,
    links: HashMap<OrganisationId, SlackLink>,
}

impl Rules for Subscriptions {
    /// One message for each channel, by the first of its subscriptions that lets the event through.
    fn decide(&self, event: &Event) -> Vec<Decision> {
        let subscribed = self.subscribed.get(&event.organisation_id).filter(|_| event.source == github::SOURCE);
        let Some(subscribed) = subscribed else { return Vec::new() };
        let name = event.fact.kind.strip_prefix(EVENT_PREFIX).unwrap_or_default();
        let Some(github) = GithubEvent::read(name, &event.fact.data) else { return Vec::new() };
        let link = self.links.get(&event.organisation_id);
        let decide = |(to, subscriptions): &(Destination, Vec<Subscription>)| {
            let to = || Target::Known(to.clone());
            let mut reasons: Vec<Cow<'static, str>> = Vec::new();
            for subscription in subscriptions {
                match subscription.decide(&github) {
                    Decided::Ignore => {}
                    Decided::Skip(reason) => reasons.push(reason),
                    Decided::Send(content) => {
                        return Some(Decision {
                            to: to(),
                            ruling: connected(link),
                            content: Some(Content::of(&content)),
                            route_id: None,
                        });
                    }
                }
            }
            reasons.dedup();
            let ruling = || Ruling::Skip(reasons.join("; ").into());
            let skip = || Decision { to: to(), ruling: ruling(), content: None, route_id: None };
            (!reasons.is_empty()).then(skip)
        };
        subscribed.iter().filter_map(decide).collect()
    }
}

/// Returns the ruling on a notification by the state of the Slack connection.
fn connected(link: Option<&SlackLink>) -> Ruling {
    match link.map(|link| link.status) {
        Some(SlackLinkStatus::Active) => Ruling::Deliver,
        Some(SlackLinkStatus::Paused) => Ruling::Skip(reason::PAUSED.text().into()),
        Some(SlackLinkStatus::Disconnected) => Ruling::Fail(reason::DISCONNECTED.text().into()),
        None => Ruling::Fail(reason::DELETED.text().into()),
    }
}
