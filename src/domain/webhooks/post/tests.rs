//! Parsing of senders' messages, and the members that are left out.

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::{
    ambient::Time,
    channels::person::Person,
    webhooks::{Direction, Incoming, Script},
};

fn webhook(look: Look) -> Webhook {
    Webhook {
        id: Uuid::from_u128(1).into(),
        organisation_id: Uuid::from_u128(2).into(),
        installation_id: Uuid::from_u128(3).into(),
        name: "CI".into(),
        enabled: true,
        poster: Person::bot(),
        channels: vec!["#general".into()],
        look,
        script: Script::default(),
        direction: Direction::Incoming(Incoming::default()),
        created_by: Person::bot(),
        created_at: Time::UNIX_EPOCH,
        updated_by: None,
        updated_at: Time::UNIX_EPOCH,
    }
}

fn read(content: Value) -> Result<Post, PostFault> {
    Post::read(content.as_object().unwrap(), &webhook(Look::default()))
}

fn message(content: Value) -> Message {
    read(content).unwrap().message
}

#[test]
fn the_first_of_two_keys_counts() {
    assert_eq!(message(json!({"msg": "b", "text": " a "})).text, "a");
    assert_eq!(message(json!({"text": "", "msg": "b"})).text, "b");
    assert_eq!(message(json!({"text": 5})).text, "5");
    let named = message(json!({"text": "a", "alias": "x", "username": "y"}));
    assert_eq!(named.username.as_deref(), Some("y"));
    let pictured = message(json!({"text": "a", "icon_emoji": ":a:", "avatar": "https://a"}));
    assert_eq!((pictured.avatar.as_deref(), pictured.emoji), (Some("https://a"), None));
    let pictured = message(json!({"text": "a", "avatar": null, "emoji": ":b:", "icon_emoji": ":a:"}));
    assert_eq!((pictured.avatar, pictured.emoji.as_deref()), (None, Some(":a:")));
}

#[test]
fn blocks_speak_where_nothing_else_does() {
    let blocks = json!([
        {"type": "header", "text": {"type": "plain_text", "text": "Deployed"}},
        {"type": "divider"},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*web* to prod"}, "fields": [{"text": "by"}, {"text": "ada"}]},
        {"type": "context", "elements": [{"type": "image", "alt_text": "ok"}, {"type": "mrkdwn", "text": "12 s"}]},
        {"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "see "}, {"type": "link", "url": "https://a"}]},
            {"type": "rich_text_list", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "two"}]},
            ]},
        ]},
    ]);
    let lines = "Deployed\n*web* to prod\nby\nada\nok 12 s\nsee https://a\n• one\n• two";
    assert_eq!(message(json!({"blocks": blocks})).text, lines);
    assert_eq!(message(json!({"blocks": blocks, "text": "short"})).text, "short");
    for empty in
        [json!([]), json!("text"), json!({}), json!([[], 5, {"type": "divider"}, {"type": "section", "text": "x"}])]
    {
        assert_eq!(read(json!({"blocks": empty})), Err(PostFault::Empty));
    }
}

#[test]
fn the_webhook_fills_in_the_look() {
    let look = |avatar: Option<&str>| Look {
        alias: Some("Jenkins".into()),
        avatar: avatar.map(Into::into),
        emoji: Some(":gear:".into()),
    };
    let read = |content: Value, look| Post::read(content.as_object().unwrap(), &webhook(look)).unwrap().message;
    let plain = read(json!({"text": "a"}), look(Some("https://a")));
    let shown = (plain.username.as_deref(), plain.avatar.as_deref(), plain.emoji.as_deref());
    assert_eq!(shown, (Some("Jenkins"), Some("https://a"), None));
    assert_eq!(read(json!({"text": "a"}), look(None)).emoji.as_deref(), Some(":gear:"));
    let own = read(json!({"text": "a", "emoji": ":x:"}), look(Some("https://a")));
    assert_eq!((own.avatar, own.emoji.as_deref()), (None, Some(":x:")));
}

