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
    /// Lists all workflows of the organisation, by id.
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
    /// Returns one workflow with its parameters.
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
    /// Stores a workflow under its id. Members type the id after the slash command. A run that they start becomes an
    /// event of the type `workflow.run.requested`; the recipient of that event runs the workflow.
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
    /// Deletes a workflow, so that members can no longer start it.
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
