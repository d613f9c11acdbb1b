//! Calls of Telex apps: request bodies, and the interpretation of the answers of modifiers and filters.
//!
//! Not here: status, time limit and size, which the sender checks.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{descriptor::Agent, setting::EffectiveSetting};
use crate::domain::{
    ids::{ChannelId, IntegrationId, OrganisationId},
    pipeline::event::{Event, EventSource, Fact},
    secret::Secret,
};

/// Type of the events by which the clock calls an app.
pub const INTEGRATION_TICK: &str = "integration.tick";
/// Type of the events by which an app is called with its API key.
const INTEGRATION_CALLBACK: &str = "integration.callback";
/// Source of events about apps. No caller sends one with it.
pub const SOURCE: EventSource = EventSource::new("integration");

/// Creates the fact that an app is to be called with its API key.
pub fn callback_due(app: IntegrationId) -> Fact {
    Fact::plain(INTEGRATION_CALLBACK, None, json!({"integrationId": app}))
}

/// Returns true for an event by which this app, and no other, is called with its API key.
pub fn is_callback_of(app: IntegrationId, event: &Event) -> bool {
    event.source == SOURCE && event.fact.kind == INTEGRATION_CALLBACK && event.fact.data["integrationId"] == json!(app)
}

/// Text in place of a credential in a record.
const REDACTED: &str = "[redacted]";

/// Type of the events by which calls of actions are on record.
pub const ACTION_CALLED: &str = "action.called";

/// Author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IntegrationUserType)]
pub enum UserType {
    /// A member, or an event of the organisation.
    User,
    /// An integration or a webhook.
    Bot,
}

/// A message for an integration.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IntegrationMessage)]
pub struct MessageCall {
    /// Id of the channel.
    #[schema(value_type = Uuid)]
    pub channel_id: ChannelId,
    /// Settings of the integration.
    pub settings: Vec<EffectiveSetting>,
    /// Text of the message.
    pub message: String,
    /// Id of the organisation.
    #[schema(value_type = Uuid)]
    pub org_id: OrganisationId,
    /// Id of the message that it replies to, if it is a reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// Author of the message.
    pub user_type: UserType,
    /// True in a channel of two; sent to a `bot` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_dm: Option<bool>,
}

impl MessageCall {
    /// Returns the call for a message, with the settings and for the agent of one integration. `message` is the text as
    /// it is by now.
    pub fn new(
        event: &Event,
        channel: (ChannelId, bool),
        message: String,
        (agent, settings): (&Agent, Vec<EffectiveSetting>),
    ) -> Self {
        let (channel_id, is_dm) = channel;
        let data = &event.fact.data;
        let is_bot = ["integrationId", "causedBy"].iter().any(|member| !data[*member].is_null());
        Self {
            channel_id,
            settings,
            message,
            org_id: event.organisation_id,
            thread_id: data["threadId"].as_str().map(str::to_owned),
            user_type: if is_bot { UserType::Bot } else { UserType::User },
            is_dm: agent.bot.then_some(is_dm),
        }
    }
}

/// A tick for an integration.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IntegrationTick)]
pub struct TickCall {
    /// Id of the channel.
    #[schema(value_type = Uuid)]
    pub channel_id: ChannelId,
    /// Address at which the integration posts messages; it contains a key.
    pub return_url: String,
    /// Settings of the integration.
    pub settings: Vec<EffectiveSetting>,
}

/// An API key for an app that was installed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IntegrationCallback)]
pub struct CallbackCall {
    /// Id of the organisation.
    #[schema(value_type = Uuid)]
    pub org_id: OrganisationId,
    /// The key, by which the app posts to channels and writes its settings.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String)]
    pub api_key: Secret,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// A call of an action of an app that was installed from the registry.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IntegrationActionCall)]
pub struct ActionCall {
    /// Name of the action.
    #[serde(rename = "type")]
    pub kind: String,
    /// Input of the action, valid by its schema.
    #[schema(value_type = Object)]
    pub input: Value,
    /// The input for a record.
    #[serde(skip)]
    pub masked: Value,
}

/// Request body of a call.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Call {
    /// For a `target_url`: a message entered a channel.
    Message(MessageCall),
    /// For a `tick_url`: the schedule is due. The app posts its result to `return_url`, later.
    Tick(TickCall),
    /// For an `auth_callback`: the app was installed.
    Callback(CallbackCall),
    /// For the address of a registry version: a caller wants an action's output.
    Action(ActionCall),
}

impl Call {
    /// Returns the text to send.
    pub fn text(&self) -> String {
        json!(self).to_string()
    }

