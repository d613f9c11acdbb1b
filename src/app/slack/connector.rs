//! The Slack workspace of an organisation as a connection.
//!
//! Not here: the flow through Slack's pages (`connect`), the settings of the link (`links`).

use async_trait::async_trait;
use url::Url;

use super::SlackConnections;
use crate::{
    app::{Caller, tenancy::connections::Connector},
    domain::{
        Error, Result,
        ids::OrganisationId,
        slack::{
            self, SlackChannel,
            link::{SlackLink, SlackLinkChange, SlackLinkStatus},
        },
        tenancy::{
            connection::{Connection, ConnectionAuthorization, ConnectionChannel, ConnectionState, ConnectionTest},
            member::Permission,
            oauth::{Flow, STATE_LIFETIME},
        },
    },
    store,
};

/// State of a link whose token Slack refuses.
const REVOKED: ConnectionState = ConnectionState::NeedsAttention {
    reason: "Slack refuses the token: the app was removed from the workspace, or its access was revoked.",
    cure: "Connect the workspace again; its channel, filters and counters are kept. Then replay what failed.",
};

fn state(link: &SlackLink) -> ConnectionState {
    match link.status {
        SlackLinkStatus::Active => ConnectionState::Connected,
        SlackLinkStatus::Paused => ConnectionState::Paused,
        SlackLinkStatus::Disconnected => REVOKED,
    }
}

#[async_trait]
impl Connector for SlackConnections {
    fn provider(&self) -> &'static str {
        slack::PROVIDER
    }

    fn permissions(&self) -> (Permission, Permission) {
        (Permission::SlackRead, Permission::SlackManage)
    }

    async fn connections(&self, organisation_id: OrganisationId) -> Result<Vec<Connection>> {
        let found = store::slack::links::find(self.base.store.reader(), organisation_id).await?;
        let connection = |link: SlackLink| Connection {
            id: link.id.0.into(),
            provider: slack::PROVIDER,
            state: state(&link),
            name: link.team_name,
            external_id: link.team_id,
            destination_id: Some(link.destination_id),
            connected_by: link.created_by,
            created_at: link.created_at,
        };
        Ok(found.into_iter().map(|stored| connection(stored.link)).collect())
    }

    async fn begin(&self, caller: &Caller, return_url: Option<Url>) -> Result<ConnectionAuthorization> {
        caller.require(Permission::SlackManage)?;
        let slack = self.slack()?;
        let expires_at = self.base.now() + STATE_LIFETIME;
        let state = self.tenancy.issue_state_returning(caller, Flow::SlackConnection, return_url).await?;
        Ok(ConnectionAuthorization { url: slack.authorize_url(Flow::SlackConnection, &state), expires_at })
    }

    async fn set_paused(&self, caller: &Caller, connection: &Connection, paused: bool) -> Result<()> {
        if let ConnectionState::NeedsAttention { .. } = connection.state {
            let message = "Slack refuses the token of this connection; connect the workspace again first".into();
            return Err(Error::FailedPrecondition { message });
        }
        let status = Some(if paused { SlackLinkStatus::Paused } else { SlackLinkStatus::Active });
        self.update_slack_integration(caller, SlackLinkChange { status, ..Default::default() }).await.map(drop)
    }

    async fn disconnect(&self, caller: &Caller, _: &Connection) -> Result<()> {
        self.delete_slack_integration(caller).await
    }

    /// Posts a message where a channel is chosen; otherwise Slack is asked for the validity of the token.
    async fn test(&self, caller: &Caller, _: &Connection) -> Result<ConnectionTest> {
        caller.require(Permission::SlackManage)?;
        let stored = self.connected(caller).await?;
        let refused = match stored.link.channel_id.is_empty() {
            false => self.post_test(&stored).await?,
            true => match self.check_token(&stored).await {
                Err(Error::Refused { code, .. }) => Err(code),
                checked => Ok(checked?),
            },
        };
        Ok(match refused {
            Ok(()) => ConnectionTest::Passed,
            Err(code) => ConnectionTest::Failed(format!("Slack says {code}: {}", slack::advice(&code))),
        })
    }

    async fn channels(&self, caller: &Caller, _: &Connection) -> Result<Vec<ConnectionChannel>> {
        if self.client.is_none() {
            return Err(Error::Unavailable { what: "Slack, for which no app is configured," });
        }
        let channel =
            |SlackChannel { id, name, is_member, is_private }| ConnectionChannel { id, name, is_private, is_member };
        Ok(self.list_slack_channels(caller).await?.into_iter().map(channel).collect())
    }
}
