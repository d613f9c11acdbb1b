//! The messages that we send, as the `webhooks` of the assembled document. `domain` decides their form and builds the
//! examples, and the tests check them against the schemas.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::{
    ambient::Time,
    apps::{
        call::{target_payload, tick_payload},
        descriptor::Descriptor,
        setting::EffectiveSetting,
    },
    channels::{self, Channel},
    pipeline::event::{Event, Fact},
    tenancy::member::{Member, Role},
    webhooks::{
        OutgoingEvent,
        outgoing_payload::{Telling, payload},
    },
};

/// Builds a document with only the webhooks and their components.
pub fn document() -> Value {
    let mut webhooks = Map::new();
    webhooks.insert("integrationMessage".into(), integration_message());
    webhooks.insert("integrationTick".into(), integration_tick());
    for event in OutgoingEvent::ALL {
        webhooks.insert(event.as_str().into(), outgoing(event));
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Webhooks", "version": "1"},
        "paths": {},
        "webhooks": webhooks,
        "components": {"schemas": schemas()},
    })
}

fn integration_message() -> Value {
    let about = "Sent to the `target_url` of an integration for each message of a channel in which it is switched on. \
                 A modifier or a filter has one second to respond; an output is called afterwards, and its response \
                 is ignored.";
    let mut item = webhook(
        ("integrationMessage", "Pass a channel's message to an integration", about, "Integrations"),
        ("IntegrationMessage", target_payload(sample_id(7).into(), "hello", &settings(), sample_id(9).into(), None)),
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
    webhook(
        ("integrationTick", "Call an integration by its schedule", about, "Integrations"),
        ("IntegrationTick", tick_payload(sample_id(7).into(), &return_url, &settings())),
    )
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

fn schemas() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let uuid = |description: &str| json!({"type": "string", "format": "uuid", "description": description});
    let time = |description: &str| json!({"type": "string", "format": "date-time", "description": description});
    let flag = |description: &str| json!({"type": "boolean", "description": description});
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let object = |description: &str, required: &[&str], properties: Value| {
        let mut object = json!({"type": "object", "description": description, "properties": properties});
        if !required.is_empty() {
            object["required"] = required.into();
        }
        object
    };
    // Members common to the events of a channel.
    let in_channel = |more: Value| {
        let mut properties = json!({
            "token": text("Token of the webhook, if it has one."),
            "bot": flag("True if an integration caused the event."),
            "timestamp": time("Time of the event."),
            "channel_id": uuid("Id of the channel."),
            "channel_name": text("Name of the channel."),
            "user_id": text("Id of the user that caused the event: a UUID, or `rocket.cat`."),
            "user_name": text("Username of that user."),
        });
        if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
            properties.extend(more);
        }
        properties
    };
    let message = json!({
        "trigger_word": text("Trigger word of the message, if the webhook has trigger words."),
        "message_id": text("Id of the message."),
        "text": text("Text of the message."),
        "alias": text("Displayed name of the sender, for a message of an integration."),
        "siteUrl": text("Public address of this service."),
        "isEdited": flag("True for an edited message."),
        "tmid": text("Id of the message that it replies to."),
    });
    let file = json!({
        "trigger_word": message["trigger_word"], "message_id": message["message_id"], "text": message["text"],
        "alias": message["alias"],
        "user": reference("OutgoingUser"), "room": reference("OutgoingRoom"),
        "message": {"type": "object", "description": "The message with its file, in the product's format."},
    });
    let setting = json!({
        "type": "object", "required": ["label"], "additionalProperties": true,
        "description": "A setting with all members of its descriptor; `default` is the effective value.",
        "properties": {"label": text("Label of the setting.")},
    });
    let settings = json!({
        "type": "array", "items": reference("IntegrationSettingSent"), "description": "Settings of the integration.",
    });
    let room_event = json!({"user": reference("OutgoingUser"), "room": reference("OutgoingRoom")});
    json!({
        "IntegrationSettingSent": setting,
        "IntegrationMessage": object("A message for an integration.", &["channel_id", "settings", "message", "org_id"], json!({
            "channel_id": uuid("Id of the channel."),
            "settings": settings,
            "message": text("Text of the message."),
            "org_id": uuid("Id of the organisation."),
            "thread_id": text("Id of the message that it replies to, if it is a reply."),
        })),
        "IntegrationMessageReply": object("Decision on the message.", &[], json!({
            "message": text("The changed message."),
            "drop": flag("For a filter: true to drop the message."),
            "status": text("`error` for a response that is a report and not a message."),
        })),
        "IntegrationTick": object("A tick for an integration.", &["channel_id", "return_url", "settings"], json!({
            "channel_id": uuid("Id of the channel."),
            "return_url": text("Address at which the integration posts messages; it contains a key."),
            "settings": settings,
        })),
        "OutgoingUser": object("A member.", &["_id", "username"], json!({
            "_id": text("Id of the user."),
            "username": text("Username of the user."),
            "type": text("`user`."),
            "active": flag("True for an active member."),
            "roles": {"type": "array", "items": {"type": "string"}, "description": "Roles of the user."},
            "emails": {
                "type": "array", "description": "Email addresses of the user.",
                "items": object("An email address.", &["address"], json!({"address": text("Email address.")})),
            },
            "createdAt": time("Time at which the member was added."),
        })),
        "OutgoingRoom": object("A channel.", &["t"], json!({
            "_id": uuid("Id of the channel."),
            "name": text("Name of the channel."),
            "t": {"type": "string", "enum": ["c", "p", "d"], "description": "Public, private or direct."},
            "ts": time("Time of creation."),
            "archived": flag("True for an archived channel, which accepts no new messages."),
        })),
        "OutgoingMessage": object(
            "A message.",
            &["bot", "timestamp", "channel_id", "message_id", "user_id", "user_name", "text", "siteUrl"],
            in_channel(message),
        ),
        "OutgoingFile": object(
            "A message with a file.",
            &["bot", "timestamp", "channel_id", "message_id", "user_id", "user_name", "text", "user", "room", "message"],
            in_channel(file),
        ),
        "OutgoingRoomEvent": object("An event of a channel.", &["bot", "timestamp", "room"], in_channel(room_event)),
        "OutgoingRoomCreated": object(
            "A newly created channel.",
            &["bot", "timestamp", "room"],
            in_channel(json!({"owner": reference("OutgoingUser"), "room": reference("OutgoingRoom")})),
        ),
        "OutgoingUserCreated": object("A newly added member.", &["bot", "timestamp"], json!({
            "token": text("Token of the webhook, if it has one."),
            "bot": flag("True for a bot."),
            "timestamp": time("Time of the event."),
            "user_id": text("Id of the member."),
            "user_name": text("Username of that user."),
            "user": reference("OutgoingUser"),
        })),
        "OutgoingReply": {
            "type": "object", "additionalProperties": true,
            "description": "Message to be posted, with the members that an incoming webhook accepts.",
            "properties": {
                "text": text("Text of the message."),
                "channel": text("`#channel` or `@member`; by default the webhook's target room or the event's channel."),
                "attachments": {
                    "type": "array", "items": {"type": "object", "description": "An attachment."},
                    "description": "Attachments in Slack's format.",
                },
            },
        },
    })
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
    let at = Time::UNIX_EPOCH + chrono::TimeDelta::days(20_778);
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
