//! Connects a GitHub installation: the flow through GitHub's pages, and the proof at its end.
//!
//! Not here: the list of installations, and unlinking (`links`).
//!
//! An installation's number is small and can be guessed, and GitHub shows an installation to everybody with read access
//! to one of its repositories. So a link requires three things: a state that this member was issued, a user token that
//! the browser brought from GitHub, and that its user *administers* the account (GitHub Docs: "About the setup URL").
//!
//! None of them proves the intent of the person at the browser. GitHub signs a user in without a click once they have
//! authorised the app, so an attacker's link would suffice. Therefore the browser is asked for confirmation
//! (`tenancy::consents`).

use serde_json::json;
use url::Url;

use super::GithubConnections;
use crate::{
    app::{
        Caller,
        tenancy::{
            consents::{Carry, Consent},
            oauth_states::carried,
        },
    },
    domain::{
        Error, Result,
        error::Upstream,
        github::{
            AccountKind, GithubInstallation, GithubUser,
            link::{GithubLink, PROOF_LIFETIME},
        },
        secret::Secret,
        tenancy::{
            member::{Member, Permission},
            oauth::{Flow, refusal},
            organisation::Organisation,
        },
    },
    provider::github::GithubClient,
    store,
};

/// Parameters of GitHub's redirect to the browser.
#[derive(Clone, Debug, Default)]
pub struct GithubCallback {
    /// Code to be exchanged for a user token.
    pub code: Option<String>,
    /// Number of the installation. It is not authenticated: anybody can write a number there.
    pub installation_id: Option<i64>,
    /// `install`, `update` or `request`.
    pub setup_action: Option<String>,
    /// OAuth state.
    pub state: Option<String>,
    /// GitHub's error code, where there is no `code`.
    pub error: Option<String>,
}

/// Outcome of a redirect from GitHub.
#[derive(Clone, Debug)]
pub enum GithubConnected {
    /// An owner of the account has to approve the requested installation first.
    Requested {
        /// Organisation for which it was requested.
        organisation: Organisation,
    },
    /// An installation was changed at GitHub, outside of a flow of this service.
    Updated,
    /// GitHub has to identify the user first.
    Authorize(Url),
    /// The user administers the account, and is asked for confirmation.
    Proven(Consent),
}

/// Age of the proof by which an installation is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Proof {
    /// Created for this link.
    New,
    /// Stored earlier; using it does not extend its lifetime.
    Remembered,
}

impl GithubConnections {
    /// Returns the client of GitHub, where an app is configured.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] naming the missing settings.
    pub fn github(&self) -> Result<&GithubClient> {
        self.client.as_ref().ok_or_else(|| Error::FailedPrecondition {
            message: "no GitHub App is configured; set TIELINE_GITHUB__APP_ID and the other settings of [github]"
                .into(),
        })
    }

    /// Completes a flow that began with a card's link, when the browser comes back from GitHub.
    ///
    /// # Errors
    /// [`Error::OAuthState`], [`Error::Refused`] with GitHub's error code, [`Error::Forbidden`] where the member no
    /// longer may link GitHub, [`Error::NotProven`], [`Error::FailedPrecondition`], [`Error::UpstreamUnavailable`].
    pub async fn complete_github_install(&self, callback: GithubCallback) -> Result<GithubConnected> {
        let GithubCallback { code, installation_id, setup_action, state, error } = callback;
        let Some(state) = state else {
            // An installation that was begun or changed on GitHub's own pages comes without a state.
            return match setup_action.as_deref() {
                Some("update") => Ok(GithubConnected::Updated),
                _ => {
                    Err(Error::invalid("state", "is missing; open the link of the GitHub card to link an installation"))
                }
            };
        };
        let begun = self.tenancy.take_state(Flow::Github, &state, None).await?;
        let member = &begun.member;
        if let Some(word) = error {
            return Err(Error::Refused { upstream: Upstream::Github, code: refusal(&word).to_owned() });
        }
        Caller::member(member, None).require(Permission::GithubManage)?;
        if setup_action.as_deref() == Some("request") {
            let reader = self.base.store.reader();
            let organisation = store::tenancy::organisations::find(reader, member.organisation_id).await?;
            return Ok(GithubConnected::Requested { organisation });
        }
        let installation_id = installation_id.or_else(|| carried(&state));
        let installation_id = installation_id.ok_or_else(|| Error::invalid("installation_id", "is missing"))?;
        let Some(code) = code else {
            // GitHub sends a code only with the first installation.
            let state = self.tenancy.issue_state_carrying(&begun, Flow::Github, installation_id).await?;
            return Ok(GithubConnected::Authorize(self.github()?.authorize_url(&state)));
        };
        self.prove_github(member, &code, installation_id).await?;
        let consent = self.tenancy.ask_consent(&begun, Flow::GithubConfirm, Carry::Number(installation_id)).await?;
        Ok(GithubConnected::Proven(consent))
    }

