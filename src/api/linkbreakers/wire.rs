//! Schemas of the Linkbreakers dialect.

use chrono::DateTime;
use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::count::{Count, Form};
use crate::{
    api::shared::{
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    app::slack::links::SlackIntegration,
    domain::{
        error::Violation,
        routes::workflow_step::StepKind,
        slack::{
            SlackChannel,
            link::{SlackLinkChange, SlackLinkStatus},
        },
    },
};

/// Status of a Slack integration: active or paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No status: never returned, and refused in a request.
    Unspecified,
    /// A status.
    Known(SlackLinkStatus),
}

impl Vocabulary for Status {
    const NAME: &'static str = "SlackIntegrationStatus";
    const DESCRIPTION: &'static str = "The status of a Slack integration. A client may set ACTIVE or PAUSED.";

    fn words() -> Vec<(&'static str, Self)> {
        use SlackLinkStatus::{Active, Disconnected, Paused};
        [Status::Unspecified, Status::Known(Active), Status::Known(Paused), Status::Known(Disconnected)]
            .map(|status| (status.word(), status))
            .into()
    }

    fn word(self) -> &'static str {
        match self {
            Status::Unspecified => "SLACK_INTEGRATION_STATUS_UNSPECIFIED",
            Status::Known(SlackLinkStatus::Active) => "SLACK_INTEGRATION_STATUS_ACTIVE",
            Status::Known(SlackLinkStatus::Paused) => "SLACK_INTEGRATION_STATUS_PAUSED",
            Status::Known(SlackLinkStatus::Disconnected) => "SLACK_INTEGRATION_STATUS_DISCONNECTED",
        }
    }
}

/// Kind of a workflow's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// No kind: refused in a request.
    Unspecified,
    /// A kind.
    Known(StepKind),
}

impl Vocabulary for Trigger {
    const NAME: &'static str = "WorkflowStepKind";
    const DESCRIPTION: &'static str = "The kind of a workflow step: ENTRY when a visitor reaches the workflow, EXIT when \
         it ends, INTERACTION when the visitor was asked for something, CONDITION when the workflow chose a way.";

    fn words() -> Vec<(&'static str, Self)> {
        let known = StepKind::ALL.map(|kind| (kind.as_str(), Trigger::Known(kind)));
        [(Trigger::Unspecified.word(), Trigger::Unspecified)].into_iter().chain(known).collect()
    }

    fn word(self) -> &'static str {
        match self {
            Trigger::Unspecified => "KIND_UNSPECIFIED",
            Trigger::Known(kind) => kind.as_str(),
        }
    }
}

/// A connected Slack workspace that receives notifications in a configured channel when workflow steps complete.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackIntegration", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct SlackIntegrationOut {
    /// The integration's id.
    pub id: Option<Uuid>,
    /// The workspace that owns it.
    pub workspace_id: Option<Uuid>,
    /// Id of the user that connected it.
    pub created_by: Option<Uuid>,
    /// Slack's id of the workspace.
    pub slack_team_id: Option<String>,
    /// The Slack workspace's name.
    pub slack_team_name: Option<String>,
    /// Slack's id of the channel; empty until one is chosen.
    pub slack_channel_id: Option<String>,
    /// The channel's name, without `#`.
    pub slack_channel_name: Option<String>,
    /// Status of the integration.
    pub status: Option<Word<Status>>,
    /// Kinds of step that are notified; if empty, all kinds.
    pub triggers: Option<Vec<Word<Trigger>>>,
    /// Link whose steps are notified; if empty, all links.
    pub link_id: Option<String>,
    /// Number of delivered notifications; a text for the product's SDKs before version 1.163.
    #[oai(read_only)]
    pub success_count: Option<Count>,
    /// Number of failed attempts; a text for the product's SDKs before version 1.163.
    #[oai(read_only)]
    pub failure_count: Option<Count>,
    /// Time of the last attempt.
    #[oai(read_only)]
    pub last_sent_at: Option<Timestamp>,
    /// Time of the connection.
    #[oai(read_only)]
    pub created_at: Option<Timestamp>,
    /// Time of the last change.
    #[oai(read_only)]
    pub updated_at: Option<Timestamp>,
}

