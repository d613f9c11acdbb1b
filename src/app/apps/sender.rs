//! Senders to apps: published messages and ticks to an app, posted messages to the modifiers of their channel.
//!
//! Not here: the calls (`calls`), the way of a message through its channel (`messages`).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::Apps;
use crate::{
    app::{
        kernel::Base,
        pipeline::{
            sender::{Check, Sender, Session, sessions},
            work::Work,
        },
    },
    domain::{
        Result, apps,
        ids::IntegrationId,
        pipeline::{
            delivery::Delivery,
            destination::{Destination, DestinationKind},
            event::Event,
        },
    },
};

/// Sender to apps.
pub struct AppSender(pub Arc<Apps>);

impl Sender for AppSender {
    fn kind(&self) -> DestinationKind {
        apps::destination::APP
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
        let send = async move { Ok(self.apps.call_integration(self.id, delivery, event).await) };
        Box::pin(async { Ok(Check::Send(Box::pin(send))) })
    }
}

/// Messages posted in channels: each goes through the channel's modifiers, and is published.
pub struct PostedMessages(pub Arc<Apps>);

#[async_trait]
impl Work for PostedMessages {
    fn kind(&self) -> DestinationKind {
        apps::destination::CHANNEL
    }

    fn base(&self) -> &Base {
        &self.0.base
    }

    async fn run(&self, event: &Event) -> Result<String> {
        self.0.run_channel(event).await
    }
}
