//! The Boomerang dialect: a team's integrations, `/api/v2/integration…`. Slack and GitHub are connected here, and Slack
//! sends its requests here.

mod auth;
pub mod error;
pub mod wire;

use poem::http::header::SET_COOKIE;
use poem_openapi::{
    ApiResponse, OpenApi, Tags,
    param::Query,
    payload::{Json, Response},
};

use self::{
    auth::{Known, KnownByLink, Perhaps},
    error::{BoomerangError, of_looking},
    wire::{InstallationOut, IntegrationOut, LinkIn, granted, slack, team},
};
use super::shared::{
    body::Body,
    consent,
    dialect::{self, Dialect},
    refusal::{self, Refusal},
    signed::{Raw, SignatureHeader},
};
use crate::{
    api::shared::services::Service,
    app::{
        apps::Apps,
        github::{GithubConnections, links::GithubLinkRequest},
        kernel::Base,
        slack::{SlackConnections, commands::SlackCommands, connect::SlackInstalled, inbound::Signed},
    },
    domain::Error,
};

/// Boomerang's dialect.
pub const DIALECT: Dialect = Dialect {
    name: "boomerang",
    title: "Boomerang",
    description: "A team's integrations: cards with their link status, GitHub installations linked to teams, the \
                  installation of Slack, and the addresses to which Slack sends commands, events and interactions.",
    prefixes: &["/api/v2/integration"],
    together: &[],
    names_organisation: false,
    closed: false,
    closed_query: false,
    described: || dialect::describe(TeamIntegrations),
    error_example: dialect::error_example::<BoomerangError>,
    refuse: refusal::render::<BoomerangError>,
    endpoint: |served| dialect::mount::<BoomerangError, _>(TeamIntegrations, served),
};

type Refused = Refusal<BoomerangError>;
type Answer<T> = Result<Json<T>, Refused>;

/// The operations.
pub struct TeamIntegrations;

#[derive(Tags)]
enum Tag {
    /// Integrations that a team can connect, and Slack's requests once it is connected.
    #[oai(rename = "Team Integrations")]
    TeamIntegrations,
}

/// An empty response.
#[derive(ApiResponse)]
enum Done {
    /// The request succeeded.
    #[oai(status = 200)]
    Done,
}

/// A redirect.
#[derive(ApiResponse)]
enum Elsewhere {
    /// Redirect to the address in `Location`.
    #[oai(status = 302)]
    Found(
        /// The address.
        #[oai(header = "Location")]
        String,
    ),
}

/// An accepted event of Slack's.
#[derive(ApiResponse)]
enum EventTaken {
    /// The event was accepted: an empty body, or the challenge.
    #[oai(status = 200)]
    Taken(slack::EventContent),
}

/// An accepted interaction of Slack's.
#[derive(ApiResponse)]
enum InteractionTaken {
    /// The interaction was accepted: an empty body, or the response to the dialogue.
    #[oai(status = 200)]
    Taken(slack::InteractionContent),
}

/// Returns a request of Slack's with the proof of its verified signature.
fn signed<I>(body: &Raw<I>) -> Result<Signed<'_>, Error> {
    Ok(Signed { signature: body.verified()?, body: &body.bytes })
}

/// Redirects the browser into Slack, or to the consent page.
fn installed(base: &Base, installed: SlackInstalled) -> Response<Elsewhere> {
    match installed {
        SlackInstalled::Done(url) => Response::new(Elsewhere::Found(url.into())),
        SlackInstalled::Asked(consent) => {
            let (location, cookie) = consent::asked(&consent, base.public_url());
            Response::new(Elsewhere::Found(location)).header(SET_COOKIE, cookie)
        }
    }
}

#[OpenApi(tag = "Tag::TeamIntegrations")]
impl TeamIntegrations {
    /// List the integrations and their status within a team
    ///
    /// Returns one card for each integration that can be connected. For an unknown team, or another organisation's,
    /// every card is unlinked.
    #[oai(path = "/api/v2/integration", method = "get", operation_id = "listIntegrations")]
    async fn list_integrations(
        &self,
        apps: Service<'_, Apps>,
        who: Known,
        /// The team's name or id. It, or `workspace`, is required.
        #[oai(name = "team")]
        named: Query<Option<String>>,
        /// The same, as version 5 of the product calls it; `team` takes precedence.
        workspace: Query<Option<String>>,
    ) -> Answer<Vec<IntegrationOut>> {
        let cards = apps.list_integrations(&who.0, &team(named.0, workspace.0)?).await?;
        Ok(Json(cards.into_iter().map(Into::into).collect()))
    }

    /// Get a GitHub installation
    ///
    /// Returns the installation with the given id, or the one that a team is linked to. One of the two parameters is
    /// required; the id takes precedence.
    #[oai(path = "/api/v2/integration/github/installation", method = "get", operation_id = "getGithubInstallation")]
    async fn get_github_installation(
        &self,
        github: Service<'_, GithubConnections>,
        who: Known,
        /// GitHub's installation id.
        id: Query<Option<i64>>,
        /// The team's name or id.
        team: Query<Option<String>>,
        /// The same, as version 5 of the product calls it; `team` takes precedence.
        workspace: Query<Option<String>>,
    ) -> Answer<InstallationOut> {
        let team = team.0.or(workspace.0);
        let found = github.get_github_installation(&who.0, id.0, team.as_deref()).await;
        Ok(Json(found.map_err(of_looking)?.into()))
    }

