//! Messages by example, and by many generated events against Block Kit's limits.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::{
    ambient::Time,
    pipeline::{
        attributes::Attributes,
        event::{EventSource, Fact},
    },
    routes::workflow_step::{LINK_ID, STEP_ACTION, STEP_KIND, VISITOR_ID, WORKFLOW_STEP_COMPLETED},
    slack::block_kit::{Dice, check_message},
};

fn event(action: Option<&str>, data: Value) -> Event {
    let mut attributes = Attributes::from_iter([
        (LINK_ID, "0198c0de-0000-7000-8000-000000000001"),
        (STEP_KIND, StepKind::Interaction.as_str()),
        (VISITOR_ID, "v-42"),
    ]);
    if let Some(action) = action {
        attributes.insert(STEP_ACTION, action);
    }
    Event {
        id: Uuid::from_u128(7).into(),
        organisation_id: Uuid::nil().into(),
        source: EventSource::API,
        fact: Fact { attributes, ..Fact::plain(WORKFLOW_STEP_COMPLETED, None, data) },
        made_from: None,
        path: Vec::new(),
        trace: None,
        created_at: Time::from_timestamp(1_763_683_200, 0).unwrap(),
    }
}

#[test]
fn a_submitted_form_reads_well() {
    let data = json!({
        "email": "a_b@example.com", "page": "https://shop.example/?a=1&b=2", "seats": 3, "vip": true, "note": "",
        "tags": ["x", {"y": null}],
    });
    let message = step_completed(&event(Some("EVENT_ACTION_FORM_SUBMIT"), data));
    assert_eq!(
        message.blocks,
        json!([
            {"type": "header", "text": {"type": "plain_text", "text": "Form submitted"}},
            {"type": "section", "fields": [
                {"type": "mrkdwn", "text": "*Link*\n`0198c0de-0000-7000-8000-000000000001`", "verbatim": true},
                {"type": "mrkdwn", "text": "*Step*\nInteraction", "verbatim": true},
                {"type": "mrkdwn", "text": "*Action*\n`FORM_SUBMIT`", "verbatim": true},
                {"type": "mrkdwn", "text": "*Visitor*\n`v-42`", "verbatim": true},
            ]},
            {"type": "section", "text": {"type": "mrkdwn", "verbatim": true, "text":
                "*email:* a_b@example.com\n\
                 *page:* <https://shop.example/?a=1&amp;b=2|https://shop.example/?a=1&amp;b=2>\n\
                 *seats:* 3\n*vip:* true\n*note:* –\n*tags:* `[\"x\",{\"y\":null}]`"}},
            {"type": "context", "elements": [
                {"type": "mrkdwn", "verbatim": true,
                 "text": "Event `00000000-0000-0000-0000-000000000007` · 2025-11-21 00:00:00 UTC"},
            ]},
        ])
    );
    assert_eq!(
        message.text,
        "Form submitted\n*email:* a_b@example.com\n\
         *page:* <https://shop.example/?a=1&amp;b=2|https://shop.example/?a=1&amp;b=2>\n*seats:* 3\n…and 3 more"
    );
}

#[test]
fn actions_and_kinds_are_put_into_words() {
    let cases = [
        (Some("FORM_SUBMIT"), "Form submitted"),
        (Some("EVENT_ACTION_LINK_VISIT"), "Link visited"),
        (Some("EVENT_ACTION_DEVICE_TYPE_CONDITION"), "Device type condition checked"),
        (Some("SOMETHING_NEW_2"), "Something new 2"),
        (Some("Asked nicely"), "Asked nicely"),
        (Some("*a* <!here>"), "*a* &lt;!here&gt;"),
        (Some("EVENT_ACTION_"), ""),
        (None, "Visitor answered"),
    ];
    for (action, expected) in cases {
        let message = step_completed(&event(action, Value::Null));
        let title = message.blocks[0]["text"]["text"].as_str().unwrap();
        if expected.is_empty() {
            assert!(!title.is_empty(), "a header cannot be empty");
        } else {
            assert_eq!(title, expected);
            assert_eq!(message.text.replace('\u{200B}', ""), expected);
        }
    }
    for kind in StepKind::ALL {
        let mut event = event(None, Value::Null);
        event.fact.attributes.insert(STEP_KIND, kind.as_str());
        assert!(!step_completed(&event).text.is_empty());
    }
}

#[test]
fn other_events_say_their_type() {
    let mut event = event(None, json!("<@U1>"));
    event.fact.kind = "invoice.payment_failed".into();
    event.fact.attributes = [("amount", "12.5"), ("currency", "EUR")].into_iter().collect();
    let message = event_message(&event);
    assert_eq!(message.blocks[0]["text"]["text"], "Invoice payment failed");
    assert_eq!(message.blocks[1]["fields"][0]["text"], "*Type*\n`invoice.payment_failed`");
    assert_eq!(message.blocks[1]["fields"][1]["text"], "*amount*\n`12.5`");
    assert_eq!(message.blocks[1]["fields"][2]["text"], "*currency*\n`EUR`");
    assert_eq!(message.blocks[2]["text"]["text"], "*Data:* &lt;@U1&gt;");
}

#[test]
fn a_test_says_where_notifications_will_arrive() {
    let message = test_message("Ann & <!here>", "#general");
    let said = "Notifications from *Ann &amp; &lt;!here&gt;* will arrive in #general.";
    assert_eq!(message.blocks[1]["text"]["text"], format!("This is a test. {said}"));
    assert!(test_message("A", "").text.ends_with("this channel."));
    check_message(&message);
}

#[test]
fn omitted_lines_are_counted() {
    let wide: Map<String, Value> = (0..500).map(|n| (format!("key{n}"), json!("x".repeat(1_000)))).collect();
    let message = step_completed(&event(None, Value::Object(wide)));
    let said = message.blocks[2]["text"]["text"].as_str().unwrap();
    let shown = said.matches("*key").count();
    assert!(said.ends_with(&format!("\n…and {} more", 500 - shown)), "{said}");
    assert!(shown >= 5);
}

#[test]
fn large_and_deep_data_costs_no_more_than_its_excerpt() {
    let mut deep = json!("<!channel>");
    for _ in 0..500 {
        deep = json!([deep]);
    }
    let message = step_completed(&event(None, json!({"deep": deep, "long": vec![json!({"n": 1}); 10_000]})));
    check_message(&message);
}

#[test]
fn generated_events_keep_every_limit() {
    let mut dice = Dice::new();
    for round in 0..1_000 {
        let action = (dice.roll(4) > 0).then(|| dice.text(255));
        let data = dice.value(4);
        let mut event = event(action.as_deref(), data);
        event.fact.attributes.insert(LINK_ID, dice.text(255));
        event.fact.attributes.insert(VISITOR_ID, dice.text(255));
        check_message(&step_completed(&event));
        for number in 0..dice.roll(30) {
            event.fact.attributes.insert(format!("a{number}_{}", "n".repeat(60)), dice.text(255));
        }
        event.fact.kind = dice.text(128);
        check_message(&event_message(&event));
        if round % 10 == 0 {
            check_message(&test_message(&dice.text(400), &dice.text(400)));
        }
    }
}