impl SlackIntegrationOut {
    /// Describes an integration, with its counts in this form.
    pub fn new(SlackIntegration { link, destination }: SlackIntegration, form: Form) -> Self {
        Self {
            id: Some(link.id.0),
            workspace_id: Some(link.organisation_id.0),
            created_by: Some(link.created_by.0),
            slack_team_id: Some(link.team_id),
            slack_team_name: Some(link.team_name),
            slack_channel_id: Some(link.channel_id),
            slack_channel_name: Some(link.channel_name),
            status: Some(Word(Status::Known(link.status))),
            triggers: Some(link.triggers.into_iter().map(|kind| Word(Trigger::Known(kind))).collect()),
            link_id: Some(link.link_id.map(|id| id.to_string()).unwrap_or_default()),
            success_count: Some(Count { number: destination.success_count, form }),
            failure_count: Some(Count { number: destination.failure_count, form }),
            last_sent_at: destination.last_sent_at.map(Into::into),
            created_at: Some(link.created_at.into()),
            updated_at: Some(link.updated_at.into()),
        }
    }
}

impl Example for SlackIntegrationOut {
    fn example() -> Self {
        let at = |seconds: i64| DateTime::from_timestamp(1_795_000_000 + seconds, 0).map(Timestamp);
        Self {
            id: Some(Uuid::from_u128(0x019a_a5c2_7b10_7000_8000_0000_0000_0001)),
            workspace_id: Some(Uuid::from_u128(0x019a_a5c2_7b10_7000_8000_0000_0000_0002)),
            created_by: Some(Uuid::from_u128(0x019a_a5c2_7b10_7000_8000_0000_0000_0003)),
            slack_team_id: Some("T01ABC123".into()),
            slack_team_name: Some("Acme".into()),
            slack_channel_id: Some("C01ABC123".into()),
            slack_channel_name: Some("alerts".into()),
            status: Some(Word(Status::Known(SlackLinkStatus::Active))),
            triggers: Some(vec![Word(Trigger::Known(StepKind::Exit))]),
            link_id: Some(String::new()),
            success_count: Some(Count { number: 42, form: Form::Number }),
            failure_count: Some(Count { number: 0, form: Form::Number }),
            last_sent_at: at(60),
            created_at: at(0),
            updated_at: at(30),
        }
    }
}

/// The integration, if there is one.
#[derive(Clone, Debug, Object)]
#[oai(rename = "GetSlackIntegrationResponse", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct GetOut {
    /// Absent when no Slack workspace is connected.
    pub slack_integration: Option<SlackIntegrationOut>,
}

impl Example for GetOut {
    fn example() -> Self {
        Self { slack_integration: Some(Example::example()) }
    }
}

/// The integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackIntegrationResponse", rename_all = "camelCase", example)]
pub struct IntegrationOut {
    /// The integration.
    pub slack_integration: SlackIntegrationOut,
}

impl Example for IntegrationOut {
    fn example() -> Self {
        Self { slack_integration: Example::example() }
    }
}

/// A Slack channel available for notification delivery.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackChannel", rename_all = "camelCase")]
pub struct ChannelOut {
    /// Slack's id of the channel.
    pub id: String,
    /// The channel's name, without `#`.
    pub name: String,
    /// True if the bot is a member of this channel and can post to it. Otherwise invite it with `/invite`.
    pub is_member: bool,
    /// True for a private channel.
    pub is_private: bool,
}

/// The channels.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ListSlackChannelsResponse", rename_all = "camelCase", example)]
pub struct ChannelsOut {
    /// All public channels, and the private ones that the bot was invited to.
    pub channels: Vec<ChannelOut>,
}

impl From<Vec<SlackChannel>> for ChannelsOut {
    fn from(channels: Vec<SlackChannel>) -> Self {
        let out = |channel: SlackChannel| ChannelOut {
            id: channel.id,
            name: channel.name,
            is_member: channel.is_member,
            is_private: channel.is_private,
        };
        Self { channels: channels.into_iter().map(out).collect() }
    }
}

