//! Workflows that members run from Slack. They run in the product; this service knows their names and parameters.
//!
//! Not here: commands (`commands`) and runs (`runs`).

pub mod commands;
pub mod runs;
pub mod sender;

use std::sync::Arc;

use serde_json::json;

use super::{Caller, kernel::Base, pipeline::Pipeline, slack::SlackConnections};
use crate::{
    domain::{
        Error, Result,
        error::Noun,
        product::Product,
        tenancy::member::Permission,
        workflows::{Workflow, WorkflowParameter},
    },
    store,
};

/// Service of workflows, which members run from Slack.
#[derive(Clone)]
pub struct Workflows {
    base: Base,
    pipeline: Arc<Pipeline>,
    slack: Arc<SlackConnections>,
    product: Product,
}

impl Workflows {
    /// Creates the service.
    pub fn new(base: Base, pipeline: Arc<Pipeline>, slack: Arc<SlackConnections>, product: Product) -> Self {
        Self { base, pipeline, slack, product }
    }
}

/// Largest number of workflows of an organisation.
pub const MOST_WORKFLOWS: usize = 500;

/// A workflow to be created or replaced.
#[derive(Clone, Debug)]
pub struct NewWorkflow {
    /// Identifier, typed in Slack.
    pub id: String,
    /// Name.
    pub name: String,
    /// Purpose, in a sentence.
    pub summary: String,
    /// Parameters to be filled in.
    pub parameters: Vec<WorkflowParameter>,
}

impl Workflows {
    /// Lists the workflows of the organisation, by their ids.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_workflows(&self, caller: &Caller) -> Result<Vec<Workflow>> {
        caller.require(Permission::WorkflowsRead)?;
        store::workflows::list(self.base.store.reader(), caller.organisation_id).await
    }

    /// Returns a workflow.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_workflow(&self, caller: &Caller, id: &str) -> Result<Workflow> {
        caller.require(Permission::WorkflowsRead)?;
        store::workflows::find(self.base.store.reader(), caller.organisation_id, id).await
    }

    /// Creates a workflow, or replaces the one with its id.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::Conflict`] where there are too many.
    pub async fn put_workflow(&self, caller: &Caller, new: NewWorkflow) -> Result<Workflow> {
        caller.require(Permission::WorkflowsManage)?;
        let now = self.base.now();
        let NewWorkflow { id, name, summary, parameters } = new;
        let mut workflow = Workflow { id, name, summary, parameters, created_at: now, updated_at: now };
        workflow.check()?;
        let tx = self.base.store.begin().await?;
        let known = store::workflows::list(&tx, caller.organisation_id).await?;
        match known.iter().find(|known| known.id == workflow.id) {
            Some(former) => workflow.created_at = former.created_at,
            None if known.len() >= MOST_WORKFLOWS => {
                let message = format!("an organisation has at most {MOST_WORKFLOWS} workflows; delete one first");
                return Err(Error::Conflict { noun: Noun::Workflow, message });
            }
            None => {}
        }
        store::workflows::put(&tx, caller.organisation_id, &workflow).await?;
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "workflow.put", &workflow.id, json!({"name": workflow.name})).await?;
        tx.commit().await?;
        Ok(workflow)
    }

    /// Deletes a workflow.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn delete_workflow(&self, caller: &Caller, id: &str) -> Result<()> {
        caller.require(Permission::WorkflowsManage)?;
        let tx = self.base.store.begin().await?;
        store::workflows::delete(&tx, caller.organisation_id, id).await?;
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "workflow.delete", id, json!({})).await?;
        tx.commit().await
    }
}
