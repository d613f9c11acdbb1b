//! Slash commands and submitted modals of Slack's: a member runs a workflow from there.
//!
//! Not here: the run itself (`runs`), other inbound requests of Slack's (`slack::inbound`).

use serde_json::{Value, json};

use super::Workflows;
use crate::{
    app::{
        pipeline::{intake::NewEvent, matcher::Place, outbox::Planned},
        slack::inbound::{IDEMPOTENCY_LIFETIME, RUN_SUBMITTED, Signed, idempotency, new_event},
    },
    domain::{
        Error, Result,
        slack::{link::SlackLink, modal},
        workflows,
    },
    provider::slack::inbound::{self, Command, Interaction, SlashCommand, ViewSubmission},
    store::{self, slack::links::StoredSlackLink},
};

impl Workflows {
    /// A slash command: a modal is opened, once Slack has its answer.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn receive_slack_command(&self, request: Signed<'_>) -> Result<()> {
        let command = match inbound::command(request.body)? {
            Command::SslCheck => return Ok(()),
            Command::Slash(command) => command,
        };
        let Some(stored) = self.slack.workspace(&command.origin).await? else { return Ok(()) };
        let app = self.clone();
        self.base.afterwards(async move {
            if let Err(error) = app.answer_command(&stored, &command).await {
                tracing::warn!(%error, team_id = stored.link.team_id, "a slash command could not be answered");
            }
        });
        Ok(())
    }

    /// Opens the modal that a command asks for: help, a workflow to confirm, or why there is none.
    async fn answer_command(&self, stored: &StoredSlackLink, command: &SlashCommand) -> Result<()> {
        let text = command.text.trim();
        let view = if text.eq_ignore_ascii_case("help") {
            modal::help_modal(&command.command, &self.product)
        } else if text.is_empty() {
            modal::not_runnable_modal(None)
        } else {
            match self.runnable_from_slack(stored, &command.user_id, text).await {
                Ok(run) => modal::run_modal(&run.workflow, &command.command),
                Err(Error::NotFound { .. } | Error::Forbidden { .. }) => modal::not_runnable_modal(Some(text)),
                Err(error) => return Err(error),
            }
        };
        let token = self.slack.open_slack_token(stored).await?;
        Ok(self.slack.slack()?.open_view(&token, &command.trigger_id, &view).await?)
    }

    /// A button, a modal. A submitted run is kept before Slack has its answer, and looked into afterwards.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn receive_slack_interaction(&self, request: Signed<'_>) -> Result<Option<Value>> {
        let submission = match inbound::interaction(request.body)? {
            Interaction::ViewSubmission(submission) if submission.callback_id == modal::RUN_CALLBACK => submission,
            // None of our menus asks for its options.
            Interaction::ViewSubmission(_)
            | Interaction::BlockSuggestion
            | Interaction::ViewClosed
            | Interaction::BlockActions
            | Interaction::Shortcut
            | Interaction::MessageAction
            | Interaction::Other { .. } => return Ok(None),
        };
        match self.slack.workspace(&submission.origin).await? {
            Some(stored) => self.submit_run(&stored.link, &submission).await,
            None => Ok(None),
        }
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
