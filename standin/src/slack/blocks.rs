//! Validates Block Kit by the limits that Slack documents, and reports each problem with its location, as Slack does.

use serde_json::Value;

use super::answer::Refusal;

const MOST_IN_MESSAGE: usize = 50;
const MOST_IN_VIEW: usize = 100;

/// Validates the blocks of a message.
pub(crate) fn check(blocks: &Value) -> Result<(), Refusal> {
    let list = blocks.as_array().ok_or("invalid_blocks_format")?;
    if list.len() > MOST_IN_MESSAGE {
        return Err("msg_blocks_too_long".into());
    }
    judge(list, "invalid_blocks")
}

/// Validates the blocks of a modal or a home tab.
pub(crate) fn check_view(blocks: &Value) -> Result<(), Refusal> {
    match blocks.as_array() {
        Some(list) if list.len() <= MOST_IN_VIEW => judge(list, "invalid_arguments"),
        _ => Err("invalid_arguments".into()),
    }
}

fn judge(list: &[Value], error: &'static str) -> Result<(), Refusal> {
    let mut problems = Problems::default();
    for (index, block) in list.iter().enumerate() {
        problems.block(block, index);
    }
    if problems.0.is_empty() {
        return Ok(());
    }
    Err(Refusal::from(error).explained(&problems.0))
}

