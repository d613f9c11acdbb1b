//! The few blocks that messages and modals are made of (Slack: Block Kit reference). What is put in is safe already: our
//! own text, or other people's from [`text`](super::text).
//!
//! `mrkdwn` carries `verbatim`, so that Slack turns nothing in other people's text into a mention or a link by itself.

use serde_json::{Value, json};
use url::Url;

/// Characters that a header takes.
pub const MAX_HEADER: usize = 150;
/// Characters that the text of a section takes.
pub const MAX_SECTION: usize = 3_000;
/// Characters of a button's address.
const MAX_URL: usize = 3_000;

/// `text`, or another one where it is empty: Slack refuses empty texts.
pub fn or(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}

/// A line in large letters, of at most [`MAX_HEADER`] characters.
pub fn header(title: &str) -> Value {
    json!({"type": "header", "text": plain_text(title)})
}

/// A paragraph, of at most [`MAX_SECTION`] characters.
pub fn section(said: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(said)})
}

/// A line in small letters.
pub fn context(said: &str) -> Value {
    json!({"type": "context", "elements": [mrkdwn(said)]})
}

/// A line across.
pub fn divider() -> Value {
    json!({"type": "divider"})
}

/// Text with markup.
pub fn mrkdwn(said: &str) -> Value {
    json!({"type": "mrkdwn", "text": said, "verbatim": true})
}

/// Text without markup.
pub fn plain_text(said: &str) -> Value {
    json!({"type": "plain_text", "text": said})
}

/// Buttons in a row, at most 25; nothing where there is none, which Slack would refuse.
pub fn actions(buttons: Vec<Value>) -> Option<Value> {
    (!buttons.is_empty()).then(|| json!({"type": "actions", "elements": buttons}))
}

/// A button that leads to a page. Slack tells us of the press all the same, by `action_id`. Nothing where the address
/// is none that a browser should go to.
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