    /// Link a GitHub installation with a team
    ///
    /// The caller has to have proved authority over the installation at GitHub. An existing link is kept.
    #[oai(path = "/api/v2/integration/github/link", method = "post", operation_id = "linkGithubInstallation")]
    async fn link_github_installation(
        &self,
        github: Service<'_, GithubConnections>,
        who: Known,
        body: Body<LinkIn>,
    ) -> Result<Done, Refused> {
        github.link_github_installation(&who.0, body.value.try_into()?).await?;
        Ok(Done::Done)
    }

    /// Unlink a GitHub installation from a team
    ///
    /// The links of other teams are kept. Succeeds also if nothing was linked.
    #[oai(path = "/api/v2/integration/github/unlink", method = "post", operation_id = "unlinkGithubInstallation")]
    async fn unlink_github_installation(
        &self,
        github: Service<'_, GithubConnections>,
        who: Known,
        body: Body<LinkIn>,
    ) -> Result<Done, Refused> {
        let GithubLinkRequest { reference, team, .. } = body.value.try_into()?;
        github.unlink_github_installation(&who.0, &reference, &team).await?;
        Ok(Done::Done)
    }

    /// Install Slack
    ///
    /// Redirects the browser to Slack's page. The workspace that is allowed there is connected to the team.
    #[oai(path = "/api/v2/integration/slack/install", method = "get", operation_id = "installSlack")]
    async fn install_slack(
        &self,
        slack: Service<'_, SlackConnections>,
        who: KnownByLink,
        /// The team's name or id; required for a member of several teams.
        team: Query<Option<String>>,
        /// The same, as version 5 of the product calls it; `team` takes precedence.
        workspace: Query<Option<String>>,
    ) -> Result<Elsewhere, Refused> {
        let team = team.0.or(workspace.0);
        let url = slack.install_slack(&who.0, team.as_deref()).await?;
        Ok(Elsewhere::Found(url.into()))
    }

    /// Complete the installation of Slack
    ///
    /// Slack redirects the browser here. The state names the team and the member. If that member's credential is sent
    /// too, the browser is redirected into the Slack app; without a credential it is redirected to a consent page.
    #[oai(path = "/api/v2/integration/slack/auth", method = "get", operation_id = "completeSlackInstall")]
    async fn complete_slack_install(
        &self,
        slack: Service<'_, SlackConnections>,
        base: Service<'_, Base>,
        who: Perhaps,
        /// Slack's authorization code.
        code: Query<Option<String>>,
        /// State of the address that `installSlack` redirected to.
        state: Query<Option<String>>,
        /// Slack's error code, in place of a code.
        error: Query<Option<String>>,
    ) -> Result<Response<Elsewhere>, Refused> {
        let (code, state) = granted(code.0, state.0, error.0)?;
        Ok(installed(&base, slack.complete_slack_install(who.0.as_ref(), &code, &state).await?))
    }

    /// Receive a Slack slash command
    ///
    /// Slack's signature is the credential. The response has an empty body; the command's result is shown in Slack.
    #[oai(path = "/api/v2/integration/slack/commands", method = "post", operation_id = "receiveSlackCommand")]
    async fn receive_slack_command(
        &self,
        commands: Service<'_, SlackCommands>,
        /// Time of the signature, in seconds.
        #[oai(name = "x-slack-request-timestamp")]
        _timestamp: SignatureHeader,
        /// `v0=` and Slack's signature of the time and the body.
        #[oai(name = "x-slack-signature")]
        _signature: SignatureHeader,
        body: Raw<slack::Command>,
    ) -> Result<Done, Refused> {
        commands.receive_slack_command(signed(&body)?).await?;
        Ok(Done::Done)
    }

    /// Receive a Slack event
    ///
    /// Slack's signature is the credential, also for Slack's verification of this URL.
    #[oai(path = "/api/v2/integration/slack/events", method = "post", operation_id = "receiveSlackEvent")]
    async fn receive_slack_event(
        &self,
        slack: Service<'_, SlackConnections>,
        /// Time of the signature, in seconds.
        #[oai(name = "x-slack-request-timestamp")]
        _timestamp: SignatureHeader,
        /// `v0=` and Slack's signature of the time and the body.
        #[oai(name = "x-slack-signature")]
        _signature: SignatureHeader,
        body: Raw<slack::Event>,
    ) -> Result<EventTaken, Refused> {
        let answer = slack.receive_slack_event(signed(&body)?).await?;
        Ok(EventTaken::Taken(answer.into()))
    }

    /// Receive a Slack interaction
    ///
    /// Receives a button press, a choice or a submission in Slack. Slack's signature is the credential.
    #[oai(path = "/api/v2/integration/slack/interactivity", method = "post", operation_id = "receiveSlackInteraction")]
    async fn receive_slack_interaction(
        &self,
        commands: Service<'_, SlackCommands>,
        /// Time of the signature, in seconds.
        #[oai(name = "x-slack-request-timestamp")]
        _timestamp: SignatureHeader,
        /// `v0=` and Slack's signature of the time and the body.
        #[oai(name = "x-slack-signature")]
        _signature: SignatureHeader,
        body: Raw<slack::Interaction>,
    ) -> Result<InteractionTaken, Refused> {
        let answer = commands.receive_slack_interaction(signed(&body)?).await?;
        Ok(InteractionTaken::Taken(answer.into()))
    }
}
