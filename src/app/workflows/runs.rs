//! Runs of workflows that somebody asks for in Slack: who they are here, whether they may, and what they are told.

use serde_json::{Value, json};
use url::Url;

use super::Workflows;
use crate::{
    app::{
        Caller,
        pipeline::intake::NewEvent,
        slack::inbound::{RUN_SUBMITTED, direct_message, idempotency, new_event},
    },
    domain::{
        Error, Result,
        error::Noun,
        ids::OrganisationId,
        pipeline::event::Event,
        slack::greeting,
        tenancy::member::{Member, Permission},
        workflows::Workflow,
    },
    store::{self, slack::links::StoredSlackLink},
};

/// The type of an event that a product starts a run for.
pub const RUN_REQUESTED: &str = "workflow.run.requested";
/// The type of an event that says why a run was refused.
pub const RUN_REFUSED: &str = "workflow.run.refused";

/// Slack message for an unknown workflow, and for one that the member may not run: reported alike.
const NOT_RUNNABLE: &str = "there is no such workflow, or you may not run it";

/// A run that may be.
pub(in crate::app) struct Run {
    pub(in crate::app) workflow: Workflow,
    member: Member,
}

impl Workflows {
    /// Looks into a run that was submitted in Slack, and accepts it or refuses it as an event. The person is told.
    ///
    /// # Errors
    /// [`Error::UpstreamUnavailable`] where Slack does not say who it is; when the database fails.
    pub async fn run_workflow_from_slack(&self, submitted: &Event) -> Result<String> {
        let data = &submitted.fact.data;
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        let (slack_user_id, workflow_id) = (text("slackUserId"), text("workflowId"));
        let organisation_id = submitted.organisation_id;
        debug_assert_eq!(submitted.fact.kind, RUN_SUBMITTED);
        let run = match store::slack::links::find(self.base.store.reader(), organisation_id).await? {
            Some(stored) => self.runnable_from_slack(&stored, slack_user_id, workflow_id).await,
            None => Err(Error::NotConnected { noun: Noun::SlackLink }),
        };
        let outcome = match run {
            Ok(run) => self.requested(organisation_id, run, slack_user_id, &data["parameters"]),
            Err(error @ (Error::NotFound { .. } | Error::Forbidden { .. } | Error::NotConnected { .. })) => {
                self.refused_run(organisation_id, (slack_user_id, workflow_id), &error)
            }
            Err(Error::Refused { code, .. }) => {
                let error = Error::FailedPrecondition { message: format!("Slack does not say who you are: {code}") };
                self.refused_run(organisation_id, (slack_user_id, workflow_id), &error)
            }
            Err(error) => return Err(error),
        };
        let key = format!("run/{}", submitted.id);
        let expires_at = submitted.created_at + chrono::Duration::days(30);
        let kind = outcome.fact.kind.clone();
        let new_event = NewEvent { idempotency: Some(idempotency(organisation_id, key, expires_at)), ..outcome };
        let accepted = self.pipeline.accept(new_event).await?;
        Ok(format!("{kind} {}", accepted.id))
    }

    fn requested(
        &self,
        organisation_id: OrganisationId,
        run: Run,
        slack_user_id: &str,
        parameters: &Value,
    ) -> NewEvent {
        let Run { workflow, member } = run;
        let data = json!({
            "workflowId": workflow.id,
            "workflowName": workflow.name,
            "parameters": parameters,
            "requestedBy": {"userId": member.user_id, "username": member.username, "slackUserId": slack_user_id},
        });
        let id = self.base.ambient.id();
        let link = self.product.app_url.as_ref().map(Url::as_str);
        let message = greeting::run_requested(&workflow, id, link);
        NewEvent {
            id: Some(id),
            planned: vec![direct_message(slack_user_id, message)],
            ..new_event(organisation_id, RUN_REQUESTED.to_owned(), data)
        }
    }

    fn refused_run(
        &self,
        organisation_id: OrganisationId,
        (slack_user_id, workflow_id): (&str, &str),
        why: &Error,
    ) -> NewEvent {
        let data = json!({"workflowId": workflow_id, "slackUserId": slack_user_id, "reason": why.to_string()});
        // In Slack it is not told apart whether there is no such workflow or they may not run it.
        let reason = match why {
            Error::NotFound { .. } | Error::Forbidden { .. } => NOT_RUNNABLE.to_owned(),
            other => other.to_string(),
        };
        NewEvent {
            planned: vec![direct_message(slack_user_id, greeting::run_refused(&reason))],
            ..new_event(organisation_id, RUN_REFUSED.to_owned(), data)
        }
    }

    /// The workflow that somebody in Slack wants to run, where they may.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the workflow or the member, [`Error::Forbidden`]; [`Error::Refused`] and
    /// [`Error::UpstreamUnavailable`] where Slack does not say who it is.
    pub(in crate::app) async fn runnable_from_slack(
        &self,
        stored: &StoredSlackLink,
        slack_user_id: &str,
        workflow_id: &str,
    ) -> Result<Run> {
        let organisation_id = stored.link.organisation_id;
        let reader = self.base.store.reader();
        let workflow = store::workflows::find(reader, organisation_id, workflow_id).await?;
        let member = self.slack.member_in_slack(stored, slack_user_id).await?;
        Caller::member(&member, None).require(Permission::WorkflowsRun)?;
        Ok(Run { workflow, member })
    }
}
