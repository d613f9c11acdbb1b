//! Sender of runs that members asked for in Slack: each is checked and accepted.
//!
//! Not here: the run itself (`runs`).

use std::{sync::Arc, time::Instant};

use futures_util::future::BoxFuture;

use super::Workflows;
use crate::{
    app::pipeline::sender::{Check, Sender, Session, outcome_of},
    domain::{
        Result,
        pipeline::{
            delivery::Delivery,
            destination::{Destination, DestinationKind},
            event::Event,
        },
    },
};

/// Sender of requested runs.
pub struct RunSender(pub Arc<Workflows>);

impl Sender for RunSender {
    fn kind(&self) -> DestinationKind {
        DestinationKind::WorkflowRun
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        let session = |_: &&Destination| -> Box<dyn Session> { Box::new(RunSession(self.0.clone())) };
        let sessions = destinations.iter().map(session).collect();
        Box::pin(async { Ok(sessions) })
    }
}

struct RunSession(Arc<Workflows>);

impl Session for RunSession {
    fn check<'a>(&'a self, _: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let send = async move {
            let began = (self.0.base.now(), Instant::now());
            let result = self.0.run_workflow_from_slack(event).await;
            Ok(outcome_of(result, event.fact.data.to_string(), began))
        };
        Box::pin(async { Ok(Check::Send(Box::pin(send))) })
    }
}
