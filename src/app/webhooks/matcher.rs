//! Rules of outgoing webhooks: each of their URLs is called for the events that trigger them.
//!
//! Not here: the triggers themselves (`domain::webhooks::trigger`), the calls (`outgoing`).

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;

use crate::{
    app::{
        apps::matcher::channel_place,
        pipeline::matcher::{Decision, Matcher, NoRules, Place, Rules, organisations},
        tenancy::credential::{hex, sha256},
    },
    domain::{
        Result,
        channels::{event::MESSAGE_POSTED, message::Message},
        ids::{ChannelId, IntegrationId, OrganisationId, RouteId},
        pipeline::event::Event,
        webhooks::{OutgoingEvent, Webhook, destination, trigger::Scene},
    },
    store::{self, Reads},
};

/// Rules of outgoing webhooks.
pub struct WebhookMatcher;

impl Matcher for WebhookMatcher {
    fn load<'a>(&'a self, reads: Reads<'a>, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>> {
        Box::pin(async move {
            let concerned = events.iter().filter(|event| OutgoingEvent::of_kind(&event.fact.kind).is_some());
            let of = organisations(concerned.clone());
            let webhooks = if of.is_empty() { Vec::new() } else { store::webhooks::outgoing(&reads, &of).await? };
            if webhooks.is_empty() {
                return Ok(Box::new(NoRules) as Box<dyn Rules>);
            }
            let mut channels: Vec<ChannelId> = concerned.filter_map(|event| event.fact.channel_id).collect();
            channels.sort_unstable();
            channels.dedup();
            let scenes = store::channels::scenes(&reads, &of, &channels).await?;
            Ok(Box::new(Subscribers::new(webhooks, scenes)) as Box<dyn Rules>)
        })
    }
}

/// The outgoing webhooks of some organisations, and the channels of their events.
struct Subscribers {
    webhooks: HashMap<OrganisationId, Vec<Webhook>>,
    scenes: HashMap<ChannelId, Scene>,
}

impl Rules for Subscribers {
    fn decide(&self, event: &Event) -> Vec<Decision> {
        match event.fact.kind.as_str() {
            // A message goes through its channel first, and webhooks are called when it is published.
            MESSAGE_POSTED => {
                self.is_heard(event).map(|channel| Decision::deliver(channel_place(channel))).into_iter().collect()
            }
            _ => self.called(event),
        }
    }
}

impl Subscribers {
    fn new(webhooks: Vec<Webhook>, scenes: Vec<Scene>) -> Self {
        let mut by_organisation: HashMap<OrganisationId, Vec<Webhook>> = HashMap::new();
        for webhook in webhooks {
            by_organisation.entry(webhook.organisation_id).or_default().push(webhook);
        }
        let scenes = scenes.into_iter().map(|scene| (scene.id, scene)).collect();
        Self { webhooks: by_organisation, scenes }
    }

    /// Returns the channel of a posted message if a webhook subscribes to messages there.
    fn is_heard(&self, event: &Event) -> Option<ChannelId> {
        let (sender, scene) = (Message::read(&event.fact.data).user, self.scene(event));
        let listens = |one: &Webhook| one.listens(OutgoingEvent::SendMessage, scene, sender.as_ref()).is_some();
        event.fact.channel_id.filter(|_| self.of(event).iter().any(listens))
    }

    /// Decides on an event: each URL of each webhook that it triggers is called.
    fn called(&self, event: &Event) -> Vec<Decision> {
        let Some(kind) = OutgoingEvent::of_kind(&event.fact.kind) else { return Vec::new() };
        let webhooks = self.of(event);
        if webhooks.is_empty() {
            return Vec::new();
        }
        let message = Message::read(&event.fact.data);
        let mut called = Vec::new();
        for webhook in webhooks {
            let Some(outgoing) = webhook.listens(kind, self.scene(event), message.user.as_ref()) else { continue };
            if webhook.triggered(outgoing, &message).is_some() {
                let mut known = HashSet::new();
                let urls = outgoing.urls.iter().filter(|url| known.insert(*url));
                let route_id = Some(RouteId(webhook.id.0));
                called.extend(urls.map(|url| Decision { route_id, ..Decision::deliver(place(webhook.id, url)) }));
            }
        }
        called
    }

    fn of(&self, event: &Event) -> &[Webhook] {
        self.webhooks.get(&event.organisation_id).map_or(&[], Vec::as_slice)
    }

    fn scene(&self, event: &Event) -> Option<&Scene> {
        self.scenes.get(&event.fact.channel_id?)
    }
}

/// Returns the destination of a URL of a webhook.
fn place(id: IntegrationId, url: &str) -> Place {
    let fingerprint = hex(&sha256(url.as_bytes())[..8]);
    let name = destination::url_name(id, &fingerprint);
    Place { kind: destination::OUTGOING, name, address: url.to_owned() }
}