#[test]
fn attachments_are_objects_with_a_text() {
    let attachments = json!([null, {"msg": " a ", "color": "#f00"}, 5, {}, {"text": "b", "msg": null}, [{}]]);
    let message = message(json!({"attachments": attachments}));
    assert_eq!(message.attachments, [json!({"color": "#f00", "text": "a"}), json!({"text": "b"})]);
    assert_eq!(read(json!({"attachments": {"text": "a"}})), Err(PostFault::Empty));
}

#[test]
fn channels_are_texts_and_each_is_there_once() {
    let targets = |channel: Value| read(json!({"text": "a", "channel": channel})).map(|post| post.targets);
    assert_eq!(targets(json!(["#a", " #a ", "@b"])), Ok(vec!["#a".into(), "@b".into()]));
    assert_eq!(targets(json!("#a")), Ok(vec!["#a".into()]));
    for none in [json!(null), json!(""), json!([]), json!(false)] {
        assert_eq!(targets(none), Ok(vec![]));
    }
    assert_eq!(targets(json!(5)), Err(PostFault::NoSuchTarget("5".into())));
    assert_eq!(targets(json!(["#a", null])), Err(PostFault::NoSuchTarget("null".into())));
    let many: Vec<String> = (0..=MAX_TARGETS).map(|number| format!("#{number}")).collect();
    assert_eq!(targets(json!(many)), Err(PostFault::TooManyTargets));
    assert_eq!(read(json!({"text": "a", "roomId": "x", "channel": ""})).unwrap().targets, ["x"]);
    assert!(!names_a_target(json!({"channel": "", "roomId": null}).as_object().unwrap()));
}

#[test]
fn something_is_said_and_not_too_much() {
    for empty in [json!({}), json!({"text": " "}), json!({"text": {}}), json!({"attachments": []}), json!({"a": "b"})] {
        assert_eq!(read(empty), Err(PostFault::Empty));
    }
    assert!(read(json!({"text": "é".repeat(MAX_CHARS)})).is_ok());
    assert_eq!(read(json!({"text": "é".repeat(MAX_CHARS + 1)})), Err(PostFault::TooLong));
}

#[test]
fn other_members_are_kept() {
    let wishes = json!({"text": "a", "parseUrls": false, "groupable": "no", "customFields": {"a": 1}, "tmid": "t"});
    let message = message(wishes);
    assert_eq!(Value::Object(message.more), json!({"parseUrls": false, "customFields": {"a": 1}}));
    assert_eq!(message.thread_id.as_deref(), Some("t"));
    assert!(read(json!({"text": "a", "separateResponse": true})).unwrap().separate);
    assert!(!read(json!({"text": "a", "separateResponse": "true"})).unwrap().separate);
}

/// Any JSON, with known and unknown members.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    let keys = proptest::sample::select(vec![
        "text",
        "msg",
        "channel",
        "roomId",
        "username",
        "alias",
        "icon_url",
        "avatar",
        "icon_emoji",
        "emoji",
        "attachments",
        "parseUrls",
        "groupable",
        "tmid",
        "customFields",
        "separateResponse",
        "other",
    ]);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        let object = proptest::collection::vec((keys.clone(), inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|all| Value::Object(all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_object_is_read_or_refused(content in any_json()) {
        if let Some(content) = content.as_object()
            && let Ok(post) = Post::read(content, &webhook(Look::default()))
        {
            // As an event's data it is restored, and parsing is idempotent.
            prop_assert_eq!(&Message::read(&post.message.data()), &post.message);
            let Message { text, attachments, username, avatar, emoji, thread_id, more, .. } = post.message.clone();
            let mut again = json!({
                "channel": post.targets, "text": text, "attachments": attachments, "username": username,
                "avatar": avatar, "emoji": emoji, "tmid": thread_id, "separateResponse": post.separate,
            });
            again.as_object_mut().unwrap().extend(more);
            prop_assert_eq!(Post::read(again.as_object().unwrap(), &webhook(Look::default())), Ok(post));
        }
    }
}
