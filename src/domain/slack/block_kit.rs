//! Checks of messages and modals against Slack's limits, and of the escaping of user text in them: for tests.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{SlackMessage, text::width};

/// Hostile user text.
pub(super) const HOSTILE: [&str; 8] = [
    "<!channel> & </b>|x>",
    "<@U012> <#C012|general> <!subteam^S1> &amp; &lt",
    "*bold* _it_ ~no~ `code` ```\n```",
    "\u{0}\u{7}\u{1b}[31m\r\n\t\u{202E}gnp.exe\u{2066}",
    "😀👩\u{200d}👩\u{200d}👧e\u{301} مرحبا",
    "javascript:alert(1) https://a.example/?q=<x>|y&z",
    "\"}],\\",
    "   ",
];

/// Returns each of [`HOSTILE`], the empty text, and long ones.
pub(super) fn hostile() -> impl Iterator<Item = String> {
    let long = ["x", "&", "<", "😀", "*", "`", "字"].map(|piece| piece.repeat(10_000));
    HOSTILE.into_iter().map(str::to_owned).chain([String::new()]).chain(long)
}

/// Asserts that a message is within all limits, without text that could ping a user or disguise a link.
pub(crate) fn check_message(message: &SlackMessage) {
    let blocks = message.blocks.as_array().expect("blocks are an array");
    assert!((1..=50).contains(&blocks.len()));
    assert!((1..=3_500).contains(&width(&message.text)), "{}", message.text);
    check_markup(&message.text);
    check_blocks(blocks);
    assert!(blocks.iter().all(|block| block["type"] != "input"), "a message has no inputs");
    let written = serde_json::to_string(&message.blocks).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), message.blocks);
}

/// Asserts the same of a modal.
pub(super) fn check_modal(view: &Value) {
    assert_eq!(view["type"], "modal");
    for (field, needed) in [("title", true), ("close", true), ("submit", false)] {
        if needed || view.get(field).is_some() {
            assert_eq!(view[field]["type"], "plain_text", "{field}");
            check_text(&view[field], 24);
        }
    }
    let blocks = view["blocks"].as_array().expect("blocks are an array");
    assert!((1..=100).contains(&blocks.len()));
    let inputs = blocks.iter().filter(|block| block["type"] == "input").count();
    assert!(inputs == 0 || view.get("submit").is_some(), "inputs need a button that submits them");
    check_blocks(blocks);
    assert!(view.get("callback_id").is_none_or(|id| (1..=255).contains(&id.as_str().unwrap().len())));
    assert!(view.get("private_metadata").is_none_or(|data| width(data.as_str().unwrap()) <= 3_000));
    assert!(view.to_string().len() <= 250_000, "{} bytes", view.to_string().len());
}

fn check_blocks(blocks: &[Value]) {
    let mut ids = BTreeSet::new();
    for block in blocks {
        if let Some(id) = block.get("block_id") {
            let id = id.as_str().unwrap();
            assert!((1..=255).contains(&id.len()) && ids.insert(id), "{id}");
        }
        match block["type"].as_str().unwrap() {
            "header" => {
                assert_eq!(block["text"]["type"], "plain_text");
                check_text(&block["text"], 150);
            }
            "section" => {
                let fields = block.get("fields").and_then(Value::as_array);
                assert!(fields.is_some() != block.get("text").is_some());
                fields.into_iter().flatten().for_each(|field| check_text(field, 2_000));
                assert!(fields.is_none_or(|fields| (1..=10).contains(&fields.len())));
                block.get("text").into_iter().for_each(|text| check_text(text, 3_000));
                block.get("accessory").into_iter().for_each(check_element);
            }
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
                elements.iter().for_each(|element| check_text(element, 2_000));
            }
            "actions" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=25).contains(&elements.len()));
                elements.iter().for_each(check_element);
                let ids: BTreeSet<_> = elements.iter().map(|element| element["action_id"].as_str()).collect();
                assert_eq!(ids.len(), elements.len(), "actions of a block need names of their own");
            }
            "input" => {
                assert_eq!(block["label"]["type"], "plain_text");
                check_text(&block["label"], 2_000);
                block.get("hint").into_iter().for_each(|hint| check_text(hint, 2_000));
                check_element(&block["element"]);
            }
            "divider" => assert_eq!(block, &json!({"type": "divider"})),
            other => panic!("{other}"),
        }
    }
}

fn check_element(element: &Value) {
    assert!((1..=255).contains(&element["action_id"].as_str().unwrap().len()));
    match element["type"].as_str().unwrap() {
        "button" => {
            assert_eq!(element["text"]["type"], "plain_text");
            check_text(&element["text"], 75);
            let url = element["url"].as_str().unwrap();
            assert!((1..=3_000).contains(&url.len()) && (url.starts_with("http://") || url.starts_with("https://")));
        }
        "plain_text_input" => {
            let most = usize::try_from(element["max_length"].as_u64().unwrap()).unwrap();
            assert!((1..=3_000).contains(&most));
            if let Some(value) = element.get("initial_value").and_then(Value::as_str) {
                assert!((1..=most).contains(&width(value)));
                assert!(element["multiline"] == true || !value.contains('\n'));
            }
        }
        "static_select" => {
            check_text(&element["placeholder"], 150);
            let groups = element.get("option_groups").and_then(Value::as_array);
            assert!(groups.is_some() != element.get("options").is_some());
            let groups = groups.cloned().unwrap_or_else(|| vec![json!({"options": element["options"]})]);
            assert!((1..=100).contains(&groups.len()));
            for group in &groups {
                group.get("label").into_iter().for_each(|label| check_text(label, 75));
                let options = group["options"].as_array().unwrap();
                assert!((1..=100).contains(&options.len()));
                for option in options {
                    check_text(&option["text"], 75);
                    assert!((1..=75).contains(&option["value"].as_str().unwrap().len()));
                }
            }
        }
        other => panic!("{other}"),
    }
}

fn check_text(object: &Value, max: usize) {
    let text = object["text"].as_str().unwrap();
    assert!((1..=max).contains(&width(text)), "{} of {max}: {text}", width(text));
    assert!(!text.trim().is_empty(), "Slack takes white space for nothing");
    check_markup(text);
    if object["type"] == "mrkdwn" {
        assert_eq!(object["verbatim"], true);
        assert!(text.matches('`').count().is_multiple_of(2), "code that does not end: {text}");
    }
}

/// Asserts that ampersands begin entities, and that brackets hold whole links to web pages and nothing else.
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
    assert!(!text.contains(['\u{202E}', '\u{2066}', '\0', '\u{1b}', '\r']), "{text:?}");
}

/// A small generator of hostile input (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(super) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % (sides as u64)).unwrap()
    }

    /// Returns 1 to `max` characters.
    pub(crate) fn text(&mut self, max: usize) -> String {
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

    pub(crate) fn value(&mut self, depth: usize) -> Value {
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
