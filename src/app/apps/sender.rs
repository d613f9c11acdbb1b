//! Senders to apps: published messages and ticks to an app, posted messages to the modifiers of their channel.
//!
//! Not here: the calls (`calls`), the way of a message through its channel (`messages`).

use std::{sync::Arc, time::Instant};

use futures_util::future::BoxFuture;

use super::Apps;
use crate::{
    app::pipeline::sender::{Check, Sender, Session, outcome_of},
    domain::{
        Result,
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
        DestinationKind::Integration
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        let session = |destination: &&Destination| -> Box<dyn Session> {
            Box::new(AppSession { apps: self.0.clone(), id: destination.address.parse().ok() })
        };
        let sessions = destinations.iter().map(session).collect();
        Box::pin(async { Ok(sessions) })
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

/// Sender to channels: a message goes through the channel's modifiers, and is published.
pub struct ChannelSender(pub Arc<Apps>);

impl Sender for ChannelSender {
    fn kind(&self) -> DestinationKind {
        DestinationKind::Channel
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        let session = |_: &&Destination| -> Box<dyn Session> { Box::new(ChannelSession(self.0.clone())) };
        let sessions = destinations.iter().map(session).collect();
        Box::pin(async { Ok(sessions) })
    }
}

struct ChannelSession(Arc<Apps>);

impl Session for ChannelSession {
    fn check<'a>(&'a self, _: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let send = async move {
            let began = (self.0.base.now(), Instant::now());
            let result = self.0.run_channel(event).await;
            Ok(outcome_of(result, event.fact.data.to_string(), began))
        };
        Box::pin(async { Ok(Check::Send(Box::pin(send))) })
    }
}
