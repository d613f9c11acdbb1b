//! The Block Kit blocks of messages and modals (Slack: Block Kit reference).
//!
//! Not here: escaping. Text must be safe already: our own, or user text from [`text`](super::text). `mrkdwn` carries
//! `verbatim`, so that Slack turns nothing in user text into a mention or a link by itself.

use serde_json::{Value, json};
use url::Url;

/// Maximum length of a header, in characters.
pub const MAX_HEADER: usize = 150;
/// Maximum length of a section's text, in characters.
pub const MAX_SECTION: usize = 3_000;
/// Maximum length of a button's URL, in characters.
const MAX_URL: usize = 3_000;

/// Returns `text`, or another one if it is empty: Slack refuses empty texts.
pub fn or(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}

/// Returns a header, of at most [`MAX_HEADER`] characters.
pub fn header(title: &str) -> Value {
    json!({"type": "header", "text": plain_text(title)})
}

/// Returns a paragraph, of at most [`MAX_SECTION`] characters.
pub fn section(said: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(said)})
}

/// Returns a line in small letters.
pub fn context(said: &str) -> Value {
    json!({"type": "context", "elements": [mrkdwn(said)]})
}

/// Returns a divider.
pub fn divider() -> Value {
    json!({"type": "divider"})
}

/// Returns text with markup.
pub fn mrkdwn(said: &str) -> Value {
    json!({"type": "mrkdwn", "text": said, "verbatim": true})
}

/// Returns text without markup.
pub fn plain_text(said: &str) -> Value {
    json!({"type": "plain_text", "text": said})
}

/// Returns buttons in a row, at most 25; `None` without any, which Slack would refuse.
pub fn actions(buttons: Vec<Value>) -> Option<Value> {
    (!buttons.is_empty()).then(|| json!({"type": "actions", "elements": buttons}))
}

/// Returns a button that links to a page. Slack reports the press all the same, by `action_id`. `None` for a URL that a
/// browser should not open.
pub fn link_button(action_id: &str, label: &str, address: &str) -> Option<Value> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    (url.as_str().len() <= MAX_URL)
        .then(|| json!({"type": "button", "action_id": action_id, "text": plain_text(label), "url": url.as_str()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_leads_to_a_page_or_is_not_there() {
        let button = link_button("open-app", "Open", "https://app.example/a?b=<c>&d").unwrap();
        assert_eq!(button["url"], "https://app.example/a?b=%3Cc%3E&d");
        for bad in ["", "app.example", "javascript:alert(1)", "mailto:a@b.example", "file:///etc/passwd"] {
            assert_eq!(link_button("x", "x", bad), None, "{bad}");
        }
        assert_eq!(link_button("x", "x", &format!("https://a.example/{}", "x".repeat(3_000))), None);
        assert_eq!(actions(vec![]), None);
    }
}
