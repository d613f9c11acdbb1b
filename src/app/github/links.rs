//! An organisation's GitHub installations: listed, linked, unlinked.
//!
//! Not here: the proof that a member may link one (`connect`).

use async_trait::async_trait;
use serde_json::json;
use uuid::Uuid;

use super::{GithubConnections, connect::Proof};
use crate::{
    app::{
        Caller,
        kernel::chore::Chore,
        tenancy::{oauth_states::Begun, teams::Identified},
    },
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        github::{GithubInstallation, GithubRepository},
        tenancy::{
            member::{Member, Permission},
            oauth::Flow,
        },
    },
    store::{self, github::installations::StoredInstallation},
};

/// An installation with all of its repositories.
#[derive(Clone, Debug)]
pub struct GithubInstallationDetails {
    /// GitHub's description of the installation.
    pub installation: GithubInstallation,
    /// All of its repositories.
    pub repositories: Vec<GithubRepository>,
}

/// A request to link an installation.
#[derive(Clone, Debug)]
pub struct GithubLinkRequest {
    /// Id of the record, or GitHub's number of the installation.
    pub reference: String,
    /// Team, by slug or id.
    pub team: String,
    /// Code of GitHub's redirect, where a page of the product received it.
    pub code: Option<String>,
    /// State of GitHub's redirect.
    pub state: Option<String>,
}

/// Identification of an installation by a caller.
enum Reference {
    Record(Uuid),
    Number(i64),
}

/// Removal of expired proofs.
#[async_trait]
impl Chore for GithubConnections {
    async fn run(&self, now: Time) -> Result<u64> {
        store::github::links::remove_expired_proofs(self.base.store.writer(), now).await
    }
}

impl GithubConnections {
    /// Returns GitHub's description of an installation with its repositories: the named one, or the team's first one.
    ///
    /// # Errors
    /// [`Error::Invalid`] where neither is named; [`Error::NotFound`] where the team is not the caller's, or the
    /// installation is not theirs; [`Error::Forbidden`], [`Error::UpstreamUnavailable`].
    pub async fn get_github_installation(
        &self,
        who: &Identified,
        id: Option<i64>,
        team: Option<&str>,
    ) -> Result<GithubInstallationDetails> {
        let id = match (id, team) {
            (Some(id), _) => self.visible_installation(who, id).await?,
            (None, Some(team)) => self.first_installation(who, team).await?,
            (None, None) => return Err(Error::invalid("id", "is needed, or else team")),
        };
        self.refreshed(id).await
    }

    /// Asks GitHub for an installation with its repositories, and keeps the answer.
    pub(super) async fn refreshed(&self, id: i64) -> Result<GithubInstallationDetails> {
        let github = self.github()?;
        // Taken before the requests: a webhook that arrives meanwhile is newer than the responses.
        let now = self.base.now();
        let (installation, repositories) = tokio::try_join!(github.installation(id), github.repositories(id))?;
        let tx = self.base.store.begin().await?;
        store::github::installations::save(&tx, self.base.ambient.id(), &installation, now).await?;
        store::github::installations::replace_repositories(&tx, id, &repositories, now).await?;
        tx.commit().await?;
        Ok(GithubInstallationDetails { installation, repositories })
    }

    /// Demands that a team of the caller's has linked the installation, or that the caller has recently proven to
    /// administer it.
    async fn visible_installation(&self, who: &Identified, id: i64) -> Result<i64> {
        let reader = self.base.store.reader();
        let callers = self.tenancy.everywhere(who).await?;
        let (readers, others): (Vec<_>, Vec<_>) =
            callers.into_iter().partition(|caller| caller.may(Permission::GithubRead));
        if readers.is_empty() {
            others.iter().try_for_each(|caller| caller.require(Permission::GithubRead))?;
        }
        for caller in readers {
            if store::github::links::find(reader, caller.organisation_id, id).await?.is_some()
                || store::github::links::has_proof(reader, caller.member_id, id, self.base.now()).await?
            {
                return Ok(id);
            }
        }
        Err(Error::not_found(Noun::GithubInstallation, id))
    }

    async fn first_installation(&self, who: &Identified, team: &str) -> Result<i64> {
        let (caller, _) = self.tenancy.in_team(who, team).await?;
        caller.require(Permission::GithubRead)?;
        let links = store::github::links::list(self.base.store.reader(), caller.organisation_id).await?;
        let first = links.first().ok_or(Error::NotConnected { noun: Noun::GithubInstallation })?;
        Ok(first.0.installation_id)
    }