    /// Returns the call for a record: secrets are masked, and its readers may not post.
    pub fn masked(mut self) -> Self {
        let settings = match &mut self {
            Self::Message(call) => &mut call.settings,
            Self::Tick(call) => {
                call.return_url = REDACTED.to_owned();
                &mut call.settings
            }
            Self::Callback(call) => {
                call.api_key = Secret::new(REDACTED);
                return self;
            }
            Self::Action(call) => {
                call.input = std::mem::take(&mut call.masked);
                return self;
            }
        };
        *settings = std::mem::take(settings).into_iter().map(EffectiveSetting::masked).collect();
        self
    }
}

/// Extracts the new message from a modifier's answer: the member `message` of a JSON object.
///
/// # Errors
/// The reason for ignoring the answer, so that the message stays as it was: anything but such an object, and a text
/// with an error status, which is a report and not a message. The reason repeats nothing of the answer.
pub fn modifier_reply(body: &[u8], content_type: Option<&str>) -> Result<String, String> {
    message(object(body, content_type)?)
}

/// A filter's decision on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterReply {
    /// The message passes unchanged.
    Keep,
    /// The message passes with this text instead.
    Replace(String),
    /// The message is dropped.
    Drop,
}

/// Interprets a filter's answer. Telex has the type and does not define its answers, so the shape is ours: that of a
/// modifier, and beside it `{"drop": true}`, which drops the message. A member of its own was chosen, because an empty
/// `message` is too easily sent by accident and `status` is in use already. `{"drop": false}` without a `message` keeps
/// it as it was.
///
/// # Errors
/// The reason for ignoring the answer: as [`modifier_reply`], and a `drop` that is neither true nor false. A failing
/// filter lets the message through, as a modifier does.
pub fn filter_reply(body: &[u8], content_type: Option<&str>) -> Result<FilterReply, String> {
    let answer = object(body, content_type)?;
    match answer.get("drop") {
        Some(Value::Bool(true)) => Ok(FilterReply::Drop),
        Some(Value::Bool(false)) if !answer.contains_key("message") => Ok(FilterReply::Keep),
        None | Some(Value::Bool(false)) => message(answer).map(FilterReply::Replace),
        Some(_) => Err("its \"drop\" is neither true nor false".to_owned()),
    }
}

