//! Runs of workflows that were asked for in Slack: checked and accepted here, once Slack has its answer.

use std::time::Instant;

use super::lane::Tried;
use crate::{
    app::App,
    domain::{Error, delivery::Verdict, event::Event},
};

/// The way of an asked-for run into the pipeline.
pub(super) struct WorkflowRunLane<'a> {
    app: &'a App,
}

impl<'a> WorkflowRunLane<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        Self { app }
    }

    /// Checks and accepts one run. Whatever is decided is told to the person; only what may pass is tried again.
    pub(super) async fn send(&mut self, event: &Event) -> Tried {
        let began = self.app.ambient().now();
        let timer = Instant::now();
        let outcome = self.app.run_workflow_from_slack(event).await;
        let (verdict, answer) = match outcome {
            Ok(said) => (Verdict::Delivered, Some(said)),
            Err(Error::Internal(cause)) => {
                tracing::error!(cause, "a run that was asked for in Slack could not be looked into");
                let reason = "something went wrong on our side; the log says what".into();
                (Verdict::Unreachable { reason }, None)
            }
            Err(Error::UpstreamUnavailable { retry_after: Some(retry_after), .. }) => {
                (Verdict::Throttled { retry_after }, None)
            }
            Err(error) => (Verdict::Unreachable { reason: error.to_string().into() }, None),
        };
        Tried {
            verdict,
            address: String::new(),
            request: event.fact.data.to_string(),
            answer,
            status_code: None,
            duration: timer.elapsed(),
            began,
        }
    }
}
