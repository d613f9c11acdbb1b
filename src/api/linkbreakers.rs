//! The Linkbreakers dialect: Slack notifications with channel, trigger and link filters, `/v1/slack-integrations…`.

pub mod count;
pub mod error;
pub mod wire;

use poem_openapi::{OpenApi, Tags, payload::Json};

use self::{
    count::Form,
    error::LinkbreakersError,
    wire::{
        ChannelsOut, CompleteIn, DeleteOut, GetOut, IntegrationOut, OAuthUrlOut, SlackIntegrationOut, TestIn, TestOut,
        UpdateIn,
    },
};
use super::shared::{
    auth::BearerToken,
    body::Body,
    dialect::{self, Dialect},
    refusal::{self, Refusal},
};
use crate::{api::shared::services::Service, app::slack::SlackConnections};

/// Linkbreakers' dialect.
pub const DIALECT: Dialect = Dialect {
    name: "linkbreakers",
    title: "Linkbreakers",
    description: "Slack notifications when workflow steps complete, with channel, trigger and link filters.",
    prefixes: &["/v1/slack-integrations"],
    together: &[],
    names_organisation: true,
    closed: true,
    closed_query: false,
    described: || dialect::describe(SlackIntegrations),
    error_example: dialect::error_example::<LinkbreakersError>,
    refuse: refusal::render::<LinkbreakersError>,
    endpoint: |served| dialect::mount::<LinkbreakersError, _>(SlackIntegrations, served),
};

type Answer<T> = Result<Json<T>, Refusal<LinkbreakersError>>;

/// The operations.
pub struct SlackIntegrations;

#[derive(Tags)]
enum Tag {
    /// Manage the Slack integration: connect a Slack workspace to receive notifications when workflow steps complete.
    #[oai(rename = "Slack Integrations")]
    SlackIntegrations,
}

#[OpenApi(tag = "Tag::SlackIntegrations")]
impl SlackIntegrations {
    /// Get Slack integration
    ///
    /// Retrieve the Slack integration configuration for the workspace. The answer is an empty object if nothing is
    /// connected.
    #[oai(path = "/v1/slack-integrations", method = "get", operation_id = "getSlackIntegration")]
    async fn get(&self, slack: Service<'_, SlackConnections>, form: Form, caller: BearerToken) -> Answer<GetOut> {
        let integration = slack.get_slack_integration(&caller.0).await?;
        Ok(Json(GetOut { slack_integration: integration.map(|found| SlackIntegrationOut::new(found, form)) }))
    }

    /// List Slack channels
    ///
    /// List the Slack channels that the bot can see: all public ones, and the private ones that it was invited to.
    #[oai(path = "/v1/slack-integrations/channels", method = "get", operation_id = "listSlackChannels")]
    async fn list_channels(&self, slack: Service<'_, SlackConnections>, caller: BearerToken) -> Answer<ChannelsOut> {
        Ok(Json(slack.list_slack_channels(&caller.0).await?.into()))
    }

    /// Get Slack OAuth URL
    ///
    /// Returns the Slack OAuth authorization URL to initiate the Add to Slack flow. Its state can be used once, within
    /// ten minutes, by the caller.
    #[oai(path = "/v1/slack-integrations/oauth-url", method = "get", operation_id = "getSlackOAuthUrl")]
    async fn oauth_url(&self, slack: Service<'_, SlackConnections>, caller: BearerToken) -> Answer<OAuthUrlOut> {
        let url = slack.get_slack_oauth_url(&caller.0).await?;
        Ok(Json(OAuthUrlOut { oauth_url: url.into() }))
    }

    /// Complete Slack OAuth
    ///
    /// Exchanges the Slack authorization code for a bot token and creates the workspace integration, or replaces it.
    #[oai(path = "/v1/slack-integrations/oauth/complete", method = "post", operation_id = "completeSlackOAuth")]
    async fn complete(
        &self,
        slack: Service<'_, SlackConnections>,
        form: Form,
        caller: BearerToken,
        body: Body<CompleteIn>,
    ) -> Answer<IntegrationOut> {
        let CompleteIn { code, state } = body.value;
        let integration = slack.complete_slack_oauth(&caller.0, &code, &state).await?;
        Ok(Json(IntegrationOut { slack_integration: SlackIntegrationOut::new(integration, form) }))
    }

    /// Test Slack integration
    ///
    /// Send a test notification to the chosen channel to verify the Slack integration is working.
    #[oai(path = "/v1/slack-integrations/test", method = "post", operation_id = "testSlackIntegration")]
    async fn test(
        &self,
        slack: Service<'_, SlackConnections>,
        caller: BearerToken,
        _body: Body<Option<TestIn>>,
    ) -> Answer<TestOut> {
        let success = slack.test_slack_integration(&caller.0).await?;
        Ok(Json(TestOut { success }))
    }

    /// Update Slack integration
    ///
    /// Update the Slack integration configuration (channel, triggers, link, status). Members that are absent from the
    /// request stay unchanged.
    #[oai(path = "/v1/slack-integrations", method = "patch", operation_id = "updateSlackIntegration")]
    async fn update(
        &self,
        slack: Service<'_, SlackConnections>,
        form: Form,
        caller: BearerToken,
        body: Body<UpdateIn>,
    ) -> Answer<IntegrationOut> {
        let integration = slack.update_slack_integration(&caller.0, body.value.change()).await?;
        Ok(Json(IntegrationOut { slack_integration: SlackIntegrationOut::new(integration, form) }))
    }

    /// Disconnect Slack integration
    ///
    /// Disconnect and remove the Slack integration from the workspace.
    #[oai(path = "/v1/slack-integrations", method = "delete", operation_id = "deleteSlackIntegration")]
    async fn delete(&self, slack: Service<'_, SlackConnections>, caller: BearerToken) -> Answer<DeleteOut> {
        slack.delete_slack_integration(&caller.0).await?;
        Ok(Json(DeleteOut {}))
    }
}
