//! An organisation's Slack.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use crate::{api::shared::time::Timestamp, app::slack::access::SlackAccess};

/// The code with which Slack sends the browser back. Other members are passed over.
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

/// Where Slack takes messages for a channel. Each is empty where Slack granted none.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackIncomingWebhook")]
pub struct SlackWebhookOut {
    /// The channel's name.
    pub channel: String,
    /// Slack's id of the channel.
    pub channel_id: String,
    /// Where it is set up at Slack.
    pub configuration_url: String,
    /// Where messages are sent to; masked for who may not see secrets.
    pub url: String,
}

/// What Slack granted.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackToken")]
pub struct SlackTokenOut {
    /// The token; masked for who may not see secrets.
    pub access_token: String,
    /// The channel that was chosen at Slack.
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
    /// Its id.
    pub id: Uuid,
    /// Who connected it.
    pub user_id: Uuid,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The token; masked for who may not see secrets.
    pub access_token: String,
    /// Slack's id of the workspace.
    pub team_id: String,
    /// The workspace's name.
    pub team_name: String,
    /// The channel's name; empty where none is chosen.
    pub channel: String,
    /// Slack's id of the channel; empty where none is chosen.
    pub channel_id: String,
    /// Where it is set up at Slack; empty where Slack did not say.
    pub configuration_url: String,
    /// Where messages are sent to; empty where Slack granted no such address, and masked for who may not see secrets.
    pub url: String,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When it was last changed.
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
