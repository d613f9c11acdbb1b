//! Workflows that members may run from Slack.

use poem_openapi::{OpenApi, param::Path, payload::Json};

use super::{
    Answer, Done, Refused, Tag,
    wire::{WorkflowIn, WorkflowOut, WorkflowsOut},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::workflows,
};

/// The operations.
pub struct Workflows;

#[OpenApi(tag = "Tag::Workflows")]
impl Workflows {
    /// List workflows
    ///
    /// All of them, by their ids.
    #[oai(path = "/v1/workflows", method = "get", operation_id = "listWorkflows")]
    async fn list_workflows(
        &self,
        workflows: Service<'_, workflows::Workflows>,
        caller: Bearer,
    ) -> Answer<WorkflowsOut> {
        let workflows = workflows.list_workflows(&caller.0).await?;
        Ok(Json(WorkflowsOut { data: workflows.into_iter().map(Into::into).collect() }))
    }

    /// Get a workflow
    ///
    /// Tells the rule by which pull requests are told of.
    #[oai(path = "/v1/workflows/:id", method = "get", operation_id = "getWorkflow")]
    async fn get_workflow(
        &self,
        workflows: Service<'_, workflows::Workflows>,
        caller: Bearer,
        /// The workflow's id.
        id: Path<String>,
    ) -> Answer<WorkflowOut> {
        Ok(Json(workflows.get_workflow(&caller.0, &id.0).await?.into()))
    }

    /// Create or replace a workflow
    ///
    /// Members type its id after the slash command. A run that they ask for becomes an event of the type
    /// `workflow.run.requested`; what runs is up to whoever receives it.
    #[oai(path = "/v1/workflows/:id", method = "put", operation_id = "putWorkflow")]
    async fn put_workflow(
        &self,
        workflows: Service<'_, workflows::Workflows>,
        caller: Bearer,
        /// The workflow's id.
        id: Path<String>,
        body: Body<WorkflowIn>,
    ) -> Answer<WorkflowOut> {
        Ok(Json(workflows.put_workflow(&caller.0, body.value.named(id.0)).await?.into()))
    }

    /// Delete a workflow
    ///
    /// Pull requests are told of as they are without a rule.
    #[oai(path = "/v1/workflows/:id", method = "delete", operation_id = "deleteWorkflow")]
    async fn delete_workflow(
        &self,
        workflows: Service<'_, workflows::Workflows>,
        caller: Bearer,
        /// The workflow's id.
        id: Path<String>,
    ) -> Result<Done, Refused> {
        workflows.delete_workflow(&caller.0, &id.0).await?;
        Ok(Done::Done)
    }
}
