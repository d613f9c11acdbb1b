//! Connecting a workspace, refreshing its token, and revoking it (Slack API: "oauth.v2.access", "Token rotation",
//! "auth.revoke").

use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use serde::Deserialize;

use super::{
    SlackClient,
    answer::{self, SlackFailure},
    bearer,
};
use crate::{
    domain::{
        Error, Result,
        secret::Secret,
        slack::{Outcome, outcome::is_passing},
        tenancy::oauth::Flow,
    },
    provider::http::Unreachable,
};

/// Slack's grant for a code or a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackGrant {
    /// The workspace, or the Enterprise organisation where [`org_wide`](Self::org_wide): their ids begin with `T` and
    /// with `E`. Empty in the answer to a refresh, if Slack leaves it out there.
    pub team_id: String,
    /// Its name.
    pub team_name: String,
    /// The Enterprise organisation it belongs to, or is.
    pub enterprise_id: Option<String>,
    /// Set when the app was installed for a whole Enterprise organisation, and the token is valid for many workspaces.
    pub org_wide: bool,
    /// The bot's user.
    pub bot_user_id: String,
    /// Our app.
    pub app_id: String,
    /// Scopes of the bot, separated by commas. There may be fewer than requested.
    pub scopes: String,
    /// The bot's token.
    pub access_token: Secret,
    /// Refresh token, where the app rotates tokens. It is valid for one use.
    pub refresh_token: Option<Secret>,
    /// Lifetime of the token, where the app rotates tokens.
    pub expires_in: Option<Duration>,
    /// The user who consented.
    pub authed_user_id: String,
    /// The incoming webhook, if one was requested.
    pub incoming_webhook: Option<IncomingWebhook>,
}

/// An address that posts into the channel chosen on Slack's page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IncomingWebhook {
    /// The channel's name, with `#`.
    #[serde(default)]
    pub channel: String,
    /// Its id.
    #[serde(default)]
    pub channel_id: String,
    /// Page at Slack on which it is changed.
    #[serde(default)]
    pub configuration_url: String,
    /// The address, a capability: any holder may post.
    pub url: Secret,
}

#[derive(Deserialize)]
struct Access {
    access_token: Option<Secret>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    bot_user_id: String,
    #[serde(default)]
    app_id: String,
    team: Option<Named>,
    enterprise: Option<Named>,
    #[serde(default)]
    is_enterprise_install: bool,
    authed_user: Option<Named>,
    refresh_token: Option<Secret>,
    expires_in: Option<u64>,
    incoming_webhook: Option<IncomingWebhook>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
}

impl SlackClient {
    /// Exchanges the code that a browser brought back from this flow. A code is valid for one exchange.
    ///
    /// # Errors
    /// [`Error::Refused`] with Slack's code, such as `invalid_code`; [`Error::UpstreamUnavailable`] when Slack does not
    /// answer properly; [`Error::FailedPrecondition`] when the app was installed without a bot.
    pub async fn exchange_code(&self, flow: Flow, code: &str) -> Result<SlackGrant> {
        let (redirect_uri, _) = self.redirect_and_scopes(flow);
        let grant = grant(self.access(&[("code", code), ("redirect_uri", redirect_uri.as_str())]).await?)?;
        // Without the id of the installation, none of Slack's requests could be assigned to it.
        if grant.team_id.is_empty() {
            return Err(SlackFailure::unreachable(Unreachable::NotJson).into());
        }
        Ok(grant)
    }

    /// Checks the app's id and secret: only an app that Slack knows learns that a code is not valid.
    ///
    /// # Errors
    /// [`Error::Refused`] with Slack's code, such as `bad_client_secret`; [`Error::UpstreamUnavailable`] when Slack does
    /// not answer properly.
    pub async fn check_credentials(&self) -> Result<()> {
        match self.access(&[("code", "0"), ("redirect_uri", self.app.redirect_uri.as_str())]).await {
            Err(Error::Refused { code, .. }) if code == "invalid_code" => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Exchanges a refresh token for the next access token. The refresh token is spent by it: see that only one caller
    /// at a time does this for a workspace, and store the new one before anything else.
    ///
    /// # Errors
    /// [`Error::Refused`] with Slack's code, such as `invalid_refresh_token`; [`Error::UpstreamUnavailable`] when Slack
    /// does not answer properly.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<SlackGrant> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        grant(self.access(&form).await?)
    }

    /// Revokes a token. It does not uninstall the app.
    ///
    /// A dead token already counts as revoked.
    ///
    /// # Errors
    /// [`SlackFailure`] when Slack does not answer properly, or refuses.
    pub async fn revoke(&self, token: &Secret) -> Result<(), SlackFailure> {
        let bearer = bearer(token).ok_or(SlackFailure::unreachable(Unreachable::Other))?;
        let request = self.http.post(self.method("auth.revoke")).header(AUTHORIZATION, bearer);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;
        match answer::succeeded(&got, failure) {
            Err(failure) if matches!(failure.outcome(), Outcome::ConnectionDead | Outcome::TokenExpired) => Ok(()),
            other => other,
        }
    }

    async fn access(&self, form: &[(&str, &str)]) -> Result<Access> {
        let request = self
            .http
            .post(self.method("oauth.v2.access"))
            .basic_auth(&self.app.client_id, Some(self.app.client_secret.expose()))
            .form(form);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;
        answer::parse(&got, failure).map_err(|failure| match failure {
            SlackFailure::Refused { code } if is_passing(&code) => {
                SlackFailure::unreachable(Unreachable::ServerError).into()
            }
            failure => failure.into(),
        })
    }
}

fn grant(access: Access) -> Result<SlackGrant> {
    let Some(access_token) = access.access_token.filter(|token| !token.expose().is_empty()) else {
        let message = "Slack gave no bot token; see that slack.scopes names scopes of the bot, such as chat:write";
        return Err(Error::FailedPrecondition { message: message.into() });
    };
    let enterprise = access.enterprise.unwrap_or_default();
    let enterprise_id = Some(enterprise.id.clone()).filter(|id| !id.is_empty());
    let installed_in = if access.is_enterprise_install { enterprise } else { access.team.unwrap_or_default() };
    Ok(SlackGrant {
        team_id: installed_in.id,
        team_name: installed_in.name,
        enterprise_id,
        org_wide: access.is_enterprise_install,
        bot_user_id: access.bot_user_id,
        app_id: access.app_id,
        scopes: access.scope,
        access_token,
        refresh_token: access.refresh_token,
        expires_in: access.expires_in.map(Duration::from_secs),
        authed_user_id: access.authed_user.unwrap_or_default().id,
        incoming_webhook: access.incoming_webhook,
    })
}
