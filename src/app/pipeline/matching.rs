//! Where accepted events go: by the Slack link's filters, by the channels' subscriptions, to outgoing webhooks, and
//! directly. Makes the deliveries, also those that are not sent, with the reason.

use std::{borrow::Cow, collections::HashMap};

use super::intake::Direct;
use crate::{
    app::webhooks::listening::Listening,
    domain::{
        Result,
        ambient::{Ambient, Time},
        github::{
            EVENT_PREFIX, GithubEvent,
            subscription::{Decision, Subscription},
        },
        ids::{ChannelId, DestinationId, OrganisationId},
        pipeline::{
            delivery::{Content, Delivery, DeliveryState, Reason},
            destination::{Destination, DestinationKind, channel_name},
            event::{Event, EventSource, MESSAGE_POSTED, MESSAGE_PUBLISHED},
        },
        slack::link::{Routing, SlackLink, SlackLinkStatus},
        webhooks::OutgoingEvent,
    },
    store::{self, Tx},
};

/// Routes the events of one transaction.
pub(in crate::app) struct Router<'a> {
    pub(in crate::app) tx: &'a Tx,
    pub(in crate::app) ambient: &'a Ambient,
    pub(in crate::app) now: Time,
}

/// What becomes of a delivery at the door. The content is kept in any case, for a replay.
struct Fate {
    verdict: Verdict,
    content: Option<Content>,
}

enum Verdict {
    Send,
    Skip(Cow<'static, str>),
    Fail(Cow<'static, str>),
}

type Links = HashMap<OrganisationId, (SlackLink, Destination)>;
/// The subscriptions of an organisation by where they send, in the order in which they were made.
type Subscriptions = HashMap<OrganisationId, Vec<(Destination, Vec<Subscription>)>>;

impl Router<'_> {
    /// The deliveries of these events, in their order. `directs` go with the events at their indexes.
    pub(in crate::app) async fn route(&self, events: &[Event], directs: Vec<(usize, Direct)>) -> Result<Vec<Delivery>> {
        let is_github = |event: &Event| event.source == EventSource::Github;
        let github = organisations(events.iter().filter(|event| is_github(event)));
        let linked =
            organisations(events.iter().filter(|event| SlackLink::is_concerned(&event.fact) || is_github(event)));
        let links = self.links(&linked).await?;
        let subscriptions = self.subscriptions(&github).await?;
        let listening = self.listening(events).await?;
        let mut busy = self.busy_channels(events).await?;
        busy.extend(listening.busy(events));
        let directs = with_webhooks(events, &listening, directs);
        let mut ensured = self.ensure(events, &busy, &directs).await?.into_iter();
        let mut directs = directs.into_iter().peekable();
        let mut deliveries = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            let link = links.get(&event.organisation_id);
            if let Some((link, destination)) = link
                && let Some(fate) = notified(link, event)
            {
                deliveries.push(self.delivery(event, destination, fate));
            }
            if is_github(event)
                && let Some(subscribed) = subscriptions.get(&event.organisation_id)
            {
                for (destination, fate) in told(event, link.map(|(link, _)| link), subscribed) {
                    deliveries.push(self.delivery(event, destination, fate));
                }
            }
            if posted_in(event, &busy).is_some()
                && let Some(destination) = ensured.next()
            {
                deliveries.push(self.delivery(event, &destination, Fate { verdict: Verdict::Send, content: None }));
            }
            while let Some((_, direct)) = directs.next_if(|(of, _)| *of == index) {
                let Some(destination) = ensured.next() else { break };
                let fate = Fate { verdict: Verdict::Send, content: direct.content };
                deliveries.push(self.delivery(event, &destination, fate));
            }
        }
        Ok(deliveries)
    }

    /// The outgoing webhooks that may hear of these events. What is published was matched when it was.
    async fn listening(&self, events: &[Event]) -> Result<Listening> {
        let concerns =
            |event: &&Event| event.fact.kind != MESSAGE_PUBLISHED && OutgoingEvent::of_kind(&event.fact.kind).is_some();
        let concerned = events.iter().filter(concerns);
        let of = organisations(concerned.clone());
        if of.is_empty() {
            return Ok(Listening::default());
        }
        let webhooks = store::webhooks::outgoing(self.tx, &of).await?;
        if webhooks.is_empty() {
            return Ok(Listening::default());
        }
        let mut channels: Vec<ChannelId> = concerned.filter_map(|event| event.fact.channel_id).collect();
        channels.sort_unstable();
        channels.dedup();
        let scenes = store::channels::scenes(self.tx, &of, &channels).await?;
        Ok(Listening::new(webhooks, scenes))
    }

    /// The channels in which messages were posted and integrations are switched on.
    async fn busy_channels(&self, events: &[Event]) -> Result<Vec<ChannelId>> {
        let posted = events.iter().filter(|event| event.fact.kind == MESSAGE_POSTED && event.fact.channel_id.is_some());
        let mut channels: Vec<ChannelId> = posted.clone().filter_map(|event| event.fact.channel_id).collect();
        channels.sort_unstable();
        channels.dedup();
        match channels.is_empty() {
            true => Ok(Vec::new()),
            false => store::apps::installations::busy(self.tx, &organisations(posted), &channels).await,
        }
    }

    async fn links(&self, organisations: &[OrganisationId]) -> Result<Links> {
        if organisations.is_empty() {
            return Ok(HashMap::new());
        }
        let links = store::slack::links::of_organisations(self.tx, organisations).await?;
        Ok(links.into_iter().map(|(link, destination)| (link.organisation_id, (link, destination))).collect())
    }

