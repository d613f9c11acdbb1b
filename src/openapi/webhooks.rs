//! The messages that we send, as the `webhooks` of the assembled document. The schemas are derived from the types of
//! `domain` that are sent, the examples are built by them, and the tests check one against the other.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::upgrade::name_every_type;
use crate::{
    api::shared::schema::each_schema,
    domain::{
        ambient::{Time, timestamp},
        apps::{
            call::{ActionCall, CallbackCall, MessageCall, TickCall, UserType},
            descriptor::Descriptor,
            setting::EffectiveSetting,
        },
        channels::{self, Channel},
        pipeline::event::{Event, EventSource, Fact},
        secret::Secret,
        tenancy::member::{Member, Role},
        webhooks::{
            OutgoingEvent,
            endpoint::EventNotification,
            outgoing_payload::{
                OutgoingFile, OutgoingMessage, OutgoingRoomCreated, OutgoingRoomEvent, OutgoingUserCreated, Telling,
                payload,
            },
        },
    },
};

/// Builds a document with only the webhooks and their components.
pub fn document() -> Value {
    let mut webhooks = Map::new();
    webhooks.insert("eventNotification".into(), event_notification());
    webhooks.insert("integrationMessage".into(), integration_message());
    webhooks.insert("integrationTick".into(), integration_tick());
    webhooks.insert("integrationCallback".into(), integration_callback());
    webhooks.insert("integrationAction".into(), integration_action());
    for event in OutgoingEvent::ALL {
        webhooks.insert(event.as_str().into(), outgoing(event));
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Webhooks", "version": "1"},
        "paths": {},
        "webhooks": webhooks,
        "components": Schemas::openapi().components,
    });
    each_schema(&mut document, &mut respell);
    document
}

fn event_notification() -> Value {
    let about = "Sent to a webhook destination for each event that a route sends there, unless the route's template writes \
                 another body. With the format `cloudevents` the body is a CloudEvent.";
    let (order, source) = (json!({"total": 120}), EventSource::API);
    let notification = EventNotification {
        id: sample_id(3),
        kind: "order.created",
        timestamp: timestamp(sampled_at()),
        source: source.as_str(),
        channel_id: Some(sample_id(7)),
        attributes: [("region", "eu")].into(),
        data: &order,
    };
    let summary = "Notify of an event";
    webhook(("eventNotification", summary, about, "Deliveries"), ("EventNotification", json!(notification)))
}

fn integration_message() -> Value {
    let about = "Sent to the `target_url` of an integration for each message of a channel in which it is switched on. \
                 A modifier or a filter has one second to respond; an output is called afterwards, and its response \
                 is ignored.";
    let call = MessageCall {
        channel_id: sample_id(7).into(),
        settings: settings(),
        message: "hello".into(),
        org_id: sample_id(9).into(),
        thread_id: None,
        user_type: UserType::User,
        is_dm: None,
    };
    let mut item = webhook(
        ("integrationMessage", "Pass a channel's message to an integration", about, "Integrations"),
        ("IntegrationMessage", json!(call)),
    );
    let changed = json!({
        "description": "Accepted. A modifier responds with the changed message; a filter with the message, or with the \
                        decision to drop it. Without a message and a decision, the message is passed on unchanged.",
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/IntegrationMessageReply"},
            "example": {"message": "HELLO"},
        }},
    });
    item["post"]["responses"]["200"] = changed;
    item
}

fn integration_tick() -> Value {
    let about = "Sent to the `tick_url` of an interval integration by its schedule, for each channel in which it is \
                 switched on. The integration posts its messages to `return_url` at any time.";
    let return_url = format!("https://tieline.example/v1/return/{}?key=…", sample_id(7));
    let call = TickCall { channel_id: sample_id(7).into(), return_url, settings: settings() };
    webhook(
        ("integrationTick", "Call an integration by its schedule", about, "Integrations"),
        ("IntegrationTick", json!(call)),
    )
}

fn integration_callback() -> Value {
    let about = "Sent to the `auth_callback` of an integration once it is installed, and again when its descriptor names \
                 another address. Each attempt has a new key, and the key of the last one is valid.";
    let call = CallbackCall { org_id: sample_id(9).into(), api_key: Secret::new("tlx_…") };
    webhook(
        ("integrationCallback", "Give an API key to an installed integration", about, "Integrations"),
        ("IntegrationCallback", json!(call)),
    )
}

