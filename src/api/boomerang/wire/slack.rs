//! Requests of Slack and the responses to them (Slack: "Events API", "Slash commands", "Interactivity").
//!
//! The schemas of Slack's requests serve the document: the bytes are passed on unchanged, and parsed after their
//! signature is verified.

use poem::Request;
use poem_openapi::{
    Object, ResponseContent,
    payload::{Json, PlainText},
    types::Any,
};
use serde_json::Value;

use crate::{
    api::shared::{media::Media, services, signed::Inbound},
    app::{
        slack::{SlackConnections, inbound::SlackEventAnswer},
        tenancy::signatures::SignatureCheck,
    },
    domain::Error,
};

/// A slash command typed by a user.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackCommand")]
pub struct Command {
    /// The command, such as `/tieline`.
    pub command: String,
    /// Text after the command.
    pub text: Option<String>,
    /// Slack's id of the workspace.
    pub team_id: String,
    /// Name of the workspace in addresses.
    pub team_domain: Option<String>,
    /// Slack's id of the Enterprise organisation.
    pub enterprise_id: Option<String>,
    /// Name of the Enterprise organisation.
    pub enterprise_name: Option<String>,
    /// `true` if the app is installed in the whole Enterprise organisation.
    pub is_enterprise_install: Option<String>,
    /// Slack's id of the channel.
    pub channel_id: String,
    /// Name of the channel, or its kind.
    pub channel_name: Option<String>,
    /// Slack's id of the user.
    pub user_id: String,
    /// Name of the user; not reliable.
    pub user_name: Option<String>,
    /// Address at which responses may be posted, five times within half an hour.
    pub response_url: Option<String>,
    /// Id with which one dialogue can be opened within three seconds.
    pub trigger_id: Option<String>,
    /// Slack's id of our app.
    pub api_app_id: Option<String>,
    /// Deprecated by Slack; ignored.
    pub token: Option<String>,
    /// `1` if Slack checks the certificate.
    pub ssl_check: Option<String>,
}

/// A button press, a choice or a submission.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackInteraction")]
pub struct Interaction {
    /// The interaction as JSON: of the type `block_actions`, `view_submission`, `view_closed`, `shortcut`,
    /// `message_action` or `block_suggestion`.
    pub payload: String,
}

/// An event in a workspace, or Slack's verification of this URL.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackEvent")]
pub struct Event {
    /// `event_callback`, `url_verification` or `app_rate_limited`.
    #[oai(rename = "type")]
    pub kind: Option<String>,
    /// For a `url_verification`: the value to be sent back.
    pub challenge: Option<String>,
    /// Slack's id of the workspace.
    pub team_id: Option<String>,
    /// Slack's id of the Enterprise organisation.
    pub enterprise_id: Option<Any<Value>>,
    /// Slack's id of our app.
    pub api_app_id: Option<String>,
    /// The event: its `type` and the members of that type.
    pub event: Option<Any<Value>>,
    /// Id of the event; the same for Slack's retries.
    pub event_id: Option<String>,
    /// Time of the event, in seconds.
    pub event_time: Option<i64>,
    /// Installations of the app for which the event is sent.
    pub authorizations: Option<Any<Value>>,
    /// Deprecated by Slack; ignored.
    pub token: Option<String>,
}

/// Begins the verification of Slack's signature.
fn begin(request: &Request) -> Result<Option<SignatureCheck>, Error> {
    let header = |name| request.headers().get(name).map(|value| value.as_bytes());
    services::service::<SlackConnections>(request)?
        .begin_slack_signature(header("x-slack-request-timestamp"), header("x-slack-signature"))
        .map(Some)
}

macro_rules! from_slack {
    ($body:ty, $media:expr, $limit_bytes:expr) => {
        impl Inbound for $body {
            const MEDIA: &'static [Media] = &[$media];
            const LIMIT_BYTES: usize = $limit_bytes;
            /// Slack passes on users' text, and retries when it is refused.
            const CHECKS_TEXT: bool = false;

            type Schema = Self;

            fn signature(request: &Request) -> Result<Option<SignatureCheck>, Error> {
                begin(request)
            }
        }
    };
}

from_slack!(Command, Media::Form, 64 << 10);
from_slack!(Interaction, Media::Form, 64 << 10);
from_slack!(Event, Media::Json, 1 << 20);

/// The answer to a `url_verification`.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackChallenge")]
pub struct ChallengeOut {
    /// The value that Slack sent.
    pub challenge: String,
}

/// Response to an event.
#[derive(ResponseContent)]
pub enum EventContent {
    /// The answer to a `url_verification`.
    Challenge(Json<ChallengeOut>),
    /// An empty body: the event was accepted.
    Nothing(PlainText<String>),
}

impl From<SlackEventAnswer> for EventContent {
    fn from(answer: SlackEventAnswer) -> Self {
        match answer {
            SlackEventAnswer::Challenge(challenge) => Self::Challenge(Json(ChallengeOut { challenge })),
            SlackEventAnswer::Received => Self::Nothing(PlainText(String::new())),
        }
    }
}

/// Response to a submitted dialogue.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackViewAnswer", skip_serializing_if_is_none)]
pub struct ViewAnswerOut {
    /// `errors`, `update`, `push` or `clear`.
    pub response_action: String,
    /// Messages by the ids of the blocks at which they are shown.
    pub errors: Option<Any<Value>>,
    /// The next dialogue.
    pub view: Option<Any<Value>>,
}

/// Response to an interaction.
#[derive(ResponseContent)]
pub enum InteractionContent {
    /// Response to a submitted dialogue.
    #[oai(actual_type = "Json<ViewAnswerOut>")]
    View(Json<Any<Value>>),
    /// An empty body: the dialogue is closed.
    Nothing(PlainText<String>),
}

impl From<Option<Value>> for InteractionContent {
    fn from(answer: Option<Value>) -> Self {
        match answer {
            Some(answer) => Self::View(Json(Any(answer))),
            None => Self::Nothing(PlainText(String::new())),
        }
    }
}