    async fn subscriptions(&self, organisations: &[OrganisationId]) -> Result<Subscriptions> {
        if organisations.is_empty() {
            return Ok(HashMap::new());
        }
        let mut by_organisation = Subscriptions::new();
        for (subscription, destination) in
            store::github::subscriptions::of_organisations(self.tx, organisations).await?
        {
            let of_one = by_organisation.entry(subscription.organisation_id).or_default();
            match of_one.iter_mut().find(|(known, _)| known.id == destination.id) {
                Some((_, subscriptions)) => subscriptions.push(subscription),
                None => of_one.push((destination, vec![subscription])),
            }
        }
        Ok(by_organisation)
    }

    /// The destinations that need not be there before: for each event its channel, where that is busy, and then where it
    /// goes directly.
    async fn ensure(
        &self,
        events: &[Event],
        busy: &[ChannelId],
        directs: &[(usize, Direct)],
    ) -> Result<Vec<Destination>> {
        let mut wanted = Vec::new();
        let mut directs = directs.iter().peekable();
        for (index, event) in events.iter().enumerate() {
            let mut want = |place| {
                let id: DestinationId = self.ambient.id();
                wanted.push(Destination::fresh(id, event.organisation_id, place, self.now));
            };
            if let Some(channel_id) = posted_in(event, busy) {
                let name = channel_name(channel_id);
                want((DestinationKind::Channel, name.clone(), name));
            }
            while let Some((_, Direct { kind, name, address, .. })) = directs.next_if(|(of, _)| *of == index) {
                want((*kind, name.clone(), address.clone()));
            }
        }
        store::pipeline::destinations::ensure_all(self.tx, &wanted).await
    }

    fn delivery(&self, event: &Event, destination: &Destination, fate: Fate) -> Delivery {
        let Fate { verdict, content } = fate;
        let (state, reason) = match verdict {
            Verdict::Skip(reason) => (DeliveryState::Skipped, Some(reason.into_owned())),
            Verdict::Fail(reason) => (DeliveryState::Failed, Some(reason.into_owned())),
            Verdict::Send => match destination.health.refusal(self.now) {
                None => (DeliveryState::Pending, None),
                Some(reason) => (DeliveryState::Failed, Some(reason.to_owned())),
            },
        };
        let pending = state == DeliveryState::Pending;
        Delivery {
            id: self.ambient.id(),
            organisation_id: event.organisation_id,
            event_id: event.id,
            destination_id: destination.id,
            state,
            reason,
            content,
            attempts: 0,
            next_attempt_at: pending.then_some(self.now),
            completed_at: (!pending).then_some(self.now),
            created_at: self.now,
        }
    }
}

/// Where events go directly, and to outgoing webhooks, in the order of the events.
fn with_webhooks(events: &[Event], listening: &Listening, directs: Vec<(usize, Direct)>) -> Vec<(usize, Direct)> {
    let mut all = directs;
    for (index, event) in events.iter().enumerate() {
        all.extend(listening.called_at_the_door(event).into_iter().map(|direct| (index, direct)));
    }
    all.sort_by_key(|(index, _)| *index);
    all
}

/// The busy channel that a message was posted in.
fn posted_in(event: &Event, busy: &[ChannelId]) -> Option<ChannelId> {
    event.fact.channel_id.filter(|id| event.fact.kind == MESSAGE_POSTED && busy.contains(id))
}

fn organisations<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<OrganisationId> {
    let mut ids: Vec<OrganisationId> = events.map(|event| event.organisation_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What an event means for the Slack link's own channel.
fn notified(link: &SlackLink, event: &Event) -> Option<Fate> {
    let verdict = match link.route(&event.fact) {
        Routing::Ignore => return None,
        Routing::Skip(reason) => Verdict::Skip(reason.text().into()),
        Routing::Fail(reason) => Verdict::Fail(reason.text().into()),
        Routing::Send => Verdict::Send,
    };
    Some(Fate { verdict, content: None })
}

/// What an event of GitHub's means for each subscribed channel. One message a channel, whichever subscription wants it.
fn told<'a>(
    event: &Event,
    link: Option<&SlackLink>,
    subscribed: &'a [(Destination, Vec<Subscription>)],
) -> Vec<(&'a Destination, Fate)> {
    let name = event.fact.kind.strip_prefix(EVENT_PREFIX).unwrap_or_default();
    let Some(github) = GithubEvent::read(name, &event.fact.data) else { return Vec::new() };
    let fate = |(destination, subscriptions): &'a (Destination, Vec<Subscription>)| {
        let mut reasons: Vec<Cow<'static, str>> = Vec::new();
        for subscription in subscriptions {
            match subscription.decide(&github) {
                Decision::Ignore => {}
                Decision::Skip(reason) => reasons.push(reason),
                Decision::Send(content) => return Some((destination, allowed(link, content))),
            }
        }
        reasons.dedup();
        let reason = reasons.join("; ");
        let fate = Fate { verdict: Verdict::Skip(reason.into()), content: None };
        (!reasons.is_empty()).then_some((destination, fate))
    };
    subscribed.iter().filter_map(fate).collect()
}

/// What somebody wants to be told, as far as Slack is connected.
fn allowed(link: Option<&SlackLink>, content: Content) -> Fate {
    let verdict = match link.map(|link| link.status) {
        Some(SlackLinkStatus::Active) => Verdict::Send,
        Some(SlackLinkStatus::Paused) => Verdict::Skip(Reason::LinkPaused.text().into()),
        Some(SlackLinkStatus::Disconnected) => Verdict::Fail(Reason::LinkDisconnected.text().into()),
        None => Verdict::Fail(Reason::LinkDeleted.text().into()),
    };
    Fate { verdict, content: Some(content) }
}
