//! Slack: a thin client of its Web API, and the signature on Slack's requests to us.
//!
//! - `post`: `chat.postMessage`, the hot path.
//! - `oauth`: connecting a workspace (`oauth.v2.access`), refreshing its token, revoking it.
//! - `lists`: the conversations that the bot can see, and the workspaces of an Enterprise organisation.
//! - `people`: a user's profile, and modals.
//! - `answer`: classification of Slack's answers, independent of the method.
//! - [`signature`]: authentication of requests from Slack.
//! - [`inbound`]: parsing of their contents.
//!
//! The client decides nothing: `domain::slack::outcome` classifies a refusal for a delivery or a connection.

mod answer;
pub mod inbound;
mod lists;
mod oauth;
mod people;
mod post;
pub mod signature;

use reqwest::{Client, RequestBuilder};
use url::Url;

use super::http::{Exchange, bearer, under};
use crate::domain::{Result, secret::Secret, tenancy::oauth::Flow};

pub use super::http::{Limits, Unreachable};
pub use answer::SlackFailure;
pub use oauth::{IncomingWebhook, SlackGrant};
pub use post::{PostAnswer, Reply, post_body};

/// Our app at Slack, with Slack's addresses.
#[derive(Clone, Debug)]
pub struct SlackApp {
    /// Client id, from the app's "Basic Information".
    pub client_id: String,
    /// Client secret, from there too.
    pub client_secret: Secret,
    /// Secret by which Slack signs its requests to us.
    pub signing_secret: Secret,
    /// Base address of Slack's pages: `https://slack.com`.
    pub web_base: Url,
    /// Base address of the methods: `https://slack.com/api`.
    pub api_base: Url,
    /// Base address of response URLs: `https://hooks.slack.com`.
    pub hooks_base: Url,
    /// Target of the browser after consent. It must be registered with the app in exactly this form.
    pub redirect_uri: Url,
    /// Scopes of the bot, such as `chat:write`.
    pub scopes: Vec<String>,
    /// Target of the browser in [`Flow::SlackConnection`].
    pub connection_redirect_uri: Url,
    /// Target of the browser in [`Flow::SlackApp`], which connects the app that members use within Slack.
    pub app_redirect_uri: Url,
    /// Scopes of the bot in these two flows.
    pub app_scopes: Vec<String>,
}

/// A client of Slack's Web API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SlackClient {
    app: SlackApp,
    http: Client,
    limits: Limits,
    // Built once: a message a millisecond needs no parsing of addresses.
    post_message: Url,
}

/// Builds the client for [`SlackClient::new`]: no redirects, no proxy, kept connections.
///
/// # Errors
/// [`Error::Internal`](crate::domain::Error::Internal) when TLS cannot be set up on this machine.
pub fn http_client(limits: &Limits) -> Result<Client> {
    super::http::client(limits)
}

impl SlackClient {
    /// Creates a client for `app` over `http`, which [`http_client`] has built.
    pub fn new(app: SlackApp, http: Client, limits: Limits) -> Self {
        let post_message = under(&app.api_base, "chat.postMessage");
        Self { app, http, limits, post_message }
    }

    /// Returns its app.
    pub fn app(&self) -> &SlackApp {
        &self.app
    }

    /// Returns the address at which a browser connects a workspace (Slack: "Installing with OAuth"). `state` comes back
    /// with the code.
    pub fn authorize_url(&self, flow: Flow, state: &str) -> Url {
        let (redirect_uri, scopes) = self.redirect_and_scopes(flow);
        let mut url = under(&self.app.web_base, "oauth/v2/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.app.client_id)
            .append_pair("scope", &scopes.join(","))
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("state", state);
        url
    }

    /// Returns the redirect address and the scopes of a flow.
    fn redirect_and_scopes(&self, flow: Flow) -> (&Url, &[String]) {
        match flow {
            Flow::SlackApp | Flow::SlackAppConfirm => (&self.app.app_redirect_uri, &self.app.app_scopes),
            Flow::SlackConnection | Flow::SlackConnectionConfirm => {
                (&self.app.connection_redirect_uri, &self.app.app_scopes)
            }
            // GitHub's flows do not get here.
            Flow::Slack | Flow::SlackConfirm | Flow::Github | Flow::GithubConfirm => {
                (&self.app.redirect_uri, &self.app.scopes)
            }
        }
    }

    fn method(&self, name: &str) -> Url {
        under(&self.app.api_base, name)
    }

    async fn call(&self, request: RequestBuilder, max_answer_bytes: usize) -> (Exchange, Option<Unreachable>) {
        super::http::exchange(request, self.limits.total, max_answer_bytes).await
    }
}

#[cfg(test)]
mod tests;
