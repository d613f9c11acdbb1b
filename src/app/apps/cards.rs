//! Integration cards of a team: available connections, and their current references.
//!
//! Not here: the connections themselves (`slack`, `github`, `installations`).

use std::collections::HashMap;

use url::Url;
use uuid::Uuid;

use super::Apps;
use crate::{
    app::{Caller, tenancy::teams::Identified},
    domain::{
        Error, Result,
        apps::card::{self, SystemApp},
        ids::IntegrationId,
        slack::link::SlackLinkStatus,
        tenancy::{member::Permission, oauth::Flow},
    },
    store,
};

/// A card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationCard {
    /// The integration.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Address or name of its picture.
    pub icon: String,
    /// Description, in a sentence.
    pub description: String,
    /// Instructions for connecting it, in Markdown.
    pub instructions: String,
    /// Address at which it is connected; `None` where this caller may not connect it, or it cannot be connected here.
    pub link: Option<Url>,
    /// Reference of the connection; `None` where it is not connected.
    pub reference: Option<String>,
}

impl Apps {
    /// Lists the cards of a team with their connections. An unknown team and one of which the caller is no member show
    /// no connection: they are indistinguishable on purpose.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_integrations(&self, who: &Identified, team: &str) -> Result<Vec<IntegrationCard>> {
        let caller = match self.tenancy.in_team(who, team).await {
            Ok((caller, _)) => {
                caller.require(Permission::SlackRead)?;
                caller.require(Permission::GithubRead)?;
                Some(caller)
            }
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut all = card::built_in().to_vec();
        all.extend(store::apps::cards::list_system(self.base.store.reader()).await?);
        let (references, mut links) = match &caller {
            Some(caller) => (self.references(caller).await?, self.connecting_links(caller).await?),
            None => Default::default(),
        };
        let card = |SystemApp { id, name, about }: SystemApp| IntegrationCard {
            id: id.0,
            name,
            icon: about.icon,
            description: about.description,
            instructions: about.instructions,
            link: links.remove(&id).or_else(|| Url::parse(about.link.as_deref()?).ok()),
            reference: references.get(&id).cloned(),
        };
        Ok(all.into_iter().map(card).collect())
    }

    /// Returns the reference of each connected integration, whose kind depends on the integration.
    async fn references(&self, caller: &Caller) -> Result<HashMap<IntegrationId, String>> {
        let (reader, organisation_id) = (self.base.store.reader(), caller.organisation_id);
        let installed = store::apps::cards::installed(reader, organisation_id).await?;
        let mut references: HashMap<IntegrationId, String> =
            installed.into_iter().map(|(integration, id)| (integration, id.to_string())).collect();
        if let Some(stored) = store::slack::links::find(reader, organisation_id).await?
            && stored.link.status != SlackLinkStatus::Disconnected
        {
            references.insert(card::SLACK, stored.link.id.to_string());
        }
        if let Some((_, stored)) = store::github::links::list(reader, organisation_id).await?.into_iter().next() {
            references.insert(card::GITHUB, stored.id.to_string());
        }
        Ok(references)
    }

    /// Returns the addresses at which the caller may connect Slack and GitHub, each with a fresh state.
    async fn connecting_links(&self, caller: &Caller) -> Result<HashMap<IntegrationId, Url>> {
        let slack = self.slack.client.as_ref().filter(|_| caller.may(Permission::SlackManage));
        let github = self.github.client.as_ref().filter(|_| caller.may(Permission::GithubManage));
        let mut links = HashMap::new();
        if slack.is_none() && github.is_none() {
            return Ok(links);
        }
        let [for_slack, for_github] = self.tenancy.issue_states(caller, [Flow::SlackApp, Flow::Github]).await?;
        if let Some(slack) = slack {
            links.insert(card::SLACK, slack.authorize_url(Flow::SlackApp, &for_slack));
        }
        if let Some(github) = github {
            links.insert(card::GITHUB, github.install_url(&for_github));
        }
        Ok(links)
    }
}
