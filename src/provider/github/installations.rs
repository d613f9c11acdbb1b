//! Details and repositories of an installation of the app (GitHub: "Authenticating as a GitHub App installation").
//!
//! An installation's token is valid for an hour. It is kept in memory only, and fetched once for all concurrent
//! callers.

use std::{collections::HashSet, future::ready, time};

use chrono::Duration;
use moka::{future::Cache, ops::compute::Op};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::{
    GithubClient, MAX_PAGES, PER_PAGE,
    answer::{self, Failure},
    webhook::{self, Repository},
};
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        github::{GithubInstallation, GithubRepository},
        secret::Secret,
    },
    provider::http::Unreachable,
};

/// Remaining lifetime below which a token is not used any more: the request that it is fetched for may take a while.
const MARGIN: Duration = Duration::minutes(5);

/// A token with its expiry.
#[derive(Clone)]
pub(super) struct InstallationToken {
    token: Secret,
    expires_at: Time,
}

#[derive(Deserialize)]
struct Issued {
    token: Secret,
    expires_at: Time,
}

#[derive(Deserialize)]
struct Page {
    total_count: Option<usize>,
    repositories: Vec<Repository>,
}

/// Creates the token cache. The tokens' own expiry counts; the limits here only bound the memory.
pub(super) fn tokens() -> Cache<i64, InstallationToken> {
    Cache::builder().max_capacity(10_000).time_to_live(time::Duration::from_secs(3_600)).build()
}

impl GithubClient {
    /// Fetches an installation of our app.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none with this number, or it is another app's; [`Error::FailedPrecondition`]
    /// when GitHub does not know our app by its key, or the installation is of a kind that is not supported;
    /// [`Error::Refused`]; [`Error::UpstreamUnavailable`] when GitHub does not answer properly.
    pub async fn installation(&self, id: i64) -> Result<GithubInstallation> {
        let jwt = self.key.token(self.ambient.now())?;
        let url = self.api(&format!("app/installations/{id}"));
        let value: Value = self.get(url, &jwt).await.map_err(|failure| as_app(id, failure))?;
        if value["target_type"] == "Enterprise" {
            let message = "the app is installed for a whole GitHub enterprise, which is not supported; \
                           install it for an organisation";
            return Err(Error::FailedPrecondition { message: message.into() });
        }
        let installation = webhook::installation(&value).filter(|installation| installation.id == id);
        let installation = installation.ok_or(Failure::unreachable(Unreachable::NotJson))?;
        let ours = self.app.app_id.is_empty() || installation.app_id.to_string() == self.app.app_id;
        if ours { Ok(installation) } else { Err(not_found(id)) }
    }

    /// Returns the slug of our app, as GitHub knows it by its key.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] when GitHub does not know our app by its key; [`Error::Refused`];
    /// [`Error::UpstreamUnavailable`] when GitHub does not answer properly.
    pub async fn app_at_github(&self) -> Result<String> {
        let jwt = self.key.token(self.ambient.now())?;
        let value: Value = self.get(self.api("app"), &jwt).await.map_err(|failure| as_app(0, failure))?;
        let slug = value["slug"].as_str().map(str::to_owned);
        slug.ok_or_else(|| Failure::unreachable(Unreachable::NotJson).into())
    }

    /// Lists the repositories of an installation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the installation is gone; [`Error::FailedPrecondition`] when it is suspended, when it
    /// sees more than 20,000 repositories, or when GitHub does not know our app by its key; [`Error::Refused`];
    /// [`Error::UpstreamUnavailable`] when GitHub does not answer properly.
    pub async fn repositories(&self, id: i64) -> Result<Vec<GithubRepository>> {
        self.in_time(async {
            let mut repositories = Vec::new();
            // One that is added while the pages are read moves others to the next page.
            let mut known = HashSet::new();
            let mut seen = 0;
            for number in 1..=MAX_PAGES {
                let (page, more) = self.repository_page(id, number, seen).await?;
                seen += page.len();
                repositories.extend(page.into_iter().filter(|repository| known.insert(repository.id)));
                if !more {
                    return Ok(repositories);
                }
            }
            let most = MAX_PAGES * PER_PAGE;
            let message = format!(
                "the GitHub installation {id} sees more than {most} repositories; choose fewer of them for it, in the \
                 settings of the installed app at GitHub"
            );
            Err(Error::FailedPrecondition { message })
        })
        .await
    }

