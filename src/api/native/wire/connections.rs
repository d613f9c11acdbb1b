//! Connections to providers.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use crate::{
    api::shared::{
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    domain::{
        github, slack,
        tenancy::connection::{
            Connection, ConnectionAuthorization, ConnectionChannel, ConnectionRepository, ConnectionState,
            ConnectionTest,
        },
    },
};

/// Provider of a connection, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provider(&'static str);

impl Provider {
    /// Returns the name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl Vocabulary for Provider {
    const NAME: &'static str = "ConnectionProvider";
    const DESCRIPTION: &'static str = "Provider of a connection: slack (a workspace; one for each organisation) or github \
         (installations of the GitHub App; any number).";

    fn words() -> Vec<(&'static str, Self)> {
        [slack::PROVIDER, github::PROVIDER].map(|word| (word, Self(word))).into()
    }

    fn word(self) -> &'static str {
        self.0
    }
}

/// State of a connection, without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateWord(&'static str);

impl Vocabulary for StateWord {
    const NAME: &'static str = "ConnectionState";
    const DESCRIPTION: &'static str = "State of a connection: connected, paused (by a member), or needs_attention (the \
         provider refused the token or suspended the installation; `reason` and `cure` say more).";

    fn words() -> Vec<(&'static str, Self)> {
        ["connected", "paused", "needs_attention"].map(|word| (word, Self(word))).into()
    }

    fn word(self) -> &'static str {
        self.0
    }
}

/// An organisation's access to an account at a provider.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Connection", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct ConnectionOut {
    /// Unique id; connecting an account again makes a new one.
    pub id: Uuid,
    /// The provider.
    pub provider: Word<Provider>,
    /// State of the connection.
    pub state: Word<StateWord>,
    /// Reason why it needs attention; absent in other states.
    pub reason: Option<String>,
    /// Remedy; absent in other states.
    pub cure: Option<String>,
    /// Name of the Slack workspace, or login of the GitHub account.
    pub name: String,
    /// Slack's id of the workspace, or GitHub's number of the installation.
    pub external_id: String,
    /// Id of the destination of Slack's own channel; absent for GitHub.
    pub destination_id: Option<Uuid>,
    /// User id of the member who connected it.
    pub connected_by: Uuid,
    /// Time of connecting.
    pub created_at: Timestamp,
}

impl From<Connection> for ConnectionOut {
    fn from(connection: Connection) -> Self {
        let (state, reason, cure) = match connection.state {
            ConnectionState::Connected => ("connected", None, None),
            ConnectionState::Paused => ("paused", None, None),
            ConnectionState::NeedsAttention { reason, cure } => ("needs_attention", Some(reason), Some(cure)),
        };
        Self {
            id: connection.id.0,
            provider: Word(Provider(connection.provider)),
            state: Word(StateWord(state)),
            reason: reason.map(str::to_owned),
            cure: cure.map(str::to_owned),
            name: connection.name,
            external_id: connection.external_id,
            destination_id: connection.destination_id.map(|id| id.0),
            connected_by: connection.connected_by.0,
            created_at: connection.created_at.into(),
        }
    }
}

/// A connection to be begun.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreateConnection", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct ConnectionIn {
    /// The provider.
    pub provider: Word<Provider>,
    /// Page to which the browser is sent once the connection exists: of this service (`public_url`) or of the product
    /// (`product.app_url`), by its origin. By default the browser ends at a page of this service.
    #[oai(validator(max_length = 2000))]
    pub return_url: Option<String>,
}

impl Example for ConnectionIn {
    fn example() -> Self {
        Self { provider: Word(Provider(slack::PROVIDER)), return_url: None }
    }
}

/// A begun connection.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ConnectionAuthorization", rename_all = "camelCase")]
pub struct ConnectionAuthorizationOut {
    /// Page of the provider to which the member's browser is sent. It can be used once.
    pub authorization_url: String,
    /// Time after which it is no longer valid.
    pub expires_at: Timestamp,
}

impl From<ConnectionAuthorization> for ConnectionAuthorizationOut {
    fn from(ConnectionAuthorization { url, expires_at }: ConnectionAuthorization) -> Self {
        Self { authorization_url: url.into(), expires_at: expires_at.into() }
    }
}

/// Changes to a connection; absent fields stay unchanged.
#[derive(Clone, Debug, Object)]
#[oai(rename = "UpdateConnection", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct ConnectionPatch {
    /// True to pause the connection, false to resume it.
    pub paused: Option<bool>,
}

impl Example for ConnectionPatch {
    fn example() -> Self {
        Self { paused: Some(true) }
    }
}

/// Result of the test of a connection.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ConnectionTest", skip_serializing_if_is_none)]
pub struct ConnectionTestOut {
    /// True if the provider accepted it.
    pub ok: bool,
    /// Reason for which the provider refused, and the remedy.
    pub detail: Option<String>,
}

impl From<ConnectionTest> for ConnectionTestOut {
    fn from(test: ConnectionTest) -> Self {
        match test {
            ConnectionTest::Passed => Self { ok: true, detail: None },
            ConnectionTest::Failed(detail) => Self { ok: false, detail: Some(detail) },
        }
    }
}

/// A channel of a Slack workspace.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ConnectionChannel", rename_all = "camelCase")]
pub struct ConnectionChannelOut {
    /// Slack's id of the channel: the `address` of a destination of the kind `slack`.
    pub id: String,
    /// Name of the channel, without `#`.
    pub name: String,
    /// True for a private channel.
    pub is_private: bool,
    /// True if the bot is in the channel and can post there. Otherwise invite it with `/invite`.
    pub is_member: bool,
}

/// The channels that a connection sees.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ConnectionChannels")]
pub struct ConnectionChannelsOut {
    /// The channels.
    pub data: Vec<ConnectionChannelOut>,
}

impl From<Vec<ConnectionChannel>> for ConnectionChannelsOut {
    fn from(channels: Vec<ConnectionChannel>) -> Self {
        let channel = |ConnectionChannel { id, name, is_private, is_member }| ConnectionChannelOut {
            id,
            name,
            is_private,
            is_member,
        };
        Self { data: channels.into_iter().map(channel).collect() }
    }
}

/// A repository of a GitHub account.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ConnectionRepository", rename_all = "camelCase")]
pub struct ConnectionRepositoryOut {
    /// GitHub's id of the repository.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// True if it has restricted visibility.
    pub is_private: bool,
}

/// The repositories that a connection sees.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ConnectionRepositories")]
pub struct ConnectionRepositoriesOut {
    /// The repositories.
    pub data: Vec<ConnectionRepositoryOut>,
}

impl From<Vec<ConnectionRepository>> for ConnectionRepositoriesOut {
    fn from(repositories: Vec<ConnectionRepository>) -> Self {
        let repository =
            |ConnectionRepository { id, full_name, is_private }| ConnectionRepositoryOut { id, full_name, is_private };
        Self { data: repositories.into_iter().map(repository).collect() }
    }
}
