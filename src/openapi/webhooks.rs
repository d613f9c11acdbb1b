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
    channels::Channel,
    pipeline::event::{Event, EventSource, Fact},
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
    let about = "To the `target_url` of an integration: a message entered a channel where it is switched on. A modifier \
                 or a filter has a second to answer; an output is called afterwards, and its answer is not read.";
    let mut item = webhook(
        ("integrationMessage", "A message entered a channel", about, "Integrations"),
        ("IntegrationMessage", target_payload(sample_id(7).into(), "hello", &settings(), sample_id(9).into(), None)),
    );
    let changed = json!({
        "description": "Taken. A modifier answers with the message as it is from now on; a filter with that, or with what \
                        becomes of it. Without either the message goes on as it was.",
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/IntegrationMessageReply"},
            "example": {"message": "HELLO"},
        }},
    });
    item["post"]["responses"]["200"] = changed;
    item
}

fn integration_tick() -> Value {
    let about = "To the `tick_url` of an interval integration, by its schedule, for each channel where it is switched on. \
                 What it has to say it posts to `return_url`, whenever it is ready.";
    let return_url = format!("https://tieline.example/v1/return/{}?key=…", sample_id(7));
    webhook(
        ("integrationTick", "It is time", about, "Integrations"),
        ("IntegrationTick", tick_payload(sample_id(7).into(), &return_url, &settings())),
    )
}