    /// Links an installation to a team. A linked one stays linked; any other needs a proof: a recent one of this
    /// member's, or a code and a state that yield one.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`] where the team is not the caller's, or the installation does not exist
    /// or is not proven; [`Error::Forbidden`], [`Error::NotProven`], [`Error::OAuthState`],
    /// [`Error::UpstreamUnavailable`].
    pub async fn link_github_installation(&self, who: &Identified, request: GithubLinkRequest) -> Result<()> {
        let (caller, _) = self.tenancy.in_team(who, &request.team).await?;
        caller.require(Permission::GithubManage)?;
        let id = match reference(&request.reference).ok_or_else(no_reference)? {
            Reference::Number(id) => id,
            Reference::Record(record) => {
                self.recorded(record).await?.ok_or_else(|| not_here(&request.reference))?.installation.id
            }
        };
        let reader = self.base.store.reader();
        if store::github::links::find(reader, caller.organisation_id, id).await?.is_some() {
            return Ok(());
        }
        let (member, proof) = match (&request.code, &request.state) {
            (Some(code), Some(state)) => {
                let bound_to = (caller.organisation_id, caller.member_id);
                let Begun { member, .. } = self.tenancy.take_state(Flow::Github, state, Some(bound_to)).await?;
                self.prove_github(&member, code, id).await?;
                (member, Proof::New)
            }
            _ => {
                let member = self.proven(&caller, id).await?.ok_or_else(|| not_here(&request.reference))?;
                (member, Proof::Remembered)
            }
        };
        self.link_github(&member, id, proof).await
    }

    /// Returns the member, if they have recently proven to administer an installation that exists.
    async fn proven(&self, caller: &Caller, id: i64) -> Result<Option<Member>> {
        let reader = self.base.store.reader();
        let proven = store::github::links::has_proof(reader, caller.member_id, id, self.base.now()).await?;
        if !proven || store::github::installations::find(reader, id).await?.is_none() {
            return Ok(None);
        }
        store::tenancy::members::find_by_id(reader, caller.member_id).await.map(Some)
    }

    /// Unlinks an installation from one team. An unknown or unlinked installation is a no-op.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the team is not the caller's, [`Error::Forbidden`].
    pub async fn unlink_github_installation(&self, who: &Identified, named: &str, team: &str) -> Result<()> {
        let (caller, _) = self.tenancy.in_team(who, team).await?;
        caller.require(Permission::GithubManage)?;
        let id = match reference(named) {
            Some(Reference::Number(id)) => Some(id),
            Some(Reference::Record(record)) => self.recorded(record).await?.map(|stored| stored.installation.id),
            None => None,
        };
        match id {
            Some(id) => self.unlink(&caller, id).await,
            None => Ok(()),
        }
    }

    /// Removes the caller's organisation's link to an installation, if there is one.
    pub(super) async fn unlink(&self, caller: &Caller, id: i64) -> Result<()> {
        caller.require(Permission::GithubManage)?;
        let tx = self.base.store.begin().await?;
        if store::github::links::delete(&tx, caller.organisation_id, id).await? {
            let actor = (caller.organisation_id, caller.actor());
            let detail = json!({"installation_id": id});
            self.base.audit(&tx, (actor.0, &actor.1), "github_link.unlink", id, detail).await?;
        }
        tx.commit().await
    }

    async fn recorded(&self, record: Uuid) -> Result<Option<StoredInstallation>> {
        store::github::installations::find_by_record(self.base.store.reader(), record).await
    }
}

/// Reports an installation by the caller's own reference, which discloses neither its existence nor its number.
fn not_here(named: &str) -> Error {
    Error::not_found(Noun::GithubInstallation, named)
}

fn no_reference() -> Error {
    Error::invalid("/ref", "must be the ref of a GitHub card, or the number of a GitHub installation")
}

/// Parses a record's id, or else GitHub's number.
fn reference(text: &str) -> Option<Reference> {
    if let Ok(record) = Uuid::parse_str(text) {
        return Some(Reference::Record(record));
    }
    text.parse().ok().filter(|number| *number > 0).map(Reference::Number)
}
