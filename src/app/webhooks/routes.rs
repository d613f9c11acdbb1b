//! The triggers of outgoing webhooks as routes: events of their kind go to their URLs.
//!
//! Not here: the decision (`matcher`), the other settings of a webhook.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::Webhooks;
use crate::{
    app::{
        Caller,
        routes::managed::{ManagedChange, ManagedRoute, RouteManager},
    },
    domain::{
        Error, Result,
        ids::{IntegrationId, OrganisationId},
        pipeline::destination::Destination,
        routes::rule::Rule,
        webhooks::{
            Direction, Outgoing, Way, Webhook, destination,
            setup::{Draft, DraftWay},
        },
    },
    store,
};

const MESSAGE: &str = "message";

/// Settings of the rule, as a change has them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Triggers {
    trigger_words: Option<Vec<String>>,
}

#[async_trait]
impl RouteManager for Webhooks {
    fn kind(&self) -> &'static str {
        MESSAGE
    }

    async fn routes(&self, organisation_id: OrganisationId) -> Result<Vec<ManagedRoute>> {
        let reader = self.base.store.reader();
        let all = store::webhooks::list(reader, organisation_id).await?;
        let called: Vec<Webhook> = all
            .into_iter()
            .map(|stored| stored.webhook)
            .filter(|webhook| matches!(webhook.direction, Direction::Outgoing(_)))
            .collect();
        if called.is_empty() {
            return Ok(Vec::new());
        }
        let known =
            store::pipeline::destinations::named_after(reader, organisation_id, &destination::OUTGOING, "").await?;
        Ok(called.into_iter().filter_map(|webhook| route(webhook, &known)).collect())
    }

    async fn change(&self, caller: &Caller, route: ManagedRoute, change: ManagedChange) -> Result<()> {
        let id = IntegrationId(route.id.0);
        let settings = change.settings.unwrap_or_else(|| json!({}));
        let Triggers { trigger_words } =
            Triggers::deserialize(settings).map_err(|error| Error::invalid("", error.to_string()))?;
        if trigger_words.is_some() {
            let webhook = self.get_webhook(caller, Way::Outgoing, id).await?;
            if !matches!(webhook.direction, Direction::Outgoing(outgoing) if outgoing.event.uses_trigger_words()) {
                return Err(Error::invalid("/triggerWords", "must be left out: its event has no text"));
            }
        }
        let apply = |draft: &mut Draft| {
            draft.enabled = change.enabled.unwrap_or(draft.enabled);
            if let (Some(words), DraftWay::Outgoing(outgoing)) = (trigger_words, &mut draft.way) {
                outgoing.trigger_words = words;
            }
        };
        self.update_webhook(caller, (Way::Outgoing, id), apply).await.map(drop)
    }

    async fn delete(&self, caller: &Caller, route: ManagedRoute) -> Result<()> {
        self.delete_webhook(caller, Way::Outgoing, IntegrationId(route.id.0)).await
    }
}

fn route(webhook: Webhook, known: &[Destination]) -> Option<ManagedRoute> {
    let Direction::Outgoing(outgoing) = webhook.direction else { return None };
    let names = destination::url_names(webhook.id);
    let here = known.iter().find(|one| one.name.starts_with(&names) && outgoing.urls.contains(&one.address));
    let Outgoing { event, trigger_words, .. } = outgoing;
    let settings = json!({"event": event.as_str(), "triggerWords": trigger_words, "channels": webhook.channels});
    Some(ManagedRoute {
        id: webhook.id.0.into(),
        managed_by: "outgoing_webhook",
        name: webhook.name,
        sources: vec!["*".into()],
        types: event.kinds().iter().map(|kind| (*kind).to_owned()).collect(),
        channel_id: None,
        rule: Rule { kind: MESSAGE.into(), settings },
        destination_id: here.map(|one| one.id),
        enabled: webhook.enabled,
        disabled_reason: None,
        created_by: webhook.created_by.user_id,
        created_at: webhook.created_at,
        updated_at: webhook.updated_at,
    })
}
