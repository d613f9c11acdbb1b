//! Content of GitHub notifications in Slack, at the moment of sending.
//!
//! Not here: the decision of subscriptions when an event is accepted (`domain::github::subscription`), the sending (`slack::sender`).

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    app::slack::sender::ContentSource,
    domain::{
        Result,
        github::{
            EVENT_PREFIX, GithubEvent, reason,
            subscription::{Origin, Rules},
        },
        ids::OrganisationId,
        pipeline::{
            delivery::{Delivery, Reason},
            event::Event,
        },
        slack::SlackContent,
    },
    store::{self, Store},
};

/// Contents of events from GitHub.
pub struct GithubContents(pub Store);

#[async_trait]
impl ContentSource for GithubContents {
    /// An event that every subscription skipped, and a member replays, is sent as the current subscriptions say.
    async fn content(&self, delivery: &Delivery, event: &Event) -> Result<Option<SlackContent>> {
        let fact = &event.fact;
        let github = fact.kind.strip_prefix(EVENT_PREFIX).and_then(|name| GithubEvent::read(name, &fact.data));
        let Some(github) = github else { return Ok(None) };
        let (organisation_id, destination_id) = (delivery.organisation_id, delivery.destination_id);
        let routes = store::routes::of_destination(self.0.reader(), organisation_id, destination_id).await?;
        let subscriptions: Vec<Rules> = routes.iter().filter_map(Rules::of).collect();
        Ok(Some(Rules::manual_content(&subscriptions, &github)))
    }

    /// Checked at the last moment: for late webhooks, retries and replays alike.
    async fn withdrawn(&self, organisation_id: OrganisationId, origin: &Value) -> Result<Option<Reason>> {
        let Ok(Origin { installation_id, repository_id }) = Origin::deserialize(origin) else { return Ok(None) };
        let reader = self.0.reader();
        if store::github::links::find(reader, organisation_id, installation_id).await?.is_none() {
            return Ok(Some(reason::UNLINKED));
        }
        let removed = store::github::installations::is_removed(reader, installation_id, repository_id).await?;
        Ok(removed.then_some(reason::REPOSITORY_REMOVED))
    }
}