impl Example for ChannelsOut {
    fn example() -> Self {
        let id = "C01ABC123".to_owned();
        Self { channels: vec![ChannelOut { id, name: "alerts".into(), is_member: true, is_private: false }] }
    }
}

/// Address to which the user is sent to connect Slack.
#[derive(Clone, Debug, Object)]
#[oai(rename = "GetSlackOAuthUrlResponse", rename_all = "camelCase", example)]
pub struct OAuthUrlOut {
    /// The full Slack OAuth authorization URL to redirect the user to.
    pub oauth_url: String,
}

impl Example for OAuthUrlOut {
    fn example() -> Self {
        let url = "https://slack.com/oauth/v2/authorize?client_id=1111111111.2222222222&scope=chat%3Awrite&state=…";
        Self { oauth_url: url.into() }
    }
}

/// Parameters that Slack sent to the redirect address.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CompleteSlackOAuthRequest", rename_all = "camelCase", example)]
pub struct CompleteIn {
    /// The authorization code received from Slack.
    #[oai(validator(min_length = 1, max_length = 1024))]
    pub code: String,
    /// The state parameter that came back with the code.
    #[oai(validator(min_length = 1, max_length = 1024))]
    pub state: String,
}

impl Example for CompleteIn {
    fn example() -> Self {
        Self { code: "1111111111.2222222222.abcdef".into(), state: "the state of the OAuth URL".into() }
    }
}

/// An empty request.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "TestSlackIntegrationRequest")]
pub struct TestIn {}

/// Result of the test.
#[derive(Clone, Debug, Object)]
#[oai(rename = "TestSlackIntegrationResponse", example)]
pub struct TestOut {
    /// True if the test notification was sent successfully.
    pub success: bool,
}

impl Example for TestOut {
    fn example() -> Self {
        Self { success: true }
    }
}

/// Changes to the integration; absent fields stay unchanged.
#[derive(Clone, Debug, Object)]
#[oai(rename = "UpdateSlackIntegrationRequest", rename_all = "camelCase", example)]
pub struct UpdateIn {
    /// The Slack channel to send notifications to.
    pub slack_channel_id: Option<String>,
    /// Name of the channel.
    pub slack_channel_name: Option<String>,
    /// Kinds of step that are notified; an empty list means all kinds.
    #[oai(validator(max_items = 16))]
    pub triggers: Option<Vec<Word<Trigger>>>,
    /// Link whose steps are notified, a UUID; an empty text means all links.
    pub link_id: Option<String>,
    /// ACTIVE or PAUSED.
    pub status: Option<Word<Status>>,
}

impl UpdateIn {
    /// Converts the request to the domain's update, in which "unspecified" has no equivalent.
    pub fn change(self) -> SlackLinkChange {
        let mut broken = Vec::new();
        let mut refuse = |field: &str, message: &str| {
            broken.push(Violation { field: field.into(), message: message.into() });
        };
        let triggers = self.triggers.map(|triggers| {
            let known = triggers.into_iter().filter_map(|Word(trigger)| match trigger {
                Trigger::Known(kind) => Some(kind),
                Trigger::Unspecified => {
                    refuse("/triggers", "KIND_UNSPECIFIED is not a kind of step");
                    None
                }
            });
            known.collect()
        });
        let status = self.status.and_then(|Word(status)| match status {
            Status::Known(status) => Some(status),
            Status::Unspecified => {
                refuse("/status", "can be set to ACTIVE or PAUSED");
                None
            }
        });
        SlackLinkChange {
            channel_id: self.slack_channel_id,
            channel_name: self.slack_channel_name,
            triggers,
            link_id: self.link_id,
            status,
            broken,
        }
    }
}

impl Example for UpdateIn {
    fn example() -> Self {
        Self {
            slack_channel_id: Some("C01ABC123".into()),
            slack_channel_name: Some("alerts".into()),
            triggers: Some(vec![Word(Trigger::Known(StepKind::Exit))]),
            link_id: None,
            status: Some(Word(Status::Known(SlackLinkStatus::Active))),
        }
    }
}

/// An empty answer.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "DeleteSlackIntegrationResponse")]
pub struct DeleteOut {}
