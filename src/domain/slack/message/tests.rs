//! Messages by example, and by many generated events against Block Kit's limits.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::{
    ambient::Time,
    event::{EventSource, Fact, WORKFLOW_STEP_COMPLETED},
};

fn event(action: Option<&str>, data: Value) -> Event {
    Event {
        id: Uuid::from_u128(7).into(),
        organisation_id: Uuid::nil().into(),
        source: EventSource::Api,
        fact: Fact {
            kind: WORKFLOW_STEP_COMPLETED.into(),
            channel_id: None,
            link_id: Some("0198c0de-0000-7000-8000-000000000001".into()),
            step_kind: Some(StepKind::Interaction),
            step_action: action.map(str::to_owned),
            visitor_id: Some("v-42".into()),
            data,
        },
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
        event.fact.step_kind = Some(kind);
        assert!(!step_completed(&event).text.is_empty());
    }
}

#[test]
fn other_events_say_their_type() {
    let mut event = event(None, json!("<@U1>"));
    event.fact.kind = "invoice.payment_failed".into();
    let message = event_message(&event);
    assert_eq!(message.blocks[0]["text"]["text"], "Invoice payment failed");
    assert_eq!(message.blocks[1]["fields"][0]["text"], "*Type*\n`invoice.payment_failed`");
    assert_eq!(message.blocks[2]["text"]["text"], "*Data:* &lt;@U1&gt;");
}

#[test]
fn a_test_says_where_notifications_will_arrive() {
    let message = test_message("Ann & <!here>", "#general");
    let said = "Notifications from *Ann &amp; &lt;!here&gt;* will arrive in #general.";
    assert_eq!(message.blocks[1]["text"]["text"], format!("This is a test. {said}"));
    assert!(test_message("A", "").text.ends_with("this channel."));
    check_limits(&message);
}

#[test]
fn what_does_not_fit_is_counted() {
    let wide: Map<String, Value> = (0..500).map(|n| (format!("key{n}"), json!("x".repeat(1_000)))).collect();
    let message = step_completed(&event(None, Value::Object(wide)));
    let said = message.blocks[2]["text"]["text"].as_str().unwrap();
    let shown = said.matches("*key").count();
    assert!(said.ends_with(&format!("\n…and {} more", 500 - shown)), "{said}");
    assert!(shown >= 5);
}

#[test]
fn large_and_deep_data_costs_no_more_than_what_is_shown() {
    let mut deep = json!("<!channel>");
    for _ in 0..500 {
        deep = json!([deep]);
    }
    let message = step_completed(&event(None, json!({"deep": deep, "long": vec![json!({"n": 1}); 10_000]})));
    check_limits(&message);
}

#[test]
fn generated_events_keep_every_limit() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for round in 0..1_000 {
        let action = (dice.roll(4) > 0).then(|| dice.text(255));
        let data = dice.value(4);
        let mut event = event(action.as_deref(), data);
        event.fact.link_id = Some(dice.text(255));
        event.fact.visitor_id = (dice.roll(2) > 0).then(|| dice.text(255));
        check_limits(&step_completed(&event));
        event.fact.kind = dice.text(128);
        check_limits(&event_message(&event));
        if round % 10 == 0 {
            check_limits(&test_message(&dice.text(400), &dice.text(400)));
        }
    }
}

/// What Slack demands of any message, and what we demand of other people's text.
fn check_limits(message: &SlackMessage) {
    let blocks = message.blocks.as_array().expect("blocks are an array");
    assert!((1..=50).contains(&blocks.len()));
    assert!((1..=3_500).contains(&text::width(&message.text)), "{}", message.text);
    check_markup(&message.text);
    for block in blocks {
        match block["type"].as_str() {
            Some("header") => {
                assert_eq!(block["text"]["type"], "plain_text");
                check_text(&block["text"], 150);
            }
            Some("section") => {
                let fields = block.get("fields").and_then(Value::as_array);
                assert!(fields.is_some() != block.get("text").is_some());
                for field in fields.into_iter().flatten() {
                    check_text(field, 2_000);
                }
                assert!(fields.is_none_or(|fields| (1..=10).contains(&fields.len())));
                if let Some(text) = block.get("text") {
                    check_text(text, 3_000);
                }
            }
            Some("context") => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
                elements.iter().for_each(|element| check_text(element, 2_000));
            }
            other => panic!("{other:?}"),
        }
    }
    let written = serde_json::to_string(&message.blocks).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), message.blocks);
}

fn check_text(object: &Value, max: usize) {
    let text = object["text"].as_str().unwrap();
    assert!((1..=max).contains(&text::width(text)), "{} of {max}: {text}", text::width(text));
    check_markup(text);
    if object["type"] == "mrkdwn" {
        assert_eq!(object["verbatim"], true);
        assert!(text.matches('`').count().is_multiple_of(2), "code that does not end: {text}");
    }
}

/// Ampersands begin entities; brackets hold whole links to places that a browser may go to, and nothing else.
fn check_markup(text: &str) {
    for (at, _) in text.match_indices('&') {
        assert!(["&amp;", "&lt;", "&gt;"].iter().any(|entity| text[at..].starts_with(entity)), "{text}");
    }
    let mut rest = text;
    while let Some(open) = rest.find(['<', '>']) {
        assert!(rest[open..].starts_with('<'), "a bracket that was not opened: {text}");
        let close = open + rest[open..].find('>').unwrap_or_else(|| panic!("cut in two: {text}"));
        let (address, label) = rest[open + 1..close].split_once('|').expect("a link with a label");
        assert!(["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme)), "{text}");
        assert!(!label.contains(['|', '<', '\n']), "{text}");
        rest = &rest[close + 1..];
    }
    assert!(!text.contains(['\u{202E}', '\u{2066}', '\0', '\r']), "{text:?}");
}

/// A small generator of nasty input (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % (sides as u64)).unwrap()
    }

    /// 1 to `max` characters.
    fn text(&mut self, max: usize) -> String {
        #[rustfmt::skip]
        const PIECES: [&str; 30] = [
            "<!channel>", "<!everyone|x>", "<@U012>", "<#C012|general>", "<!subteam^S1>", "<!date^1^{date}|x>", "</b>",
            "&", "&amp;", "&lt", "<", ">", "|", "`", "```", "*", "_", "~", "\n", "\r\n", "\0", "\u{202E}",
            "مرحبا", "😀", "👩‍👩‍👧", "e\u{301}", "word", "snake_case", "https://a.example/?q=<x>|y&z", "javascript:alert(1)",
        ];
        let wanted = 1 + if self.roll(3) == 0 { self.roll(max) } else { self.roll(max.min(20)) };
        let mut out = String::new();
        while out.chars().count() < wanted {
            out.push_str(PIECES[self.roll(PIECES.len())]);
        }
        out.chars().take(wanted).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.roll(if depth == 0 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.roll(2) == 0),
            2 => json!(self.roll(1_000_000) as f64 / 7.0),
            3 => json!(format!("https://a.example/{}", self.text(600))),
            4 => json!(self.text(1_500)),
            5 => Value::Array((0..self.roll(6)).map(|_| self.value(depth - 1)).collect()),
            _ => {
                let most = if self.roll(10) == 0 { 60 } else { 6 };
                let size = self.roll(most);
                Value::Object((0..size).map(|_| (self.text(120), self.value(depth - 1))).collect())
            }
        }
    }
}
