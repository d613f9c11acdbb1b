//! GitHub: a thin client of its API for a GitHub App, and the requests that GitHub sends to us.
//!
//! - `jwt`: the app's key, and the tokens with which the app authenticates itself.
//! - `oauth`: the rights of a person: sign-in, visible installations, administered organisations.
//! - `installations`: the details and the repositories of an installation, with tokens of its own.
//! - `answer`: classification of GitHub's answers, independent of the request.
//! - [`signature`]: authentication of requests from GitHub.
//! - [`webhook`]: parsing of their contents.
//!
//! The client decides nothing: the caller concludes from its results who may link an installation.

mod answer;
mod installations;
mod jwt;
mod oauth;
pub mod signature;
pub mod webhook;

use std::{fmt, sync::Arc};

use moka::future::Cache;
use reqwest::{
    Client, RequestBuilder,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use serde::de::DeserializeOwned;
use url::Url;

use self::{answer::Failure, installations::InstallationToken, jwt::AppKey};
use super::http::{self, Exchange, Unreachable, bearer, under};
use crate::domain::{Result, ambient::Ambient, secret::Secret};

pub use super::http::Limits;
#[cfg(test)]
pub(crate) use jwt::tests::pkcs1 as test_key;

/// Supported form of the answers (GitHub: "Media types", "API Versions").
const JSON: HeaderValue = HeaderValue::from_static("application/vnd.github+json");
const API_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28"));

/// Maximum size of a page: it holds up to 100 objects that GitHub describes at length; a hundred repositories are 600
/// kB.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Page size: GitHub's maximum.
const PER_PAGE: usize = 100;
/// Maximum number of pages read.
const MAX_PAGES: usize = 200;
/// Time limit of all pages together, in multiples of the limit of one exchange.
const MAX_EXCHANGES: u32 = 30;

/// Our app at GitHub, with GitHub's addresses.
#[derive(Clone, Debug)]
pub struct GithubApp {
    /// The app's number. Where it is empty, the client id identifies the app.
    pub app_id: String,
    /// The app's slug in addresses.
    pub slug: String,
    /// OAuth client id, for signing people in.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: Secret,
    /// RSA, as PEM: PKCS#1, as GitHub hands it out, or PKCS#8.
    pub private_key: Secret,
    /// Secrets by which GitHub signs its requests to us. There are two during a rotation.
    pub webhook_secrets: Vec<Secret>,
    /// Base address of GitHub's pages: `https://github.com`.
    pub web_base: Url,
    /// Base address of the API: `https://api.github.com`, or `https://HOST/api/v3`.
    pub api_base: Url,
    /// Target of the browser after consent. It must be registered with the app.
    pub redirect_uri: Url,
}

/// A client of GitHub's API. Cheap to clone; the clones share their tokens.
#[derive(Clone)]
pub struct GithubClient {
    app: Arc<GithubApp>,
    key: Arc<AppKey>,
    http: Client,
    limits: Limits,
    ambient: Ambient,
    tokens: Cache<i64, InstallationToken>,
}

impl fmt::Debug for GithubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubClient").field("app", &self.app).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl GithubClient {
    /// Creates a client for `app` over `http`, which [`http::client`] has built.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::domain::Error::Invalid) when the private key is not one that can sign.
    pub fn new(app: GithubApp, http: Client, limits: Limits, ambient: Ambient) -> Result<Self> {
        let issuer = if app.app_id.is_empty() { &app.client_id } else { &app.app_id };
        let key = Arc::new(AppKey::new(&app.private_key, issuer, ambient.now())?);
        Ok(Self { app: Arc::new(app), key, http, limits, ambient, tokens: installations::tokens() })
    }

    /// Returns its app.
    pub fn app(&self) -> &GithubApp {
        &self.app
    }

    /// Returns the address at which a browser installs the app, or chooses its repositories. `state` comes back from
    /// there.
    pub fn install_url(&self, state: &str) -> Url {
        let host = self.app.web_base.host_str().unwrap_or_default();
        let is_githubs_own = host == "github.com" || host.ends_with(".ghe.com");
        // GitHub Enterprise Server uses another path (its manual: "Sharing your GitHub App").
        let apps = if is_githubs_own { "apps" } else { "github-apps" };
        let mut url = under(&self.app.web_base, &format!("{apps}/{}/installations/new", self.app.slug));
        url.query_pairs_mut().append_pair("state", state);
        url
    }

    /// Returns the address at which a browser signs in, without installing anything. `state` comes back with the code.
    pub fn authorize_url(&self, state: &str) -> Url {
        let mut url = under(&self.app.web_base, "login/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.app.client_id)
            .append_pair("redirect_uri", self.app.redirect_uri.as_str())
            .append_pair("state", state);
        url
    }

    fn api(&self, path: &str) -> Url {
        under(&self.app.api_base, path)
    }

    /// Returns the address of a page by its number, since an address from an answer could lead anywhere.
    fn page(&self, path: &str, number: usize) -> Url {
        let mut url = self.api(path);
        url.query_pairs_mut().append_pair("per_page", &PER_PAGE.to_string()).append_pair("page", &number.to_string());
        url
    }

    async fn call(&self, request: RequestBuilder, max_answer_bytes: usize) -> (Exchange, Option<Unreachable>) {
        http::exchange(request, self.limits.total, max_answer_bytes).await
    }

    /// Sends a request of the REST API with a token of either kind.
    async fn ask(&self, request: RequestBuilder, token: &Secret, max_answer_bytes: usize) -> Result<Exchange, Failure> {
        let bearer = bearer(token).ok_or(Failure::unreachable(Unreachable::Other))?;
        let request = request.headers(rest_headers()).header(AUTHORIZATION, bearer);
        let (got, failure) = self.call(request, max_answer_bytes).await;
        answer::succeeded(&got, failure, self.ambient.now())?;
        Ok(got)
    }

    async fn get<T: DeserializeOwned>(&self, url: Url, token: &Secret) -> Result<T, Failure> {
        answer::parse(&self.ask(self.http.get(url), token, self.limits.max_answer_bytes).await?)
    }

    async fn get_page<T: DeserializeOwned>(&self, url: Url, token: &Secret) -> Result<(T, HeaderMap), Failure> {
        let got = self.ask(self.http.get(url), token, self.limits.max_answer_bytes.max(MAX_PAGE_BYTES)).await?;
        Ok((answer::parse(&got)?, got.headers))
    }

    /// Reads pages within a common time limit.
    async fn in_time<T>(&self, pages: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.limits.total.saturating_mul(MAX_EXCHANGES), pages).await {
            Ok(read) => read,
            Err(_) => Err(Failure::unreachable(Unreachable::Timeout).into()),
        }
    }
}

fn rest_headers() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, JSON), API_VERSION])
}

#[cfg(test)]
mod tests;
