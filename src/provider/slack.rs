//! Slack: a thin client of its Web API, and the signature on what Slack sends to us.
//!
//! - `post`: `chat.postMessage`, the hot path.
//! - `oauth`: connecting a workspace (`oauth.v2.access`), refreshing its token, revoking it.
//! - `lists`: the conversations that the bot can see, and the workspaces of an Enterprise organisation.
//! - `people`: who somebody is, and the modal that is opened for them.
//! - `answer`: what Slack's answers mean before anyone knows which method it was.
//! - [`signature`]: whether a request comes from Slack.
//! - [`inbound`]: what it says.
//!
//! The client decides nothing: what a refusal means for a delivery or a connection is `domain::slack::verdict`.

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

/// Our app at Slack, and where Slack is.
#[derive(Clone, Debug)]
pub struct SlackApp {
    /// From the app's "Basic Information".
    pub client_id: String,
    /// From there too.
    pub client_secret: Secret,
    /// Signs what Slack sends to us.
    pub signing_secret: Secret,
    /// Where browsers go: `https://slack.com`.
    pub web_base: Url,
    /// Where methods are called: `https://slack.com/api`.
    pub api_base: Url,
    /// Where response addresses may lead: `https://hooks.slack.com`.
    pub hooks_base: Url,
    /// Where Slack sends the browser after consent. It must be registered with the app in exactly this form.
    pub redirect_uri: Url,
    /// What the bot may do, such as `chat:write`.
    pub scopes: Vec<String>,
    /// Where Slack sends it in [`Flow::SlackApp`], which connects the app that members use within Slack.
    pub app_redirect_uri: Url,
    /// What the bot may do then.
    pub app_scopes: Vec<String>,
}

/// A client of Slack's Web API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SlackClient {
    app: SlackApp,
    http: Client,
    limits: Limits,
    // Made once: a message a millisecond needs no parsing of addresses.
    post_message: Url,
}

/// A client for [`SlackClient::new`]: no redirects, no proxy, kept connections.
///
/// # Errors
/// [`Error::Internal`](crate::domain::Error::Internal) when TLS cannot be set up on this machine.
pub fn http_client(limits: &Limits) -> Result<Client> {
    super::http::client(limits)
}

impl SlackClient {
    /// Speaks for `app` through `http`, which [`http_client`] made.
    pub fn new(app: SlackApp, http: Client, limits: Limits) -> Self {
        let post_message = under(&app.api_base, "chat.postMessage");
        Self { app, http, limits, post_message }
    }

    /// The app it speaks for.
    pub fn app(&self) -> &SlackApp {
        &self.app
    }

    /// Where a browser goes to connect a workspace (Slack: "Installing with OAuth"). `state` comes back with the code.
    pub fn authorize_url(&self, flow: Flow, state: &str) -> Url {
        let (redirect_uri, scopes) = self.way(flow);
        let mut url = under(&self.app.web_base, "oauth/v2/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.app.client_id)
            .append_pair("scope", &scopes.join(","))
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("state", state);
        url
    }

    /// Where a flow comes back, and what it asks for.
    fn way(&self, flow: Flow) -> (&Url, &[String]) {
        match flow {
            Flow::SlackApp | Flow::SlackAppConfirm => (&self.app.app_redirect_uri, &self.app.app_scopes),
            // GitHub's flows go to GitHub and never ask here.
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