/// Parses an answer as a JSON object. The content type is only reported, never enforced: many handlers forget to set
/// it.
fn object(body: &[u8], content_type: Option<&str>) -> Result<Map<String, Value>, String> {
    let sent = match content_type.map(|sent| sent.split(';').next().unwrap_or_default().trim()) {
        Some(sent) if !sent.is_empty() && !sent.to_ascii_lowercase().contains("json") => {
            let shown: String = sent.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
            format!(" (it says that it is {shown})")
        }
        _ => String::new(),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(format!("it answered with nothing{sent}; a JSON object with a text \"message\" is expected"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(answer)) => Ok(answer),
        Ok(_) => Err(format!("its answer is not a JSON object{sent}")),
        Err(_) => Err(format!("its answer is not JSON{sent}")),
    }
}

fn message(mut answer: Map<String, Value>) -> Result<String, String> {
    let is_report = match answer.get("status") {
        Some(Value::String(status)) => {
            ["error", "failed", "failure"].iter().any(|bad| status.eq_ignore_ascii_case(bad))
        }
        Some(Value::Number(status)) => status.as_u64().is_some_and(|status| status >= 400),
        _ => false,
    };
    match answer.remove("message") {
        _ if is_report => Err("its answer reports an error".to_owned()),
        Some(Value::String(message)) => Ok(message),
        Some(_) => Err("the \"message\" of its answer is not a text".to_owned()),
        None => Err("its answer has no \"message\"".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::apps::{descriptor::Descriptor, setting::MASK};

    const CHANNEL: &str = "00000000-0000-0000-0000-000000000007";
    const ORGANISATION: &str = "00000000-0000-0000-0000-000000000009";

    fn settings() -> Vec<EffectiveSetting> {
        let document = json!({"data": {
            "descriptions": {"app_name": "A"}, "integration_type": "modifier", "target_url": "https://a.example/",
            "settings": [
                {"label": "limit", "type": "number", "required": true, "default": "100", "hint": "kept"},
                {"label": "key", "type": "text", "required": true, "secret": true, "default": "s3cret"},
            ],
        }});
        Descriptor::from_document(document).unwrap().0.effective(&[], &[])
    }

    #[test]
    fn calls_carry_the_settings_as_the_descriptor_has_them() {
        let (channel, organisation) = (ChannelId(Uuid::from_u128(7)), OrganisationId(Uuid::from_u128(9)));
        let mut sent = json!([
            {"label": "limit", "type": "number", "required": true, "default": "100", "hint": "kept"},
            {"label": "key", "type": "text", "required": true, "secret": true, "default": "s3cret"},
        ]);
        let message = |message: &str, settings, thread_id| MessageCall {
            channel_id: channel,
            settings,
            message: message.into(),
            org_id: organisation,
            thread_id,
            user_type: UserType::User,
            is_dm: None,
        };
        assert_eq!(
            json!(Call::Message(message("<p>hi</p>", settings(), None))),
            json!({"channel_id": CHANNEL, "settings": sent, "message": "<p>hi</p>", "org_id": ORGANISATION,
                "user_type": "user"}),
        );
        assert_eq!(json!(message("", vec![], Some("t1".into())))["thread_id"], "t1");
        let return_url = "https://tieline.example/return/7".to_owned();
        let tick = Call::Tick(TickCall { channel_id: channel, return_url: return_url.clone(), settings: settings() });
        assert_eq!(json!(tick), json!({"channel_id": CHANNEL, "return_url": return_url, "settings": sent}));
        sent[1]["default"] = MASK.into();
        assert_eq!(
            json!(tick.masked()),
            json!({"channel_id": CHANNEL, "return_url": "[redacted]", "settings": sent}),
            "a record has no secrets"
        );
        assert!(!format!("{:?}", settings()).contains("s3cret"));
        let callback = Call::Callback(CallbackCall { org_id: organisation, api_key: Secret::new("tlx_1") });
        assert_eq!(json!(callback), json!({"org_id": ORGANISATION, "api_key": "tlx_1"}));
        assert!(!format!("{callback:?}").contains("tlx_1"));
        assert_eq!(json!(callback.masked()), json!({"org_id": ORGANISATION, "api_key": "[redacted]"}));
    }

    #[test]
    fn a_callback_is_for_one_app_and_sent_by_nobody_else() {
        let [own, other] = [1, 2].map(|id| IntegrationId(Uuid::from_u128(id)));
        let event = |source, fact| Event {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            source,
            fact,
            made_from: None,
            path: Vec::new(),
            trace: None,
            created_at: crate::domain::ambient::Time::UNIX_EPOCH,
        };
        let due = event(SOURCE, callback_due(own));
        assert!(is_callback_of(own, &due) && !is_callback_of(other, &due));
        assert!(!is_callback_of(own, &event(EventSource::API, callback_due(own))));
        assert!(!is_callback_of(
            own,
            &event(SOURCE, Fact::plain(INTEGRATION_TICK, None, due.fact.data.as_ref().clone()))
        ));
    }

    #[test]
    fn a_modifier_answers_with_a_message() {
        for (body, expected) in [
            (r#"{"message": "HI"}"#, Ok("HI")),
            (r#"{"event_name": "formatted", "message": "", "status": "success", "username": "bot"}"#, Ok("")),
            (r#"{"status": "Error", "message": "no key"}"#, Err("its answer reports an error")),
            (r#"{"status": 500, "message": "x"}"#, Err("its answer reports an error")),
            (r#"{"status": 200, "message": "x"}"#, Ok("x")),
            (r#"{"message": null}"#, Err("the \"message\" of its answer is not a text")),
            (r#"{"message": {"text": "x"}}"#, Err("the \"message\" of its answer is not a text")),
            (r#"{"detail": "x"}"#, Err("its answer has no \"message\"")),
            (r#"["x"]"#, Err("its answer is not a JSON object")),
            ("Accepted", Err("its answer is not JSON")),
            ("{\"message\": \"x\"} {}", Err("its answer is not JSON")),
        ] {
            let reply = modifier_reply(body.as_bytes(), Some("application/json"));
            assert_eq!(reply.as_deref().map_err(String::as_str), expected, "{body}");
        }
        let said = |body: &[u8], sent| modifier_reply(body, sent).unwrap_err();
        assert_eq!(
            said(b"<p>", Some("text/html; charset=utf-8")),
            "its answer is not JSON (it says that it is text/html)"
        );
        assert_eq!(said(b"\xFF", None), "its answer is not JSON");
        assert!(said(b" \n", None).starts_with("it answered with nothing;"));
        assert!(said("[".repeat(100_000).as_bytes(), None).contains("not JSON"));
        assert_eq!(
            modifier_reply(br#"{"message": "x"}"#, Some("text/plain")),
            Ok("x".to_owned()),
            "reported, not enforced"
        );
    }

    #[test]
    fn a_filter_may_also_drop() {
        for (body, expected) in [
            (r#"{"drop": true}"#, Ok(FilterReply::Drop)),
            (r#"{"drop": true, "message": "x"}"#, Ok(FilterReply::Drop)),
            (r#"{"drop": false}"#, Ok(FilterReply::Keep)),
            (r#"{"drop": false, "message": "x"}"#, Ok(FilterReply::Replace("x".into()))),
            (r#"{"message": ""}"#, Ok(FilterReply::Replace(String::new()))),
            (r#"{"drop": "yes"}"#, Err("its \"drop\" is neither true nor false".into())),
            ("{}", Err("its answer has no \"message\"".into())),
        ] {
            assert_eq!(filter_reply(body.as_bytes(), None), expected, "{body}");
        }
    }
}