    /// Fetches a page of repositories; returns `true` if there are more.
    async fn repository_page(&self, id: i64, number: usize, seen: usize) -> Result<(Vec<GithubRepository>, bool)> {
        let url = self.page("installation/repositories", number);
        let token = self.installation_token(id).await?;
        let mut answer = self.get_page::<Page>(url.clone(), &token).await;
        if answer.as_ref().err().and_then(Failure::status) == Some(StatusCode::UNAUTHORIZED) {
            // Tokens die early: with a change of the app's permissions, or when the installation is removed.
            self.forget(id, |kept| kept.token == token).await;
            let token = self.installation_token(id).await?;
            answer = self.get_page(url, &token).await;
        }
        let (page, headers) = answer.map_err(|failure| as_installation(id, failure))?;
        let more =
            answer::has_next(&headers, page.repositories.len(), seen + page.repositories.len(), page.total_count);
        Ok((page.repositories.into_iter().map(GithubRepository::from).collect(), more))
    }

    /// Returns a token that is valid for at least another five minutes.
    async fn installation_token(&self, id: i64) -> Result<Secret> {
        let soon = self.ambient.now() + MARGIN;
        if let Some(kept) = self.tokens.get(&id).await {
            if soon < kept.expires_at {
                return Ok(kept.token);
            }
            self.forget(id, |kept| kept.expires_at <= soon).await;
        }
        let fetched = self.tokens.try_get_with(id, self.fetch_token(id)).await;
        fetched.map(|kept| kept.token).map_err(|error| Error::clone(&error))
    }

    async fn fetch_token(&self, id: i64) -> Result<InstallationToken> {
        let jwt = self.key.token(self.ambient.now())?;
        let request = self.http.post(self.api(&format!("app/installations/{id}/access_tokens")));
        // The answer lists the repositories, where some were chosen.
        let got = self.ask(request, &jwt, self.limits.max_answer_bytes.max(super::MAX_PAGE_BYTES)).await;
        let got = got.map_err(|failure| as_app(id, failure))?;
        let issued: Issued = answer::parse(&got)?;
        tracing::debug!(installation = id, expires_at = %issued.expires_at, "fetched an installation's token");
        Ok(InstallationToken { token: issued.token, expires_at: issued.expires_at })
    }

    /// Drops a token from the cache, unless it has been replaced.
    async fn forget(&self, id: i64, which: impl Fn(&InstallationToken) -> bool) {
        let entry = self.tokens.entry(id);
        let drop = |kept: Option<moka::Entry<i64, InstallationToken>>| {
            let that = kept.is_some_and(|kept| which(kept.value()));
            ready(if that { Op::Remove } else { Op::Nop })
        };
        entry.and_compute_with(drop).await;
    }
}

/// Maps a refusal of the app's own token.
fn as_app(id: i64, failure: Failure) -> Error {
    if failure.status() == Some(StatusCode::UNAUTHORIZED) {
        tracing::error!(
            ?failure,
            "GitHub does not know our app: check github.app_id, github.private_key and this machine's clock"
        );
        let message = "GitHub does not know this service's app by its key; whoever runs this service has to check \
                       github.app_id, github.private_key and the clock";
        return Error::FailedPrecondition { message: message.into() };
    }
    as_installation(id, failure)
}

/// Maps a refusal in the context of an installation.
fn as_installation(id: i64, failure: Failure) -> Error {
    if failure.is_suspended() {
        let message = format!(
            "the GitHub installation {id} is suspended; unsuspend it in the settings of the installed app at GitHub, \
             and try again"
        );
        return Error::FailedPrecondition { message };
    }
    match failure.status() {
        Some(StatusCode::NOT_FOUND) => not_found(id),
        _ => failure.into(),
    }
}

fn not_found(id: i64) -> Error {
    Error::not_found(Noun::GithubInstallation, id)
}
