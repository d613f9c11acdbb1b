//! Rights of a person (GitHub: "Generating a user access token for a GitHub App"). Knowing an installation's number
//! proves nothing, and seeing an installation proves little: only both together with the administrator's role prove
//! ownership.

use reqwest::{
    StatusCode,
    header::{ACCEPT, HeaderValue},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    GithubClient, MAX_PAGES,
    answer::{self, Failure},
    rest_headers,
};
use crate::{
    domain::{Error, Result, github::GithubUser, secret::Secret},
    provider::http::{Unreachable, under},
};

/// Without it, GitHub answers with a form.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Deserialize)]
struct Access {
    access_token: Option<Secret>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    login: String,
}

#[derive(Deserialize)]
struct Installations {
    total_count: Option<usize>,
    installations: Vec<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    id: i64,
}

#[derive(Deserialize)]
struct Membership {
    state: String,
    role: String,
}

impl GithubClient {
    /// Exchanges the code that a browser brought back for a token of the person who consented. A code is valid for one
    /// exchange. The token serves to read the person's identity and rights, at once; there is no refresh token.
    ///
    /// # Errors
    /// [`Error::Refused`] with GitHub's code, such as `bad_verification_code`; [`Error::UpstreamUnavailable`] when
    /// GitHub does not answer properly.
    pub async fn exchange_code(&self, code: &str) -> Result<Secret> {
        let form = [
            ("client_id", self.app.client_id.as_str()),
            ("client_secret", self.app.client_secret.expose()),
            ("code", code),
            ("redirect_uri", self.app.redirect_uri.as_str()),
        ];
        let request = self.http.post(under(&self.app.web_base, "login/oauth/access_token"));
        let request = request.header(ACCEPT, JSON).form(&form);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;
        let status = answer::reached(&got, failure, self.ambient.now())?;
        // The status says nothing: refusals come with 200 too.
        let access: Access = answer::parse(&got)?;
        match (access.error, access.access_token) {
            (Some(code), _) => Err(Failure::Refused { status, words: answer::shown(&code, status) }.into()),
            (None, Some(token)) if status.is_success() && !token.expose().is_empty() => Ok(token),
            _ => Err(Failure::unreachable(Unreachable::NotJson).into()),
        }
    }

    /// Returns the user of a token.
    ///
    /// # Errors
    /// [`Error::Refused`] when the token is dead; [`Error::UpstreamUnavailable`] when GitHub does not answer properly.
    pub async fn user(&self, token: &Secret) -> Result<GithubUser> {
        let user: User = self.get(self.api("user"), token).await?;
        Ok(GithubUser { id: user.id, login: user.login })
    }

    /// Reports that a person can see an installation of our app. It takes no more than to read one of its repositories,
    /// so this is necessary for binding an installation and never sufficient.
    ///
    /// # Errors
    /// [`Error::Refused`] when the token is dead; [`Error::UpstreamUnavailable`] when GitHub does not answer properly;
    /// [`Error::FailedPrecondition`] when the person sees too many installations to look through.
    pub async fn user_sees_installation(&self, token: &Secret, id: i64) -> Result<bool> {
        self.in_time(async {
            let mut seen = 0;
            for number in 1..=MAX_PAGES {
                let (page, headers): (Installations, _) =
                    self.get_page(self.page("user/installations", number), token).await?;
                if page.installations.iter().any(|installation| installation.id == id) {
                    return Ok(true);
                }
                seen += page.installations.len();
                if !answer::has_next(&headers, page.installations.len(), seen, page.total_count) {
                    return Ok(false);
                }
            }
            let message = format!("this GitHub user sees more than {seen} installations, too many to look through");
            Err(Error::FailedPrecondition { message })
        })
        .await
    }

    /// Reports that a person administers an organisation. The app needs the permission to read members for it; without
    /// it, the result is `false`.
    ///
    /// # Errors
    /// [`Error::Refused`] when the token is dead; [`Error::UpstreamUnavailable`] when GitHub does not answer properly.
    pub async fn is_organization_admin(&self, token: &Secret, login: &str) -> Result<bool> {
        if !is_login(login) {
            return Ok(false);
        }
        match self.get::<Membership>(self.api(&format!("user/memberships/orgs/{login}")), token).await {
            Ok(membership) => Ok(membership.state == "active" && membership.role == "admin"),
            Err(Failure::Refused { status: StatusCode::FORBIDDEN, words }) => {
                tracing::warn!(
                    organisation = login,
                    said = %words,
                    "GitHub does not show the membership; the app needs the organisation permission Members: read"
                );
                Ok(false)
            }
            Err(failure) if failure.status() == Some(StatusCode::NOT_FOUND) => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Revokes a person's token. A dead one already counts as revoked.
    ///
    /// # Errors
    /// [`Error::Refused`] when our own credentials are wrong; [`Error::UpstreamUnavailable`] when GitHub does not
    /// answer properly.
    pub async fn revoke_user_token(&self, token: &Secret) -> Result<()> {
        let request = self
            .http
            .delete(self.api(&format!("applications/{}/token", self.app.client_id)))
            .headers(rest_headers())
            .basic_auth(&self.app.client_id, Some(self.app.client_secret.expose()))
            .json(&json!({"access_token": token.expose()}));
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;
        match answer::succeeded(&got, failure, self.ambient.now()) {
            Err(Failure::Refused { status: StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY, .. }) => Ok(()),
            revoked => Ok(revoked?),
        }
    }
}

/// Accepts the characters of account names. A name is put into an address, where other characters would lead elsewhere.
fn is_login(login: &str) -> bool {
    (1..=100).contains(&login.len()) && login.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