fn integration_action() -> Value {
    let about = "Sent to the `url` of a registry version when a caller wants an action of an app that was installed from \
                 it. The installation, the version, the operation and the configuration are in headers, as the \
                 product's SDK reads them: `x-bot-id`, `x-integration-id`, `x-bp-operation`, `x-bp-type` and \
                 `x-bp-configuration`, which is the base64 of JSON. A failed call is not repeated.";
    let call = ActionCall { kind: "sendMessage".into(), input: json!({"text": "hello"}), masked: Value::Null };
    let mut item = webhook(
        ("integrationAction", "Call an action of an integration", about, "Integrations"),
        ("IntegrationActionCall", json!(call)),
    );
    item["post"]["responses"]["200"] = json!({
        "description": "Done. The output is validated by the schema of the action.",
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/IntegrationActionReply"},
            "example": {"output": {"messageId": "17"}},
        }},
    });
    item
}

/// An outgoing webhook of the Rocket.Chat dialect, called for an event.
fn outgoing(event: OutgoingEvent) -> Value {
    let (summary, schema) = match event {
        OutgoingEvent::SendMessage => ("Notify of a posted message", "OutgoingMessage"),
        OutgoingEvent::FileUploaded => ("Notify of an uploaded file", "OutgoingFile"),
        OutgoingEvent::RoomArchived => ("Notify of an archived channel", "OutgoingRoomEvent"),
        OutgoingEvent::RoomCreated => ("Notify of a created channel", "OutgoingRoomCreated"),
        OutgoingEvent::RoomJoined => ("Notify of a user joining a channel", "OutgoingRoomEvent"),
        OutgoingEvent::RoomLeft => ("Notify of a user leaving a channel", "OutgoingRoomEvent"),
        OutgoingEvent::UserCreated => ("Notify of an added member", "OutgoingUserCreated"),
    };
    let about = "Sent to each URL of an outgoing webhook with this event, unless the webhook's script makes another \
                 request of it. The body has a `token` if the webhook has one.";
    let mut item = webhook((event.as_str(), summary, about, "Webhook integrations"), (schema, sample(event)));
    item["post"]["responses"]["200"] = json!({
        "description": "Accepted. A message in the response is posted. An empty response counts as a failure, as in \
                        the product.",
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/OutgoingReply"},
            "example": {"text": "On it."},
        }},
    });
    item
}

fn webhook((id, summary, about, tag): (&str, &str, &str, &str), (schema, example): (&str, Value)) -> Value {
    let header = |name: &str, description: &str, example: &str| {
        json!({
            "name": name, "in": "header", "required": true, "description": description,
            "schema": {"type": "string"}, "example": example,
        })
    };
    json!({"post": {
        "operationId": id,
        "summary": summary,
        "description": format!("{about}\n\nSigned as specified by Standard Webhooks."),
        "tags": [tag],
        "security": [],
        "parameters": [
            header("webhook-id", "Id of this message. A retry has the same id.", "msg_01a1fba0bef77000a8965d7ab42cd6e7"),
            header("webhook-timestamp", "Time of the attempt, in seconds since 1970.", "1795219200"),
            header(
                "webhook-signature",
                "`v1,` and the base64 of the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`; several, \
                 separated by spaces, for 24 hours after the secret was replaced.",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ],
        "requestBody": {
            "required": true,
            "description": "The event.",
            "content": {"application/json": {
                "schema": {"$ref": format!("#/components/schemas/{schema}")},
                "example": example,
            }},
        },
        "responses": {
            "200": {"description": "Accepted. The body of the response is ignored."},
            "410": {"description": "Gone. The recipient is disabled until it is switched on again."},
            "429": {"description": "Rate limited. The retry waits for the time in `Retry-After`."},
            "500": {"description": "Failed. Retried with backoff, if retries are configured."},
        },
    }})
}

/// The schemas: those of the types that are sent, and of their answers.
#[derive(OpenApi)]
#[openapi(components(schemas(
    EventNotification,
    MessageCall,
    IntegrationMessageReply,
    TickCall,
    CallbackCall,
    ActionCall,
    IntegrationActionReply,
    OutgoingMessage,
    OutgoingFile,
    OutgoingRoomEvent,
    OutgoingRoomCreated,
    OutgoingUserCreated,
    OutgoingReply,
)))]
struct Schemas;

/// Decision on the message.
#[derive(ToSchema)]
#[expect(dead_code, reason = "an answer is read member by member")]
struct IntegrationMessageReply {
    /// The changed message.
    message: Option<String>,
    /// For a filter: true to drop the message.
    drop: Option<bool>,
    /// `error` for a response that is a report and not a message.
    status: Option<String>,
}

