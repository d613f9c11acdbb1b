//! Extracts the text of Slack's blocks, as plain lines: for senders who send nothing else.
//!
//! Not here: the blocks that we send (`domain::slack::blocks`).

use serde_json::Value;

/// Returns the texts in some blocks (Block Kit: header, section, context, rich text), a line for each, in their order;
/// empty without any.
pub(super) fn text(blocks: &Value) -> String {
    let mut lines = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        match block["type"].as_str() {
            Some("header" | "section") => {
                lines.push(said(&block["text"]));
                lines.extend(block["fields"].as_array().into_iter().flatten().map(said));
            }
            Some("context") => lines.push(joined(&block["elements"], " ")),
            Some("rich_text") => lines.extend(block["elements"].as_array().into_iter().flatten().map(rich)),
            Some("image") => lines.push(block["alt_text"].as_str().unwrap_or_default().to_owned()),
            Some(_) | None => {}
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n").trim().to_owned()
}

/// Returns the text of a text object, `{"type": "mrkdwn", "text": "…"}`, or the alternative text of an image.
fn said(object: &Value) -> String {
    object["text"].as_str().or_else(|| object["alt_text"].as_str()).unwrap_or_default().to_owned()
}

fn joined(elements: &Value, between: &str) -> String {
    let said: Vec<String> = elements.as_array().into_iter().flatten().map(said).collect();
    said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
}

/// Returns the text of a rich-text section, quote, list or piece of code.
fn rich(element: &Value) -> String {
    match element["type"].as_str() {
        Some("rich_text_list") => {
            let items = element["elements"].as_array().into_iter().flatten();
            items.map(|item| format!("• {}", joined(&item["elements"], ""))).collect::<Vec<_>>().join("\n")
        }
        Some(_) | None => {
            let pieces = element["elements"].as_array().into_iter().flatten();
            pieces.map(|piece| piece["text"].as_str().or(piece["url"].as_str()).unwrap_or_default()).collect()
        }
    }
}