/// An outgoing webhook of the Rocket.Chat dialect, called for an event.
fn outgoing(event: OutgoingEvent) -> Value {
    let (summary, schema) = match event {
        OutgoingEvent::SendMessage => ("A message was posted", "OutgoingMessage"),
        OutgoingEvent::FileUploaded => ("A file was uploaded", "OutgoingFile"),
        OutgoingEvent::RoomArchived => ("A channel was archived", "OutgoingRoomEvent"),
        OutgoingEvent::RoomCreated => ("A channel was created", "OutgoingRoomCreated"),
        OutgoingEvent::RoomJoined => ("Somebody joined a channel", "OutgoingRoomEvent"),
        OutgoingEvent::RoomLeft => ("Somebody left a channel", "OutgoingRoomEvent"),
        OutgoingEvent::UserCreated => ("A member was added", "OutgoingUserCreated"),
    };
    let about = "To each URL of an outgoing webhook that is set up for this event, unless its script makes another request \
                 of it. `token` is in the body where the webhook has one.";
    let mut item = webhook((event.as_str(), summary, about, "Webhook integrations"), (schema, sample(event)));
    item["post"]["responses"]["200"] = json!({
        "description": "Taken. What it says is posted, where it says anything. An empty answer counts as a failure, as in the \
                        product.",
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
        "description": format!("{about}\n\nSigned as Standard Webhooks says."),
        "tags": [tag],
        "security": [],
        "parameters": [
            header("webhook-id", "Of this message. It stays the same when it is sent again.", "msg_01a1fba0bef77000a8965d7ab42cd6e7"),
            header("webhook-timestamp", "When it is sent, in seconds since 1970.", "1795219200"),
            header(
                "webhook-signature",
                "`v1,` and the base64 of the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`; several, with a \
                 space between them, for a day after the secret was replaced.",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ],
        "requestBody": {
            "required": true,
            "description": "What happened.",
            "content": {"application/json": {
                "schema": {"$ref": format!("#/components/schemas/{schema}")},
                "example": example,
            }},
        },
        "responses": {
            "200": {"description": "Taken. What it says is not read."},
            "410": {"description": "Gone: nothing is sent there any more until somebody switches it on again."},
            "429": {"description": "Too fast. The next try is as late as `Retry-After` asks for."},
            "500": {"description": "Not taken. It is tried again with growing pauses, where that is set up."},
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
            "token": text("The token of the webhook, where it has one."),
            "bot": flag("Whether an integration did it."),
            "timestamp": time("When it happened."),
            "channel_id": uuid("The channel."),
            "channel_name": text("Its name."),
            "user_id": text("Who did it: a UUID, or `rocket.cat`."),
            "user_name": text("Their username."),
        });
        if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
            properties.extend(more);
        }
        properties
    };
    let message = json!({
        "trigger_word": text("The word that it begins with, or has in it, where the webhook has such."),
        "message_id": text("The message."),
        "text": text("What was said."),
        "alias": text("In whose name it was said, where an integration said it."),
        "siteUrl": text("Where this service is."),
        "isEdited": flag("That it was said before and is changed now."),
        "tmid": text("The message that it answers."),
    });
    let file = json!({
        "trigger_word": message["trigger_word"], "message_id": message["message_id"], "text": message["text"],
        "alias": message["alias"],
        "user": reference("OutgoingUser"), "room": reference("OutgoingRoom"),
        "message": {"type": "object", "description": "The message with its file, as the product shows it."},
    });
    let setting = json!({
        "type": "object", "required": ["label"], "additionalProperties": true,
        "description": "A setting as the integration's descriptor has it, whole; `default` is the value that holds here.",
        "properties": {"label": text("Its name.")},
    });
    let settings =
        json!({"type": "array", "items": reference("IntegrationSettingSent"), "description": "What is set."});
    let room_event = json!({"user": reference("OutgoingUser"), "room": reference("OutgoingRoom")});
    json!({
        "IntegrationSettingSent": setting,
        "IntegrationMessage": object("A message for an integration.", &["channel_id", "settings", "message", "org_id"], json!({
            "channel_id": uuid("The channel."),
            "settings": settings,
            "message": text("What was said."),
            "org_id": uuid("The organisation."),
            "thread_id": text("The message that it answers, where it answers one."),
        })),
        "IntegrationMessageReply": object("What becomes of the message.", &[], json!({
            "message": text("The message from now on."),
            "drop": flag("Of a filter: that the message goes no further."),
            "status": text("`error` says that the answer is a report and no message."),
        })),
        "IntegrationTick": object("A tick for an integration.", &["channel_id", "return_url", "settings"], json!({
            "channel_id": uuid("The channel."),
            "return_url": text("Where to post what there is to say: an address with a key in it."),
            "settings": settings,
        })),
        "OutgoingUser": object("A member.", &["_id", "username"], json!({
            "_id": text("Their id."),
            "username": text("Their username."),
            "type": text("`user`."),
            "active": flag("That they are a member."),
            "roles": {"type": "array", "items": {"type": "string"}, "description": "What they are."},
            "emails": {
                "type": "array", "description": "Their addresses.",
                "items": object("An address.", &["address"], json!({"address": text("The address.")})),
            },
            "createdAt": time("Since when they are a member."),
        })),
        "OutgoingRoom": object("A channel.", &["t"], json!({
            "_id": uuid("Its id."),
            "name": text("Its name."),
            "t": {"type": "string", "enum": ["c", "p", "d"], "description": "Public, private, or of two."},
            "ts": time("Since when there is one."),
            "archived": flag("That nothing new is posted there."),
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
        "OutgoingRoomEvent": object("What happened to a channel.", &["bot", "timestamp", "room"], in_channel(room_event)),
        "OutgoingRoomCreated": object(
            "A channel that was created.",
            &["bot", "timestamp", "room"],
            in_channel(json!({"owner": reference("OutgoingUser"), "room": reference("OutgoingRoom")})),
        ),
        "OutgoingUserCreated": object("A member who was added.", &["bot", "timestamp"], json!({
            "token": text("The token of the webhook, where it has one."),
            "bot": flag("Whether it is a bot."),
            "timestamp": time("When."),
            "user_id": text("The member."),
            "user_name": text("Their username."),
            "user": reference("OutgoingUser"),
        })),
        "OutgoingReply": {
            "type": "object", "additionalProperties": true,
            "description": "What is posted, with the members that an incoming webhook takes.",
            "properties": {
                "text": text("What is said."),
                "channel": text("Where: `#channel` or `@member`; else where the webhook says, or where it happened."),
                "attachments": {
                    "type": "array", "items": {"type": "object", "description": "An attachment."},
                    "description": "As Slack has them.",
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
        source: EventSource::Channel,
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