    /// Exchanges a code for its user, demands that they administer the installation, and stores the installation.
    pub(in crate::app) async fn prove_github(
        &self,
        member: &Member,
        code: &str,
        installation_id: i64,
    ) -> Result<GithubInstallation> {
        let github = self.github()?;
        let token = github.exchange_code(code).await?;
        let proved = self.prove_with(github, &token, installation_id).await;
        // The token is no longer needed; if GitHub does not revoke it, it expires by itself.
        if let Err(error) = github.revoke_user_token(&token).await {
            tracing::debug!(%error, "GitHub did not revoke a user token");
        }
        let (user, installation) = proved?;
        // Taken before the request: a webhook that arrives meanwhile is newer than the response.
        let now = self.base.now();
        let repositories = github.repositories(installation_id).await?;
        let tx = self.base.store.begin().await?;
        self.tenancy.require_still(&tx, member, Permission::GithubManage).await?;
        store::github::installations::save(&tx, self.base.ambient.id(), &installation, now).await?;
        store::github::installations::replace_repositories(&tx, installation_id, &repositories, now).await?;
        let actor = (member.organisation_id, member.user_id.to_string());
        let detail =
            json!({"github_user": user.login, "github_user_id": user.id, "account": installation.account.login});
        self.base.audit(&tx, (actor.0, &actor.1), "github_link.prove", installation_id, detail).await?;
        tx.commit().await?;
        Ok(installation)
    }

    async fn prove_with(
        &self,
        github: &GithubClient,
        token: &Secret,
        installation_id: i64,
    ) -> Result<(GithubUser, GithubInstallation)> {
        let user = github.user(token).await?;
        let not_proven = || Error::NotProven {
            upstream: Upstream::Github,
            message: format!(
                "{} does not administer the account of the GitHub installation {installation_id}; an owner of it has to \
                 open the link of the GitHub card",
                user.login
            ),
        };
        if !github.user_sees_installation(token, installation_id).await? {
            return Err(not_proven());
        }
        let installation = github.installation(installation_id).await?;
        if installation.suspended_at.is_some() {
            let message = "the GitHub installation is suspended; unsuspend it on GitHub and try again".to_owned();
            return Err(Error::FailedPrecondition { message });
        }
        let administers = match installation.account.kind {
            AccountKind::User => installation.account.id == user.id,
            AccountKind::Organization => github.is_organization_admin(token, &installation.account.login).await?,
        };
        if administers { Ok((user, installation)) } else { Err(not_proven()) }
    }

    /// Links a proven installation if both it and the member still exist; a repetition changes nothing. A new proof is
    /// stored for a short time.
    pub(in crate::app) async fn link_github(&self, member: &Member, installation_id: i64, proof: Proof) -> Result<()> {
        let now = self.base.now();
        let link = GithubLink {
            id: self.base.ambient.id(),
            organisation_id: member.organisation_id,
            installation_id,
            created_by: member.user_id,
            created_at: now,
        };
        let tx = self.base.store.begin().await?;
        self.tenancy.require_still(&tx, member, Permission::GithubManage).await?;
        // A webhook may have reported its deletion in the meantime.
        store::github::installations::demand(&tx, installation_id).await?;
        if proof == Proof::New {
            store::github::links::save_proof(&tx, member.id, installation_id, now + PROOF_LIFETIME).await?;
        }
        if store::github::links::insert(&tx, &link).await? {
            let actor = (member.organisation_id, member.user_id.to_string());
            let detail = json!({"installation_id": installation_id});
            self.base.audit(&tx, (actor.0, &actor.1), "github_link.link", link.id, detail).await?;
        }
        tx.commit().await
    }
}
