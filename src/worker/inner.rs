//! What we do ourselves with an event once whoever sent it has their answer: a run that was asked for in Slack is checked
//! and accepted, a message goes through the modifiers of its channel.

use std::time::Instant;

use super::lane::Tried;
use crate::{
    app::Services,
    domain::{
        Error,
        pipeline::{delivery::Verdict, event::Event},
    },
};

/// What is done.
pub(super) enum Work {
    /// A run is checked and accepted. Whatever is decided is told to the person.
    WorkflowRun,
    /// A message goes through its channel.
    Channel,
    /// A request to an incoming webhook, kept while scripts were busy, is worked on.
    IncomingWebhook,
}

/// The way of an event further into the pipeline.
pub(super) struct InnerLane<'a> {
    app: &'a Services,
    work: Work,
}

impl<'a> InnerLane<'a> {
    pub(super) fn new(app: &'a Services, work: Work) -> Self {
        Self { app, work }
    }

    /// Does it once; only what may pass is tried again.
    pub(super) async fn send(&mut self, event: &Event) -> Tried {
        let began = self.app.base.ambient().now();
        let timer = Instant::now();
        let outcome = match self.work {
            Work::WorkflowRun => self.app.workflows.run_workflow_from_slack(event).await,
            Work::Channel => self.app.apps.run_channel(event).await,
            Work::IncomingWebhook => self.app.webhooks.work_on_kept_hook(event).await,
        };
        let (verdict, answer) = match outcome {
            Ok(said) => (Verdict::Delivered, Some(said)),
            Err(Error::Internal(cause)) => {
                tracing::error!(cause, "an event could not be worked on");
                let reason = "something went wrong on our side; the log says what".into();
                (Verdict::Unreachable { reason }, None)
            }
            Err(Error::UpstreamUnavailable { retry_after: Some(retry_after), .. }) => {
                (Verdict::Throttled { retry_after }, None)
            }
            Err(Error::Webhook(refusal)) => (Verdict::MessageRefused { reason: refusal.to_string() }, None),
            Err(error) => (Verdict::Unreachable { reason: error.to_string().into() }, None),
        };
        Tried {
            verdict,
            address: String::new(),
            request: match self.work {
                Work::WorkflowRun | Work::Channel => event.fact.data.to_string(),
                // Sealed: it says nothing to anybody.
                Work::IncomingWebhook => String::new(),
            },
            answer,
            detail: None,
            history_of: None,
            status_code: None,
            duration: timer.elapsed(),
            began,
        }
    }
}
