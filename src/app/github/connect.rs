//! Linking a GitHub installation: the way through GitHub's pages, and the proof at the end of it.
//!
//! An installation's number is small and can be guessed, and GitHub shows an installation to everybody who may read one of
//! its repositories. So a link asks for three things: a state that this member was issued, a user token that the browser
//! brought from GitHub, and that its user *administers* the account (GitHub Docs: "About the setup URL").
//!
//! None of them says that the person in front of the browser wants it. Who allowed the app before is signed in by GitHub
//! without a press, so that a link which a stranger sent would do. So the browser is asked: `consents`.

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

/// Parameters with which GitHub's pages send the browser back.
#[derive(Clone, Debug, Default)]
pub struct GithubCallback {
    /// For a user token.
    pub code: Option<String>,
    /// Which installation it is about. Anybody can write a number there.
    pub installation_id: Option<i64>,
    /// `install`, `update` or `request`.
    pub setup_action: Option<String>,
    /// The state of the link that was followed.
    pub state: Option<String>,
    /// GitHub's word for why there is no code.
    pub error: Option<String>,
}

/// What came of a way through GitHub's pages.
#[derive(Clone, Debug)]
pub enum GithubConnected {
    /// An owner of the account has to approve the installation first.
    Requested {
        /// For whom it was asked.
        organisation: Organisation,
    },
    /// Somebody changed an installation at GitHub, outside any flow of ours.
    Updated,
    /// GitHub has to be asked first who is sitting there.
    Authorize(Url),
    /// The person who sits there administers the account, and is asked whether it is to be linked.
    Proven(Consent),
}

/// How old the proof is by which an installation is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Proof {
    /// It was made for this link.
    New,
    /// It was remembered, and is not remembered for longer by being used.
    Remembered,
}

impl GithubConnections {
    /// GitHub, where an app is configured.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] saying which settings are missing.
    pub fn github(&self) -> Result<&GithubClient> {
        self.client.as_ref().ok_or_else(|| Error::FailedPrecondition {
            message: "no GitHub App is configured; set TIELINE_GITHUB__APP_ID and the other settings of [github]"
                .into(),
        })
    }

    /// Completes what a card's link began: the browser is back from GitHub.
    ///
    /// # Errors
    /// [`Error::OAuthState`], [`Error::Refused`] with GitHub's own word, [`Error::Forbidden`] where the member may not
    /// link GitHub any more, [`Error::NotProven`], [`Error::FailedPrecondition`], [`Error::UpstreamUnavailable`].
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
        let member = self.tenancy.take_state(Flow::Github, &state, None).await?;
        if let Some(word) = error {
            return Err(Error::Refused { upstream: Upstream::Github, code: refusal(&word).to_owned() });
        }
        Caller::member(&member, None).require(Permission::GithubManage)?;
        if setup_action.as_deref() == Some("request") {
            let reader = self.base.store.reader();
            let organisation = store::tenancy::organisations::find(reader, member.organisation_id).await?;
            return Ok(GithubConnected::Requested { organisation });
        }
        let installation_id = installation_id.or_else(|| carried(&state));
        let installation_id = installation_id.ok_or_else(|| Error::invalid("installation_id", "is missing"))?;
        let Some(code) = code else {
            // GitHub sends a code with a first installation only.
            let state = self.tenancy.issue_state_carrying(&member, Flow::Github, installation_id).await?;
            return Ok(GithubConnected::Authorize(self.github()?.authorize_url(&state)));
        };
        self.prove_github(&member, &code, installation_id).await?;
        let consent = self.tenancy.ask_consent(&member, Flow::GithubConfirm, Carry::Number(installation_id)).await?;
        Ok(GithubConnected::Proven(consent))
    }

    /// Exchanges a code for its user, demands that they administer the installation, and remembers the installation.
    pub(in crate::app) async fn prove_github(
        &self,
        member: &Member,
        code: &str,
        installation_id: i64,
    ) -> Result<GithubInstallation> {
        let github = self.github()?;
        let token = github.exchange_code(code).await?;
        let proved = self.prove_with(github, &token, installation_id).await;
        // It has done its work; where GitHub does not take it back, it ends by itself.
        if let Err(error) = github.revoke_user_token(&token).await {
            tracing::debug!(%error, "GitHub did not revoke a user token");
        }
        let (user, installation) = proved?;
        // What we are told while GitHub answers is newer than its answer.
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

    /// Links an installation that was proved, if it and the member still are there; once more changes nothing. A proof that
    /// is new is remembered for a short time.
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
        // GitHub may have told in the meantime that it was deleted.
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