/// Problems found so far. Pointers are only written for a problem.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn block(&mut self, block: &Value, index: usize) {
        let at = |field: &str| format!("/blocks/{index}{field}");
        self.length(&block["block_id"], 0, 255, || at("/block_id"));
        match block["type"].as_str().unwrap_or_default() {
            "section" => self.section(block, &at),
            "header" => self.text(&block["text"], 150, || at("/text")),
            "context" => self.list(&block["elements"], 1, 10, || at("/elements")),
            "actions" => {
                self.list(&block["elements"], 1, 25, || at("/elements"));
                self.elements(&block["elements"], &at);
            }
            "image" => {
                self.length(&block["alt_text"], 1, 2000, || at("/alt_text"));
                self.length(&block["image_url"], 0, 3000, || at("/image_url"));
                self.length(&block["title"]["text"], 0, 2000, || at("/title/text"));
            }
            "input" => {
                self.text(&block["label"], 2000, || at("/label"));
                self.length(&block["hint"]["text"], 0, 2000, || at("/hint/text"));
                self.element(&block["element"], &|field| at(&format!("/element{field}")));
            }
            "markdown" => self.length(&block["text"], 1, 12_000, || at("/text")),
            "table" => self.list(&block["rows"], 1, 100, || at("/rows")),
            "divider" | "rich_text" | "video" | "file" | "call" | "context_actions" => {}
            other => self.wrong(&format!("unsupported type: {other}"), at("/type")),
        }
    }

    fn section(&mut self, block: &Value, at: &impl Fn(&str) -> String) {
        let (text, fields) = (&block["text"], &block["fields"]);
        if text.is_null() && fields.is_null() {
            return self.wrong("must have either text or fields", at(""));
        }
        if !text.is_null() {
            self.text(text, 3000, || at("/text"));
        }
        if !fields.is_null() {
            self.list(fields, 1, 10, || at("/fields"));
            for (index, field) in fields.as_array().into_iter().flatten().enumerate() {
                self.text(field, 2000, || at(&format!("/fields/{index}")));
            }
        }
        if !block["accessory"].is_null() {
            self.element(&block["accessory"], &|field| at(&format!("/accessory{field}")));
        }
    }

    fn elements(&mut self, elements: &Value, at: &impl Fn(&str) -> String) {
        for (index, element) in elements.as_array().into_iter().flatten().enumerate() {
            self.element(element, &|field| at(&format!("/elements/{index}{field}")));
        }
    }

    fn element(&mut self, element: &Value, at: &impl Fn(&str) -> String) {
        self.length(&element["action_id"], 0, 255, || at("/action_id"));
        match element["type"].as_str().unwrap_or_default() {
            "button" => {
                self.text(&element["text"], 75, || at("/text"));
                self.length(&element["value"], 0, 2000, || at("/value"));
                self.length(&element["url"], 0, 3000, || at("/url"));
                self.length(&element["accessibility_label"], 0, 75, || at("/accessibility_label"));
            }
            "overflow" => self.options(&element["options"], 5, at),
            "checkboxes" | "radio_buttons" => self.options(&element["options"], 10, at),
            "static_select" | "multi_static_select" => {
                self.length(&element["placeholder"]["text"], 0, 150, || at("/placeholder/text"));
                if element["option_groups"].is_null() {
                    self.options(&element["options"], 100, at);
                } else {
                    self.list(&element["option_groups"], 1, 100, || at("/option_groups"));
                }
            }
            "" => self.wrong("missing required field: type", at("/type")),
            _ => {}
        }
    }

    fn options(&mut self, options: &Value, most: usize, at: &impl Fn(&str) -> String) {
        self.list(options, 1, most, || at("/options"));
        for (index, option) in options.as_array().into_iter().flatten().enumerate() {
            self.text(&option["text"], 75, || at(&format!("/options/{index}/text")));
            self.length(&option["value"], 0, 75, || at(&format!("/options/{index}/value")));
            self.length(&option["description"]["text"], 0, 75, || at(&format!("/options/{index}/description")));
        }
    }

    /// Checks a required text object.
    fn text(&mut self, text: &Value, most: usize, at: impl Fn() -> String) {
        if !matches!(text["type"].as_str(), Some("plain_text" | "mrkdwn")) {
            return self.wrong("must be a text object", at());
        }
        if !text["text"].is_string() {
            return self.wrong("missing required field: text", at());
        }
        self.length(&text["text"], 1, most, || format!("{}/text", at()));
    }

    fn length(&mut self, text: &Value, least: usize, most: usize, at: impl Fn() -> String) {
        let text = text.as_str().unwrap_or_default();
        if text.len() < least {
            self.wrong(&format!("must be more than {} characters", least - 1), at());
        } else if text.len() > most && text.chars().count() > most {
            self.wrong(&format!("must be less than {} characters", most + 1), at());
        }
    }

    fn list(&mut self, list: &Value, least: usize, most: usize, at: impl Fn() -> String) {
        match list.as_array().map(Vec::len) {
            None => self.wrong("must be a list", at()),
            Some(count) if count < least => self.wrong(&format!("no less than {least} items"), at()),
            Some(count) if count > most => self.wrong(&format!("no more than {most} items allowed"), at()),
            Some(_) => {}
        }
    }

    fn wrong(&mut self, what: &str, pointer: String) {
        self.0.push(format!("[ERROR] {what} [json-pointer:{pointer}]"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mrkdwn(length: usize) -> Value {
        json!({"type": "mrkdwn", "text": "x".repeat(length)})
    }

    #[test]
    fn what_is_within_the_limits_passes() {
        let blocks = json!([
            {"type": "header", "text": {"type": "plain_text", "text": "x".repeat(150)}},
            {"type": "section", "text": mrkdwn(3000), "fields": [mrkdwn(2000)]},
            {"type": "divider"},
            {"type": "context", "elements": [mrkdwn(5)]},
            {"type": "actions", "elements": [
                {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "1"},
            ]},
        ]);
        assert!(check(&blocks).is_ok());
    }

    #[test]
    fn each_limit_is_kept() {
        let button = json!({"type": "button", "text": {"type": "plain_text", "text": "x".repeat(76)}});
        let bad = [
            json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(151)}}),
            json!({"type": "section", "text": mrkdwn(3001)}),
            json!({"type": "section", "text": mrkdwn(0)}),
            json!({"type": "section", "fields": vec![mrkdwn(1); 11]}),
            json!({"type": "section", "fields": [mrkdwn(2001)]}),
            json!({"type": "section"}),
            json!({"type": "context", "elements": vec![mrkdwn(1); 11]}),
            json!({"type": "actions", "elements": vec![button.clone(); 1]}),
            json!({"type": "actions", "elements": vec![json!({"type": "datepicker"}); 26]}),
            json!({"type": "image", "image_url": "https://x.example/a.png"}),
            json!({"type": "divider", "block_id": "x".repeat(256)}),
            json!({"type": "banner"}),
        ];
        for block in bad {
            assert_eq!(check(&json!([block])).unwrap_err().error, "invalid_blocks", "{block}");
        }
        assert_eq!(check(&json!(vec![json!({"type": "divider"}); 51])).unwrap_err().error, "msg_blocks_too_long");
        assert_eq!(check(&json!({})).unwrap_err().error, "invalid_blocks_format");
    }
}
