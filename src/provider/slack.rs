//! Slack: a thin client of its Web API, and the signature on what Slack sends to us.
//!
//! - `post`: `chat.postMessage`, the hot path.
//! - `oauth`: connecting a workspace (`oauth.v2.access`), refreshing its token, revoking it.
//! - `channels`: the conversations that the bot can see.
//! - `answer`: what Slack's answers mean before anyone knows which method it was.
//! - [`signature`]: requests from Slack.
//!
//! The client decides nothing: what a refusal means for a delivery or a connection is `domain::slack::verdict`.

mod answer;
mod channels;
mod oauth;
mod post;
pub mod signature;

use reqwest::{Client, RequestBuilder, header};
use url::Url;

use super::http::Exchange;
use crate::domain::{Result, secret::Secret};

pub use super::http::{Limits, Unreachable};
pub use answer::SlackFailure;
pub use oauth::SlackGrant;
pub use post::{PostAnswer, post_body};

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
    pub fn authorize_url(&self, state: &str) -> Url {
        let mut url = under(&self.app.web_base, "oauth/v2/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.app.client_id)
            .append_pair("scope", &self.app.scopes.join(","))
            .append_pair("redirect_uri", self.app.redirect_uri.as_str())
            .append_pair("state", state);
        url
    }

    fn method(&self, name: &str) -> Url {
        under(&self.app.api_base, name)
    }

    async fn call(&self, request: RequestBuilder, max_answer_bytes: usize) -> (Exchange, Option<Unreachable>) {
        super::http::exchange(request, self.limits.total, max_answer_bytes).await
    }
}

/// `base` with more path.
fn under(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// `Authorization: Bearer …`, marked so that it is not shown. Nothing when the token has characters that a header
/// cannot have.
fn bearer(token: &Secret) -> Option<header::HeaderValue> {
    let mut value = header::HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
