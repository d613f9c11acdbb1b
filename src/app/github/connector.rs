//! The GitHub installations of an organisation as connections.
//!
//! Not here: the flow through GitHub's pages (`connect`), the list of the other dialects (`links`).

use async_trait::async_trait;
use url::Url;

use super::GithubConnections;
use crate::{
    app::{Caller, tenancy::connections::Connector},
    domain::{
        Error, Result,
        error::{Noun, Upstream},
        github::{self, GithubInstallation, GithubRepository, link::GithubLink},
        ids::OrganisationId,
        tenancy::{
            connection::{Connection, ConnectionAuthorization, ConnectionRepository, ConnectionState, ConnectionTest},
            member::Permission,
            oauth::{Flow, STATE_LIFETIME},
        },
    },
    store,
};

/// State of an installation that is suspended.
const SUSPENDED: ConnectionState = ConnectionState::NeedsAttention {
    reason: "The installation is suspended at GitHub.",
    cure: "Unsuspend it in the settings of the installed app at GitHub.",
};

fn connection(link: GithubLink, installation: GithubInstallation) -> Connection {
    Connection {
        id: link.id.0.into(),
        provider: github::PROVIDER,
        state: if installation.suspended_at.is_some() { SUSPENDED } else { ConnectionState::Connected },
        name: installation.account.login,
        external_id: installation.id.to_string(),
        destination_id: None,
        connected_by: link.created_by,
        created_at: link.created_at,
    }
}

/// Returns GitHub's number of the installation of a connection.
fn number(connection: &Connection) -> Result<i64> {
    let number = connection.external_id.parse();
    number.map_err(|_| Error::Internal(format!("{} is not a number of GitHub's", connection.external_id)))
}

#[async_trait]
impl Connector for GithubConnections {
    fn provider(&self) -> &'static str {
        github::PROVIDER
    }

    fn permissions(&self) -> (Permission, Permission) {
        (Permission::GithubRead, Permission::GithubManage)
    }

    async fn connections(&self, organisation_id: OrganisationId) -> Result<Vec<Connection>> {
        let links = store::github::links::list(self.base.store.reader(), organisation_id).await?;
        Ok(links.into_iter().map(|(link, stored)| connection(link, stored.installation)).collect())
    }

    async fn begin(&self, caller: &Caller, return_url: Option<Url>) -> Result<ConnectionAuthorization> {
        caller.require(Permission::GithubManage)?;
        let github = self.github()?;
        let expires_at = self.base.now() + STATE_LIFETIME;
        let state = self.tenancy.issue_state_returning(caller, Flow::Github, return_url).await?;
        Ok(ConnectionAuthorization { url: github.install_url(&state), expires_at })
    }

    async fn set_paused(&self, _: &Caller, _: &Connection, paused: bool) -> Result<()> {
        if !paused {
            return Ok(());
        }
        let message = "GitHub's events are not paused for a whole installation; pause subscriptions, or disable routes";
        Err(Error::FailedPrecondition { message: message.into() })
    }

    async fn disconnect(&self, caller: &Caller, connection: &Connection) -> Result<()> {
        self.unlink(caller, number(connection)?).await
    }

    /// Asks GitHub for the installation, and keeps the answer.
    async fn test(&self, caller: &Caller, connection: &Connection) -> Result<ConnectionTest> {
        caller.require(Permission::GithubManage)?;
        let now = self.base.now();
        let installation = match self.github()?.installation(number(connection)?).await {
            Ok(installation) => installation,
            Err(Error::NotFound { noun: Noun::GithubInstallation, .. }) => {
                return Ok(ConnectionTest::Failed(github::reason::DELETED.text().into()));
            }
            Err(error @ (Error::Refused { .. } | Error::FailedPrecondition { .. })) => {
                return Ok(ConnectionTest::Failed(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let tx = self.base.store.begin().await?;
        store::github::installations::save(&tx, self.base.ambient.id(), &installation, now).await?;
        tx.commit().await?;
        Ok(match installation.suspended_at {
            None => ConnectionTest::Passed,
            Some(_) => ConnectionTest::Failed(github::reason::SUSPENDED.text().into()),
        })
    }

    async fn repositories(&self, caller: &Caller, connection: &Connection) -> Result<Vec<ConnectionRepository>> {
        caller.require(Permission::GithubRead)?;
        if self.client.is_none() {
            return Err(Error::Unavailable { what: "GitHub, for which no app is configured," });
        }
        let found = self.refreshed(number(connection)?).await.map_err(|error| match error {
            // A suspended installation, or one with too many repositories.
            Error::FailedPrecondition { message } => Error::Refused { upstream: Upstream::Github, code: message },
            other => other,
        })?;
        let repository =
            |GithubRepository { id, full_name, private }| ConnectionRepository { id, full_name, is_private: private };
        Ok(found.repositories.into_iter().map(repository).collect())
    }
}
