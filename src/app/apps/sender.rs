//! Senders to apps: published messages and ticks to an app, posted messages to the modifiers of their channel.
//!
//! Not here: the calls (`calls`), the way of a message through its channel (`messages`).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{Apps, calls::app_place, matcher::channel_place};
use crate::{
    app::{
        kernel::Base,
        pipeline::{
            sender::{Check, NewDestination, Prepared, Sender, Session, Skip, sessions},
            work::{Job, Work},
        },
    },
    domain::{
        Error, Result,
        apps::{self, call::is_callback_of},
        ids::{ChannelId, IntegrationId},
        pipeline::{
            delivery::{Content, Delivery},
            destination::{Destination, DestinationKind},
            event::Event,
            template::{Renderer, Template},
        },
    },
    store,
};

/// Sender to apps.
pub struct AppSender(pub Arc<Apps>);

impl Sender for AppSender {
    fn kind(&self) -> DestinationKind {
        apps::destination::APP
    }

    fn takes_any_event(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a self, wanted: &'a NewDestination) -> BoxFuture<'a, Result<Prepared>> {
        Box::pin(async move {
            wanted.without_options()?;
            let rule = || Error::invalid("/address", "must be the id of an installed app with a descriptor");
            let id: IntegrationId = wanted.address.parse().map_err(|_| rule())?;
            let reader = self.0.base.store.reader();
            match store::apps::installations::find_with_secrets(reader, wanted.organisation_id, id).await {
                Ok((app, _)) if app.descriptor.is_some() => Ok(app_place(id).into()),
                Ok(_) | Err(Error::NotFound { .. }) => Err(rule()),
                Err(error) => Err(error),
            }
        })
    }

    fn content(&self, template: &Template, event: &Event) -> Result<Content, String> {
        text_content(template, event)
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        sessions(destinations, |one| AppSession { apps: self.0.clone(), id: one.address.parse().ok() })
    }
}

struct AppSession {
    apps: Arc<Apps>,
    id: Option<IntegrationId>,
}

impl Session for AppSession {
    fn check<'a>(&'a self, delivery: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let is_callback = self.id.is_some_and(|id| is_callback_of(id, event));
        if event.fact.channel_id.is_none() && !is_callback {
            let is_action = event.fact.kind == apps::call::ACTION_CALLED;
            let reason = if is_action { apps::destination::ACTION } else { apps::destination::NO_CHANNEL };
            return Box::pin(async move { Ok(Check::Skip(Skip::failed(reason.text()))) });
        }
        let send = async move { Ok(self.apps.call_integration(self.id, delivery, event).await) };
        Box::pin(async { Ok(Check::Send(Box::pin(send))) })
    }
}

/// Returns the content of a message by a template.
fn text_content(template: &Template, event: &Event) -> Result<Content, String> {
    match template.render(Renderer::plain(), event)? {
        Value::String(text) => Ok(Content::of(&text)),
        _ => Err("a template for an app or a channel is a text".into()),
    }
}

/// Messages posted in channels, and events that routes send there: each goes through the channel's modifiers, and is
/// published.
pub struct PostedMessages(pub Arc<Apps>);

#[async_trait]
impl Work for PostedMessages {
    fn kind(&self) -> DestinationKind {
        apps::destination::CHANNEL
    }

    fn base(&self) -> &Base {
        &self.0.base
    }

    fn takes_any_event(&self) -> bool {
        true
    }

    async fn prepare(&self, wanted: &NewDestination) -> Result<Prepared> {
        wanted.without_options()?;
        let rule = || Error::invalid("/address", "must be the id of a channel that is not archived");
        let id: ChannelId = wanted.address.parse().map_err(|_| rule())?;
        let reader = self.0.base.store.reader();
        match store::channels::find(reader, wanted.organisation_id, id).await {
            Ok(channel) if channel.archived_at.is_none() => Ok(channel_place(id).into()),
            Ok(_) | Err(Error::NotFound { .. }) => Err(rule()),
            Err(error) => Err(error),
        }
    }

    fn content(&self, template: &Template, event: &Event) -> Result<Content, String> {
        text_content(template, event)
    }

    async fn run(&self, job: Job<'_>) -> Result<String> {
        match job.delivery.route_id {
            None => self.0.run_channel(job.event).await,
            Some(route_id) => self.0.post_routed(job, route_id).await,
        }
    }
}
