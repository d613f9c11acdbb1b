//! Rules of apps in channels: a posted message goes through the channel's modifiers before it is published.
//!
//! Not here: the modifiers (`messages`).

use futures_util::future::BoxFuture;

use crate::{
    app::pipeline::matcher::{Decision, Matcher, NoRules, Place, Rules, organisations},
    domain::{Result, apps::destination, channels::event::MESSAGE_POSTED, ids::ChannelId, pipeline::event::Event},
    store::{self, Reads},
};

/// Rules of apps in channels.
pub struct ChannelMatcher;

impl Matcher for ChannelMatcher {
    fn load<'a>(&'a self, reads: Reads<'a>, events: &'a [Event]) -> BoxFuture<'a, Result<Box<dyn Rules>>> {
        Box::pin(async move {
            let posted = events.iter().filter(|event| posted_in(event).is_some());
            let mut channels: Vec<ChannelId> = posted.clone().filter_map(posted_in).collect();
            channels.sort_unstable();
            channels.dedup();
            if channels.is_empty() {
                return Ok(Box::new(NoRules) as Box<dyn Rules>);
            }
            let active = store::apps::installations::busy(&reads, &organisations(posted), &channels).await?;
            Ok(Box::new(ChannelsWithActiveApps(active)) as Box<dyn Rules>)
        })
    }
}

struct ChannelsWithActiveApps(Vec<ChannelId>);

impl Rules for ChannelsWithActiveApps {
    fn decide(&self, event: &Event) -> Vec<Decision> {
        let channel = posted_in(event).filter(|channel| self.0.contains(channel));
        channel.map(|channel| Decision::deliver(channel_place(channel))).into_iter().collect()
    }
}

/// Returns the channel in which a message was posted.
fn posted_in(event: &Event) -> Option<ChannelId> {
    event.fact.channel_id.filter(|_| event.fact.kind == MESSAGE_POSTED)
}

/// Returns the destination of messages that go through a channel.
pub(in crate::app) fn channel_place(channel: ChannelId) -> Place {
    let name = destination::channel_name(channel);
    Place { kind: destination::CHANNEL, address: name.clone(), name }
}
