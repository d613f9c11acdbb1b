//! An organisation's Slack.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use crate::{api::shared::time::Timestamp, app::slack::access::SlackAccess};

/// The code in Slack's redirect. Other fields are ignored.
#[derive(Clone, Object)]
#[oai(rename = "SlackTokenExchange", example)]
pub struct SlackTokenIn {
    /// Slack's authorization code.
    pub oauth_code: String,
}

impl Example for SlackTokenIn {
    fn example() -> Self {
        Self { oauth_code: "your_oauth_code_here".into() }
    }
}

/// Slack's incoming webhook for a channel. Each member is empty if Slack granted none.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackIncomingWebhook")]
pub struct SlackWebhookOut {
    /// The channel's name.
    pub channel: String,
    /// Slack's id of the channel.
    pub channel_id: String,
    /// Address of its settings page at Slack.
    pub configuration_url: String,
    /// Address that messages are sent to; masked for callers without the permission to see secrets.
    pub url: String,
}

/// Access that Slack granted.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackToken")]
pub struct SlackTokenOut {
    /// The token; masked for callers without the permission to see secrets.
    pub access_token: String,
    /// The incoming webhook for the channel that was chosen at Slack.
    pub incoming_webhook: SlackWebhookOut,
}

impl From<SlackAccess> for SlackTokenOut {
    fn from(access: SlackAccess) -> Self {
        let SlackAccess { access_token, channel, channel_id, configuration_url, url, .. } = access;
        Self { access_token, incoming_webhook: SlackWebhookOut { channel, channel_id, configuration_url, url } }
    }
}

/// The organisation's access to Slack.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackAccess")]
pub struct SlackAccessOut {
    /// Unique id.
    pub id: Uuid,
    /// Id of the user that connected it.
    pub user_id: Uuid,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The token; masked for callers without the permission to see secrets.
    pub access_token: String,
    /// Slack's id of the workspace.
    pub team_id: String,
    /// The workspace's name.
    pub team_name: String,
    /// Name of the channel; empty if none is chosen.
    pub channel: String,
    /// Slack's id of the channel; empty if none is chosen.
    pub channel_id: String,
    /// Address of its settings page at Slack; empty if Slack sent none.
    pub configuration_url: String,
    /// Address that messages are sent to; empty if Slack granted none, and masked for callers without the permission to
    /// see secrets.
    pub url: String,
    /// Time of the connection.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<SlackAccess> for SlackAccessOut {
    fn from(access: SlackAccess) -> Self {
        Self {
            id: access.id,
            user_id: access.user_id.0,
            organisation_id: access.organisation_id.0,
            access_token: access.access_token,
            team_id: access.team_id,
            team_name: access.team_name,
            channel: access.channel,
            channel_id: access.channel_id,
            configuration_url: access.configuration_url,
            url: access.url,
            created_at: access.created_at.into(),
            updated_at: access.updated_at.into(),
        }
    }
}
