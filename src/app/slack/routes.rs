//! The filters of a Slack connection as a route: completed steps of workflows go to its channel.
//!
//! Not here: the decision (`matcher`).

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::SlackConnections;
use crate::{
    app::{
        Caller,
        routes::managed::{ManagedChange, ManagedRoute, RouteManager},
    },
    domain::{
        Error, Result,
        ids::OrganisationId,
        routes::{
            rule::Rule,
            workflow_step::{StepKind, WORKFLOW_STEP_COMPLETED},
        },
        slack::link::{SlackLink, SlackLinkChange, SlackLinkStatus},
    },
    store,
};

const WORKFLOW_STEP: &str = "workflowStep";

/// Settings of the rule, as a change has them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Filters {
    triggers: Option<Vec<String>>,
    link_id: Option<String>,
}

#[async_trait]
impl RouteManager for SlackConnections {
    fn kind(&self) -> &'static str {
        WORKFLOW_STEP
    }

    async fn routes(&self, organisation_id: OrganisationId) -> Result<Vec<ManagedRoute>> {
        let stored = store::slack::links::find(self.base.store.reader(), organisation_id).await?;
        Ok(stored.map(|stored| route(stored.link)).into_iter().collect())
    }

    async fn change(&self, caller: &Caller, _: ManagedRoute, change: ManagedChange) -> Result<()> {
        let filters = change.settings.unwrap_or_else(|| json!({}));
        let filters = Filters::deserialize(filters).map_err(|error| Error::invalid("", error.to_string()))?;
        let mut wanted = SlackLinkChange { link_id: filters.link_id, ..SlackLinkChange::default() };
        if let Some(enabled) = change.enabled {
            wanted.status = Some(if enabled { SlackLinkStatus::Active } else { SlackLinkStatus::Paused });
        }
        let parsed = |(index, word): (usize, &String)| {
            word.parse::<StepKind>().map_err(|error| Error::invalid(format!("/triggers/{index}"), rule_of(error)))
        };
        let triggers = filters.triggers.map(|words| words.iter().enumerate().map(parsed).collect::<Result<_>>());
        wanted.triggers = triggers.transpose()?;
        self.update_slack_integration(caller, wanted).await.map(drop)
    }

    async fn delete(&self, _: &Caller, _: ManagedRoute) -> Result<()> {
        let message = "the route ends with its Slack connection; disable it, or disconnect Slack".into();
        Err(Error::FailedPrecondition { message })
    }
}

fn route(link: SlackLink) -> ManagedRoute {
    let triggers: Vec<&str> = link.triggers.iter().map(|kind| kind.as_str()).collect();
    let mut settings = json!({"triggers": triggers});
    if let Some(id) = link.link_id {
        settings["linkId"] = Value::String(id.to_string());
    }
    ManagedRoute {
        id: link.id.0.into(),
        managed_by: "slack_connection",
        name: format!("Completed steps to #{}", link.channel_name),
        sources: vec!["*".into()],
        types: vec![WORKFLOW_STEP_COMPLETED.into()],
        channel_id: None,
        rule: Rule { kind: WORKFLOW_STEP.into(), settings },
        destination_id: Some(link.destination_id),
        enabled: link.status == SlackLinkStatus::Active,
        disabled_reason: (link.status == SlackLinkStatus::Disconnected)
            .then(|| "Slack does not accept the connection any more; connect it again".into()),
        created_by: Some(link.created_by),
        created_at: link.created_at,
        updated_at: link.updated_at,
    }
}

/// Returns the rule that a word breaks.
fn rule_of(error: Error) -> String {
    match error {
        Error::Invalid(broken) => broken.into_iter().map(|violation| violation.message).collect(),
        other => other.to_string(),
    }
}
