//! What Slack sends and what it is answered (Slack: "Events API", "Slash commands", "Interactivity").
//!
//! The shapes of what Slack sends are for the document: the bytes go on as they came, and are read after their
//! signature.

use poem::Request;
use poem_openapi::{
    Object, ResponseContent,
    payload::{Json, PlainText},
    registry::{MetaSchemaRef, Registry},
    types::{Any, Type},
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

/// A slash command that somebody typed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackCommand")]
pub struct CommandForm {
    /// The command, such as `/tieline`.
    pub command: String,
    /// What was typed after it.
    pub text: Option<String>,
    /// Slack's id of the workspace.
    pub team_id: String,
    /// The workspace's name in addresses.
    pub team_domain: Option<String>,
    /// Slack's id of the Enterprise organisation.
    pub enterprise_id: Option<String>,
    /// Its name.
    pub enterprise_name: Option<String>,
    /// Whether the app is installed in the whole Enterprise organisation.
    pub is_enterprise_install: Option<String>,
    /// Slack's id of the channel.
    pub channel_id: String,
    /// The channel's name, or what kind of channel it is.
    pub channel_name: Option<String>,
    /// Slack's id of the user.
    pub user_id: String,
    /// The user's name; not to be relied on.
    pub user_name: Option<String>,
    /// Where answers may be posted, five times within half an hour.
    pub response_url: Option<String>,
    /// Opens a dialogue, once, within three seconds.
    pub trigger_id: Option<String>,
    /// Slack's id of our app.
    pub api_app_id: Option<String>,
    /// Deprecated by Slack; not looked at.
    pub token: Option<String>,
    /// `1` where Slack tries out the certificate.
    pub ssl_check: Option<String>,
}

/// Something that was pressed, chosen or submitted.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackInteraction")]
pub struct InteractionForm {
    /// What happened, as JSON: of the type `block_actions`, `view_submission`, `view_closed`, `shortcut`,
    /// `message_action` or `block_suggestion`.
    pub payload: String,
}

/// What happened in a workspace, or the question whether this address is ours.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackEvent")]
pub struct EventBody {
    /// `event_callback`, `url_verification` or `app_rate_limited`.
    #[oai(rename = "type")]
    pub kind: Option<String>,
    /// Of a `url_verification`: to be sent back.
    pub challenge: Option<String>,
    /// Slack's id of the workspace.
    pub team_id: Option<String>,
    /// Slack's id of the Enterprise organisation.
    pub enterprise_id: Option<Any<Value>>,
    /// Slack's id of our app.
    pub api_app_id: Option<String>,
    /// What happened: its `type`, and what belongs to it.
    pub event: Option<Any<Value>>,
    /// The event's id; the same when Slack tries again.
    pub event_id: Option<String>,
    /// When it happened, in seconds.
    pub event_time: Option<i64>,
    /// For whom the app was installed.
    pub authorizations: Option<Any<Value>>,
    /// Deprecated by Slack; not looked at.
    pub token: Option<String>,
}

/// Slash commands.
pub struct Command;

/// Interactivity.
pub struct Interaction;

/// Events.
pub struct Event;

/// Begins to verify Slack's signature.
fn begin(request: &Request) -> Result<Option<SignatureCheck>, Error> {
    let header = |name| request.headers().get(name).map(|value| value.as_bytes());
    services::service::<SlackConnections>(request)?
        .begin_slack_signature(header("x-slack-request-timestamp"), header("x-slack-signature"))
        .map(Some)
}

impl Inbound for Command {
    const MEDIA: &'static [Media] = &[Media::Form];
    const LIMIT_BYTES: usize = 64 << 10;
    /// Slack sends what people type, and sends it again where it is refused.
    const CHECKS_TEXT: bool = false;

    fn signature(request: &Request) -> Result<Option<SignatureCheck>, Error> {
        begin(request)
    }

    fn schema(_: Media) -> MetaSchemaRef {
        CommandForm::schema_ref()
    }

    fn register(registry: &mut Registry) {
        CommandForm::register(registry);
    }
}

impl Inbound for Interaction {
    const MEDIA: &'static [Media] = &[Media::Form];
    const LIMIT_BYTES: usize = 64 << 10;
    /// Slack sends what people type, and sends it again where it is refused.
    const CHECKS_TEXT: bool = false;

    fn signature(request: &Request) -> Result<Option<SignatureCheck>, Error> {
        begin(request)
    }

    fn schema(_: Media) -> MetaSchemaRef {
        InteractionForm::schema_ref()
    }

    fn register(registry: &mut Registry) {
        InteractionForm::register(registry);
    }
}

impl Inbound for Event {
    const MEDIA: &'static [Media] = &[Media::Json];
    const LIMIT_BYTES: usize = 1 << 20;
    /// Slack sends what people type, and sends it again where it is refused.
    const CHECKS_TEXT: bool = false;

    fn signature(request: &Request) -> Result<Option<SignatureCheck>, Error> {
        begin(request)
    }

    fn schema(_: Media) -> MetaSchemaRef {
        EventBody::schema_ref()
    }

    fn register(registry: &mut Registry) {
        EventBody::register(registry);
    }
}

/// The answer to a `url_verification`.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackChallenge")]
pub struct ChallengeOut {
    /// What Slack sent.
    pub challenge: String,
}

/// What an event is answered with.
#[derive(ResponseContent)]
pub enum EventContent {
    /// The answer to a `url_verification`.
    Challenge(Json<ChallengeOut>),
    /// Nothing: it is taken.
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

/// What becomes of a dialogue that was submitted.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SlackViewAnswer", skip_serializing_if_is_none)]
pub struct ViewAnswerOut {
    /// `errors`, `update`, `push` or `clear`.
    pub response_action: String,
    /// What is wrong, by the id of the block that it is shown at.
    pub errors: Option<Any<Value>>,
    /// The next dialogue.
    pub view: Option<Any<Value>>,
}

/// What an interaction is answered with.
#[derive(ResponseContent)]
pub enum InteractionContent {
    /// What becomes of a dialogue that was submitted.
    #[oai(actual_type = "Json<ViewAnswerOut>")]
    View(Json<Any<Value>>),
    /// Nothing: a dialogue is closed.
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
