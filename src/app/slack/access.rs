//! An organisation's Slack connection, as the clients of its token see it.
//!
//! Not here: settings of the connection (`links`), and the renewal of its token (`tokens`).

use uuid::Uuid;

use super::SlackConnections;
use crate::{
    app::{Caller, tenancy::teams::Identified},
    domain::{
        Error, Result,
        ambient::Time,
        apps::setting::MASK,
        error::Noun,
        ids::{OrganisationId, UserId},
        tenancy::{member::Permission, oauth::Flow},
    },
    store::{self, slack::links::StoredSlackLink},
};

/// A connected workspace, with the token that was granted.
#[derive(Clone, Debug)]
pub struct SlackAccess {
    /// The link.
    pub id: Uuid,
    /// User who connected it.
    pub user_id: UserId,
    /// Owning organisation.
    pub organisation_id: OrganisationId,
    /// Bot token; masked where this caller may not see it.
    pub access_token: String,
    /// Slack's id of the workspace.
    pub team_id: String,
    /// Name of the workspace.
    pub team_name: String,
    /// Name of the chosen channel.
    pub channel: String,
    /// Slack's id of the chosen channel.
    pub channel_id: String,
    /// Slack's page on which the incoming webhook is changed; empty where there is none.
    pub configuration_url: String,
    /// URL of the incoming webhook; empty where there is none.
    pub url: String,
    /// Time of the connection.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

impl SlackConnections {
    /// Connects Slack by an OAuth code that a page of the product received.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the organisation is not the caller's, [`Error::Forbidden`], [`Error::Conflict`] where
    /// a workspace is connected already, or belongs to another; [`Error::Refused`], [`Error::UpstreamUnavailable`].
    pub async fn exchange_slack_token(
        &self,
        who: &Identified,
        organisation: &str,
        oauth_code: &str,
    ) -> Result<SlackAccess> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::SlackManage)?;
        let reader = self.base.store.reader();
        if store::slack::links::find(reader, organisation.id).await?.is_some() {
            let message = "a Slack workspace is connected already; disconnect it first".to_owned();
            return Err(Error::Conflict { noun: Noun::SlackLink, message });
        }
        let member = store::tenancy::members::find_by_id(reader, caller.member_id).await?;
        self.connect(&member, Flow::Slack, oauth_code).await?;
        self.slack_access(&caller, organisation.id).await
    }

    /// Returns the connected workspace.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the organisation is not the caller's, [`Error::Forbidden`], [`Error::NotConnected`].
    pub async fn get_slack_access(&self, who: &Identified, organisation: &str) -> Result<SlackAccess> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::SlackRead)?;
        self.slack_access(&caller, organisation.id).await
    }

    async fn slack_access(&self, caller: &Caller, organisation_id: OrganisationId) -> Result<SlackAccess> {
        let found = store::slack::links::find(self.base.store.writer(), organisation_id).await?;
        let stored: StoredSlackLink = found.ok_or(Error::NotConnected { noun: Noun::SlackLink })?;
        let (access_token, url) = if caller.may(Permission::SecretsRead) {
            let url = self.unseal_webhook(&stored).await?.map(|url| url.expose().to_owned());
            (self.unseal_access_token(&stored).await?.expose().to_owned(), url.unwrap_or_default())
        } else {
            let url = stored.tokens.webhook_url.is_some().then(|| MASK.to_owned());
            (MASK.to_owned(), url.unwrap_or_default())
        };
        let link = stored.link;
        Ok(SlackAccess {
            id: link.id.0,
            user_id: link.created_by,
            organisation_id,
            access_token,
            team_id: link.team_id,
            team_name: link.team_name,
            channel: link.channel_name,
            channel_id: link.channel_id,
            configuration_url: stored.tokens.configuration_url,
            url,
            created_at: link.created_at,
            updated_at: link.updated_at,
        })
    }
}
