//! Which outgoing webhooks hear of an event, and where they are called.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

use crate::{
    app::{pipeline::intake::Direct, tenancy::credential::sha256},
    domain::{
        channels::message::Message,
        ids::{ChannelId, IntegrationId, OrganisationId},
        pipeline::{
            destination::{DestinationKind, webhook_name},
            event::{Event, MESSAGE_POSTED, MESSAGE_PUBLISHED},
        },
        webhooks::{OutgoingEvent, Webhook, trigger::Scene},
    },
};

/// The outgoing webhooks of some organisations, and the channels in which something happened.
#[derive(Default)]
pub(in crate::app) struct Listening {
    webhooks: HashMap<OrganisationId, Vec<Webhook>>,
    scenes: HashMap<ChannelId, Scene>,
}

impl Listening {
    pub(in crate::app) fn new(webhooks: Vec<Webhook>, scenes: Vec<Scene>) -> Self {
        let mut by_organisation: HashMap<OrganisationId, Vec<Webhook>> = HashMap::new();
        for webhook in webhooks {
            by_organisation.entry(webhook.organisation_id).or_default().push(webhook);
        }
        let scenes = scenes.into_iter().map(|scene| (scene.id, scene)).collect();
        Self { webhooks: by_organisation, scenes }
    }

    /// The channels in which somebody hears of messages, of those that were posted.
    pub(in crate::app) fn busy(&self, events: &[Event]) -> Vec<ChannelId> {
        let posted = events.iter().filter(|event| event.fact.kind == MESSAGE_POSTED);
        let heard = posted.filter(|event| {
            let sender = Message::read(&event.fact.data).user;
            let scene = self.scene(event);
            let of = self.of(event).iter();
            of.map(|one| one.listens(OutgoingEvent::SendMessage, scene, sender.as_ref())).any(|heard| heard.is_some())
        });
        heard.filter_map(|event| event.fact.channel_id).collect()
    }

    /// Where an event goes at the door. A message has its channel's modifiers before it, and goes when it is published.
    pub(in crate::app) fn called_at_the_door(&self, event: &Event) -> Vec<Direct> {
        match event.fact.kind.as_str() {
            MESSAGE_POSTED | MESSAGE_PUBLISHED => Vec::new(),
            _ => self.called(event),
        }
    }

    /// Where an event goes: each URL of each webhook that hears of it.
    pub(in crate::app) fn called(&self, event: &Event) -> Vec<Direct> {
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
                called.extend(urls.map(|url| direct(webhook.id, url)));
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

/// The way to a URL of a webhook.
fn direct(id: IntegrationId, url: &str) -> Direct {
    let mut fingerprint = String::with_capacity(16);
    for byte in &sha256(url.as_bytes())[..8] {
        // Writing to a String cannot fail.
        let _ = write!(fingerprint, "{byte:02x}");
    }
    let name = webhook_name(id, &fingerprint);
    Direct { kind: DestinationKind::OutgoingWebhook, name, address: url.to_owned(), content: None }
}
