//! The slash command by which a member runs a workflow: by its id, or chosen from a list.
//!
//! Not here: the run itself (`runs`), the dispatch of commands (`slack::commands`).

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Workflows;
use crate::{
    app::{
        Caller,
        pipeline::{intake::NewEvent, matcher::Place, outbox::Planned},
        slack::{
            commands::{Answer, Command},
            inbound::{IDEMPOTENCY_LIFETIME, RUN_SUBMITTED, idempotency, new_event},
        },
    },
    domain::{
        Error, Result,
        error::Noun,
        slack::{link::SlackLink, modal},
        tenancy::member::Permission,
        workflows,
    },
    provider::slack::inbound::{Choice, SlashCommand, ViewSubmission},
    store::{self, slack::links::StoredSlackLink},
};

#[async_trait]
impl Command for Workflows {
    fn help(&self) -> &'static [(&'static str, &'static str)] {
        &[("", "offers the workflows to choose from"), ("ID", "asks for what the workflow needs to know, and runs it")]
    }

    async fn answer(&self, stored: &StoredSlackLink, command: &SlashCommand) -> Result<Option<Answer>> {
        let (text, user_id) = (command.text.trim(), &command.user_id);
        let view = match text.is_empty() {
            true => Some(self.pick_modal(stored, user_id, &command.command).await?),
            false => self.run_modal(stored, user_id, text, &command.command).await?,
        };
        Ok(view.map(Answer::Modal))
    }

    /// A submitted run is kept before Slack has its answer, and looked into afterwards.
    async fn submit(&self, stored: &StoredSlackLink, submission: &ViewSubmission) -> Result<Option<Value>> {
        match submission.callback_id.as_str() {
            modal::RUN_CALLBACK => self.submit_run(&stored.link, submission).await,
            _ => Ok(None),
        }
    }

    /// A chosen workflow is asked for as if its id had been typed.
    async fn choose(&self, stored: &StoredSlackLink, choice: &Choice) -> Result<Option<Value>> {
        if choice.callback_id != modal::PICK_CALLBACK {
            return Ok(None);
        }
        let view = self.run_modal(stored, &choice.user_id, &choice.value, &choice.private_metadata).await?;
        Ok(view.or_else(|| Some(modal::not_runnable_modal(Some(&choice.value)))))
    }
}

impl Workflows {
    /// Returns the modal that a workflow's id asks for: the workflow to confirm, or why it is not; `None` without such
    /// a workflow.
    async fn run_modal(
        &self,
        stored: &StoredSlackLink,
        slack_user_id: &str,
        workflow_id: &str,
        command: &str,
    ) -> Result<Option<Value>> {
        match self.runnable_from_slack(stored, slack_user_id, workflow_id).await {
            Ok(run) => Ok(Some(modal::run_modal(&run.workflow, command))),
            Err(Error::NotFound { noun: Noun::Workflow, .. }) => Ok(None),
            Err(Error::NotFound { .. } | Error::Forbidden { .. }) => {
                Ok(Some(modal::not_runnable_modal(Some(workflow_id))))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the modal with the workflows that a member may choose from.
    async fn pick_modal(&self, stored: &StoredSlackLink, slack_user_id: &str, command: &str) -> Result<Value> {
        let member = match self.slack.member_in_slack(stored, slack_user_id).await {
            Err(Error::NotFound { .. }) => return Ok(modal::not_runnable_modal(None)),
            member => member?,
        };
        if !Caller::member(&member, None).may(Permission::WorkflowsRun) {
            return Ok(modal::not_runnable_modal(None));
        }
        let workflows = store::workflows::list(self.base.store.reader(), stored.link.organisation_id).await?;
        Ok(match workflows.is_empty() {
            true => modal::not_runnable_modal(None),
            false => modal::pick_modal(&workflows, command),
        })
    }

    async fn submit_run(&self, link: &SlackLink, submission: &ViewSubmission) -> Result<Option<Value>> {
        let organisation_id = link.organisation_id;
        let workflow_id = modal::workflow_id(&submission.private_metadata).unwrap_or_default();
        let reader = self.base.store.reader();
        let parameters = match store::workflows::find(reader, organisation_id, workflow_id).await {
            Ok(workflow) => match modal::answers(&submission.values, &workflow) {
                Ok(parameters) => json!(parameters),
                Err(wrong) => return Ok(Some(modal::refusal(&wrong))),
            },
            // It is refused in the pipeline, in the same words as one that they may not run.
            Err(Error::NotFound { .. }) => json!({}),
            Err(error) => return Err(error),
        };
        let data = json!({"slackUserId": submission.user_id, "workflowId": workflow_id, "parameters": parameters});
        let run = Planned {
            place: Place { kind: workflows::RUN, name: workflows::RUNS.to_owned(), address: String::new() },
            content: None,
        };
        let key = format!("view/{}", submission.view_id);
        let new_event = NewEvent {
            idempotency: Some(idempotency(organisation_id, key, self.base.now() + IDEMPOTENCY_LIFETIME)),
            planned: vec![run],
            ..new_event(organisation_id, RUN_SUBMITTED.to_owned(), data)
        };
        self.slack.take(new_event).await?;
        Ok(None)
    }
}
