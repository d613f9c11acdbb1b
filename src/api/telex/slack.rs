//! An organisation's Slack.

use poem_openapi::{OpenApi, param::Path};

use super::{
    One, Tag, one,
    wire::{SlackAccessOut, SlackTokenIn, SlackTokenOut},
};
use crate::{
    api::shared::{auth::Known, body::Body, services::Service},
    app::slack::SlackConnections,
};

/// The operations.
pub struct Slack;

#[OpenApi(tag = "Tag::Integrations")]
impl Slack {
    /// Exchange Slack OAuth code for an access token
    ///
    /// Connects the Slack workspace to the organisation. An existing connection of the organisation is kept.
    #[oai(
        path = "/slack/organisations/:organisationId/token-exchg",
        method = "post",
        operation_id = "exchangeSlackToken"
    )]
    async fn exchange_slack_token(
        &self,
        slack: Service<'_, SlackConnections>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
        body: Body<SlackTokenIn>,
    ) -> One<SlackTokenOut> {
        let granted = slack.exchange_slack_token(&who.0, &organisation.0, &body.value.oauth_code).await?;
        one("Slack OAuth token exchange successful", granted)
    }

    /// Get Slack access information
    ///
    /// Returns the organisation's connection to Slack.
    #[oai(path = "/slack/organisations/:organisationId", method = "get", operation_id = "getSlackAccess")]
    async fn get_slack_access(
        &self,
        slack: Service<'_, SlackConnections>,
        who: Known,
        /// The organisation's id or slug.
        #[oai(name = "organisationId")]
        organisation: Path<String>,
    ) -> One<SlackAccessOut> {
        let found = slack.get_slack_access(&who.0, &organisation.0).await?;
        one("Slack access info fetched successfully", found)
    }
}
