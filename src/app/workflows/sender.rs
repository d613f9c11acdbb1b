//! Sender of runs that members asked for in Slack: each is checked and accepted.
//!
//! Not here: the run itself (`runs`).

use std::sync::Arc;

use async_trait::async_trait;

use super::Workflows;
use crate::{
    app::{
        kernel::Base,
        pipeline::work::{Job, Work},
    },
    domain::{Result, pipeline::destination::DestinationKind, workflows},
};

/// Requested runs.
pub struct RequestedRuns(pub Arc<Workflows>);

#[async_trait]
impl Work for RequestedRuns {
    fn kind(&self) -> DestinationKind {
        workflows::RUN
    }

    fn base(&self) -> &Base {
        &self.0.base
    }

    async fn run(&self, job: Job<'_>) -> Result<String> {
        self.0.run_workflow_from_slack(job.event).await
    }
}
