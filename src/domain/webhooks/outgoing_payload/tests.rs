//! The body of each event, member by member.

use uuid::Uuid;

use super::*;
use crate::domain::{
    ambient::Time,
    channels,
    pipeline::event::Fact,
    tenancy::member::{Member, Role},
};

const AT: &str = "2026-11-21T00:00:00.000Z";
const CHANNEL: &str = "00000000-0000-0000-0000-000000000007";
const ADA: &str = "00000000-0000-0000-0000-00000000000a";

fn time() -> Time {
    AT.parse().unwrap()
}

fn channel() -> Channel {
    Channel {
        id: Uuid::from_u128(7).into(),
        organisation_id: Uuid::from_u128(2).into(),
        name: "general".into(),
        private: false,
        direct: false,
        archived_at: None,
        created_by: Uuid::from_u128(10).into(),
        created_at: time(),
    }
}

fn ada() -> Member {
    Member {
        id: Uuid::from_u128(3).into(),
        organisation_id: Uuid::from_u128(2).into(),
        user_id: Uuid::from_u128(10).into(),
        username: "ada".into(),
        email: Some("ada@example.org".into()),
        subject: None,
        unproven: Default::default(),
        role: Role::Owner,
        permissions: None,
        created_at: time(),
    }
}

fn sent(event: OutgoingEvent, data: Value, word: Option<&str>) -> Value {
    let source = Event {
        id: Uuid::from_u128(1).into(),
        organisation_id: Uuid::from_u128(2).into(),
        source: channels::event::SOURCE,
        fact: Fact::plain("any", (event != OutgoingEvent::UserCreated).then(|| Uuid::from_u128(7).into()), data),
        made_from: Some(Uuid::from_u128(4).into()),
        path: Vec::new(),
        trace: None,
        created_at: time(),
    };
    let channel = channel();
    let telling = Telling {
        token: word.map(|_| "t0ken"),
        trigger_word: word,
        site_url: "https://tieline.example",
        channel: (event != OutgoingEvent::UserCreated).then_some(&channel),
    };
    payload(event, &source, &telling)
}

#[test]
fn a_message() {
    let plain = json!({
        "bot": false, "channel_id": CHANNEL, "channel_name": "general",
        "message_id": "00000000-0000-0000-0000-000000000004", "timestamp": AT,
        "user_id": ADA, "user_name": "ada", "text": "hi", "siteUrl": "https://tieline.example",
    });
    let by_ada = json!({"message": "hi", "user": {"userId": ADA, "username": "ada"}});
    assert_eq!(sent(OutgoingEvent::SendMessage, by_ada.clone(), None), plain);
    let mut more = by_ada;
    more["username"] = "CI".into();
    more["integrationId"] = CHANNEL.into();
    more["edited"] = true.into();
    more["threadId"] = "t1".into();
    more["messageId"] = "m1".into();
    let mut expected = plain;
    for (key, value) in [
        ("token", json!("t0ken")),
        ("trigger_word", json!("hi")),
        ("bot", json!(true)),
        ("alias", json!("CI")),
        ("isEdited", json!(true)),
        ("tmid", json!("t1")),
        ("message_id", json!("m1")),
    ] {
        expected[key] = value;
    }
    assert_eq!(sent(OutgoingEvent::SendMessage, more, Some("hi")), expected);
    let by_nobody = sent(OutgoingEvent::SendMessage, json!({"message": "hi"}), None);
    assert_eq!((&by_nobody["user_id"], &by_nobody["user_name"]), (&json!("rocket.cat"), &json!("rocket.cat")));
}

#[test]
fn a_file() {
    let file = json!({"_id": "f1", "name": "a.png", "type": "image/png"});
    let data = json!({"message": "see", "file": file, "user": {"userId": ADA, "username": "ada"}});
    let id = "00000000-0000-0000-0000-000000000004";
    let user = json!({"_id": ADA, "username": "ada"});
    let expected = json!({
        "bot": false, "channel_id": CHANNEL, "channel_name": "general", "message_id": id, "timestamp": AT,
        "user_id": ADA, "user_name": "ada", "text": "see", "user": user,
        "room": {"_id": CHANNEL, "name": "general", "t": "c", "ts": AT},
        "message": {"_id": id, "rid": CHANNEL, "msg": "see", "ts": AT, "u": user, "file": file},
    });
    assert_eq!(sent(OutgoingEvent::FileUploaded, data, None), expected);
}

#[test]
fn events_of_channels_and_members() {
    let user = json!({
        "_id": ADA, "username": "ada", "type": "user", "active": true, "roles": ["owner"],
        "emails": [{"address": "ada@example.org"}], "createdAt": AT,
    });
    let room = json!({"_id": CHANNEL, "name": "general", "t": "c", "ts": AT});
    let data = json!({"channel": channel().event_data(), "user": ada().event_data()});
    let in_room = json!({
        "bot": false, "timestamp": AT, "channel_id": CHANNEL, "channel_name": "general",
        "user_id": ADA, "user_name": "ada", "room": room,
    });
    let with = |key: &str| {
        let mut body = in_room.clone();
        body[key] = user.clone();
        body
    };
    assert_eq!(sent(OutgoingEvent::RoomCreated, data.clone(), None), with("owner"));
    assert_eq!(sent(OutgoingEvent::RoomJoined, data.clone(), None), with("user"));
    assert_eq!(sent(OutgoingEvent::RoomLeft, data.clone(), None), with("user"));
    let archived = Channel { archived_at: Some(time()), private: true, ..channel() };
    let gone = json!({"channel": archived.event_data(), "user": ada().event_data()});
    let mut expected = with("user");
    expected["room"] = json!({"_id": CHANNEL, "name": "general", "t": "p", "ts": AT, "archived": true});
    assert_eq!(sent(OutgoingEvent::RoomArchived, gone, None), expected);
    let created = json!({"bot": false, "timestamp": AT, "user_id": ADA, "user_name": "ada", "user": user});
    assert_eq!(sent(OutgoingEvent::UserCreated, json!({"user": ada().event_data()}), None), created);
    assert_eq!(
        sent(OutgoingEvent::UserCreated, json!(null), None),
        json!({"bot": false, "timestamp": AT}),
        "an event from outside may say nothing"
    );
}