/// Result of an action.
#[derive(ToSchema)]
#[expect(dead_code, reason = "an answer is read member by member")]
struct IntegrationActionReply {
    /// Output of the action.
    #[schema(value_type = Object)]
    output: Value,
}

/// Message to be posted, with the members that an incoming webhook accepts.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "an answer is read member by member")]
struct OutgoingReply {
    /// Text of the message.
    text: Option<String>,
    /// `#channel` or `@member`; by default the webhook's target room or the event's channel.
    channel: Option<String>,
    /// Attachments in Slack's format.
    #[schema(inline)]
    attachments: Option<Vec<Attachment>>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// An attachment.
#[derive(Deserialize, ToSchema)]
struct Attachment {}

/// Spells a derived schema as the dialects do: the parts of a flattened type are one object, an absent member is left
/// out and never null, and other members are simply allowed.
fn respell(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(parts)) = object.remove("allOf") {
        object.insert("type".into(), "object".into());
        for part in &parts {
            let (required, properties) = (part["required"].as_array(), part["properties"].as_object());
            let all = object.entry("required").or_insert_with(|| json!([])).as_array_mut();
            all.into_iter().for_each(|all| all.extend(required.into_iter().flatten().cloned()));
            let all = object.entry("properties").or_insert_with(|| json!({})).as_object_mut();
            all.into_iter().for_each(|all| all.extend(properties.cloned().unwrap_or_default()));
        }
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|one| one != "null");
        object["type"] = object["type"][0].take();
    }
    if object.get("additionalProperties").is_some_and(Value::is_object) {
        object.insert("additionalProperties".into(), true.into());
    }
    name_every_type(schema);
}

fn sampled_at() -> Time {
    Time::UNIX_EPOCH + chrono::TimeDelta::days(20_778)
}

fn sample_id(number: u128) -> Uuid {
    Uuid::from_u128(0x01a1_fba0_bef7_7000_a896_5d7a_b42c_d600 + number)
}

fn settings() -> Vec<EffectiveSetting> {
    let document = json!({"data": {
        "descriptions": {"app_name": "Shout"}, "integration_type": "modifier", "target_url": "https://shout.example/",
        "settings": [{"label": "limit", "type": "number", "required": true, "default": "100"}],
    }});
    Descriptor::from_document(document).map(|(descriptor, _)| descriptor.effective(&[], &[])).unwrap_or_default()
}

/// Builds a sample of an event as it is sent.
fn sample(event: OutgoingEvent) -> Value {
    let at = sampled_at();
    let channel = Channel {
        id: sample_id(7).into(),
        organisation_id: sample_id(9).into(),
        name: "general".into(),
        private: false,
        direct: false,
        archived_at: (event == OutgoingEvent::RoomArchived).then_some(at),
        created_by: sample_id(1).into(),
        created_at: at,
    };
    let member = Member {
        id: sample_id(2).into(),
        organisation_id: sample_id(9).into(),
        user_id: sample_id(1).into(),
        username: "ada".into(),
        email: Some("ada@example.org".into()),
        subject: None,
        unproven: Default::default(),
        role: Role::Member,
        permissions: None,
        created_at: at,
    };
    let data = match event {
        OutgoingEvent::SendMessage | OutgoingEvent::FileUploaded => json!({
            "message": "deploy web", "user": {"userId": sample_id(1), "username": "ada"},
            "file": {"_id": sample_id(5), "name": "plan.png", "type": "image/png"},
        }),
        OutgoingEvent::UserCreated => json!({"user": member.event_data()}),
        OutgoingEvent::RoomArchived
        | OutgoingEvent::RoomCreated
        | OutgoingEvent::RoomJoined
        | OutgoingEvent::RoomLeft => json!({"channel": channel.event_data(), "user": member.event_data()}),
    };
    let in_channel = event != OutgoingEvent::UserCreated;
    let source = Event {
        id: sample_id(3).into(),
        organisation_id: sample_id(9).into(),
        source: channels::event::SOURCE,
        fact: Fact::plain(event.as_str(), in_channel.then(|| sample_id(7).into()), data),
        made_from: None,
        path: Vec::new(),
        trace: None,
        created_at: at,
    };
    let context = Telling {
        token: Some("b1f0…"),
        trigger_word: (event == OutgoingEvent::SendMessage).then_some("deploy"),
        site_url: "https://tieline.example",
        channel: in_channel.then_some(&channel),
    };
    payload(event, &source, &context)
}

#[cfg(test)]
mod tests;
