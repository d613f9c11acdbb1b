//! Builds the request body of an outgoing webhook, for each of its events.
//!
//! Not here: the decision to call it (`trigger`).

use serde_json::{Map, Value, json};

use super::OutgoingEvent;
use crate::domain::{
    ambient::timestamp,
    channels::{Channel, message::Message, person::Person},
    pipeline::event::Event,
};

/// Context of a call beside the event itself.
#[derive(Clone, Debug, Default)]
pub struct Telling<'a> {
    /// The webhook's token, if it has one.
    pub token: Option<&'a str>,
    /// The trigger word that matched.
    pub trigger_word: Option<&'a str>,
    /// Public address of this service.
    pub site_url: &'a str,
    /// The channel of the event, if it has one that still exists.
    pub channel: Option<&'a Channel>,
}

/// Builds the body for an event.
pub fn payload(event: OutgoingEvent, source: &Event, telling: &Telling<'_>) -> Value {
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    if let Some(token) = telling.token {
        put("token", token.into());
    }
    put("bot", false.into());
    let data = &*source.fact.data;
    let there = Room::of(source, telling.channel);
    match event {
        OutgoingEvent::SendMessage | OutgoingEvent::FileUploaded => {
            let message = Message::read(data);
            let author = message.user.clone().unwrap_or_else(Person::bot);
            if let Some(word) = telling.trigger_word {
                put("trigger_word", word.into());
            }
            there.put(&mut put);
            put("message_id", message_id(source).into());
            put("timestamp", timestamp(source.created_at).into());
            put("user_id", author.id().into());
            put("user_name", author.username.as_str().into());
            put("text", message.text.as_str().into());
            if let Some(alias) = &message.username {
                put("alias", alias.as_str().into());
            }
            if message.integration_id.is_some() {
                put("bot", true.into());
            }
            if event == OutgoingEvent::SendMessage {
                put("siteUrl", telling.site_url.into());
                if message.edited {
                    put("isEdited", true.into());
                }
                if let Some(thread_id) = &message.thread_id {
                    put("tmid", thread_id.as_str().into());
                }
            } else {
                put("user", json!({"_id": author.id(), "username": author.username}));
                put("room", there.room());
                put("message", said(source, &message, &author, &there));
            }
        }
        OutgoingEvent::RoomCreated => {
            there.put(&mut put);
            let at = text(&data["channel"]["createdAt"]).unwrap_or_else(|| timestamp(source.created_at));
            put("timestamp", at.into());
            user(&data["user"], "owner", &mut put);
            put("room", there.room());
        }
        OutgoingEvent::RoomArchived | OutgoingEvent::RoomJoined | OutgoingEvent::RoomLeft => {
            put("timestamp", timestamp(source.created_at).into());
            there.put(&mut put);
            user(&data["user"], "user", &mut put);
            put("room", there.room());
        }
        OutgoingEvent::UserCreated => {
            let at = text(&data["user"]["createdAt"]).unwrap_or_else(|| timestamp(source.created_at));
            put("timestamp", at.into());
            user(&data["user"], "user", &mut put);
        }
    }
    Value::Object(body)
}

/// Returns a message's id: the one given by its author, or that of the event that it was posted as.
fn message_id(source: &Event) -> String {
    let given = text(&source.fact.data["messageId"]);
    given.unwrap_or_else(|| source.made_from.unwrap_or(source.id).to_string())
}

fn said(source: &Event, message: &Message, author: &Person, there: &Room<'_>) -> Value {
    let mut said = json!({
        "_id": message_id(source),
        "rid": there.id,
        "msg": message.text,
        "ts": timestamp(source.created_at),
        "u": {"_id": author.id(), "username": author.username},
    });
    if !message.attachments.is_empty() {
        said["attachments"] = message.attachments.clone().into();
    }
    for key in ["file", "files"] {
        if let Some(value) = message.more.get(key) {
            said[key] = value.clone();
        }
    }
    said
}

fn user(data: &Value, key: &str, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    let (Some(id), Some(username)) = (text(&data["id"]), text(&data["username"])) else { return };
    let mut user = json!({"_id": id, "username": username, "type": "user", "active": true});
    if let Some(role) = text(&data["role"]) {
        user["roles"] = json!([role]);
    }
    if let Some(email) = text(&data["email"]) {
        user["emails"] = json!([{"address": email}]);
    }
    if let Some(created_at) = text(&data["createdAt"]) {
        user["createdAt"] = created_at.into();
    }
    put("user_id", id.into());
    put("user_name", username.into());
    put(key, user);
}

/// A channel as recorded in the event, or else in its current state.
struct Room<'a> {
    id: Option<String>,
    name: Option<&'a str>,
    kind: &'static str,
    created_at: Option<String>,
    archived: bool,
}

impl<'a> Room<'a> {
    fn of(source: &'a Event, channel: Option<&'a Channel>) -> Self {
        let told = &source.fact.data["channel"];
        let now = channel.map(Channel::event_data).unwrap_or_default();
        let flag = |key: &str| told[key].as_bool().or(now[key].as_bool()).unwrap_or_default();
        Self {
            id: source.fact.channel_id.map(|id| id.to_string()),
            name: told["name"].as_str().or(channel.map(|channel| channel.name.as_str())),
            kind: match (flag("direct"), flag("private")) {
                (true, _) => "d",
                (false, true) => "p",
                (false, false) => "c",
            },
            created_at: text(&told["createdAt"]).or_else(|| text(&now["createdAt"])),
            archived: told["archivedAt"].is_string() || now["archivedAt"].is_string(),
        }
    }

    fn put(&self, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
        if let Some(id) = &self.id {
            put("channel_id", id.as_str().into());
        }
        if let Some(name) = self.name {
            put("channel_name", name.into());
        }
    }

    fn room(&self) -> Value {
        let mut room = json!({"t": self.kind});
        if let Some(id) = &self.id {
            room["_id"] = id.as_str().into();
        }
        if let Some(name) = self.name {
            room["name"] = name.into();
        }
        if let Some(created_at) = &self.created_at {
            room["ts"] = created_at.as_str().into();
        }
        if self.archived {
            room["archived"] = true.into();
        }
        room
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
