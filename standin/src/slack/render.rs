//! Messages as HTML: the text, or the blocks in its place, and the attachments below.

use std::fmt::Write;

use serde_json::Value;

use super::channel::Channel;
use super::message::Message;
use super::mrkdwn;
use super::workspace::Team;
use crate::clock::time_of_day;
use crate::page::escape;

/// Surroundings of a message, and the state of its buttons.
pub(super) struct Frame<'a> {
    pub(super) team: &'a Team,
    pub(super) channel: &'a Channel,
    pub(super) live: bool,
}

impl Frame<'_> {
    /// Renders one message.
    pub(super) fn message(&self, message: &Message) -> String {
        let content = message.content();
        let bot = content.bot_id.is_some();
        let user = self.team.user(&content.user).map(|user| user.real_name);
        let own = if bot { Some(self.team.bot.name.as_str()) } else { user };
        let name = content.username.as_deref().or(own).unwrap_or(&content.user);
        let mut said = match &content.blocks {
            Some(Value::Array(blocks)) if !blocks.is_empty() => self.blocks(blocks, message),
            _ => format!("<div>{}</div>", mrkdwn::html(&content.text, self.team)),
        };
        if let Some(Value::Array(attachments)) = &content.attachments {
            said.extend(attachments.iter().map(|attachment| self.attachment(attachment, message)));
        }
        format!(
            "<article class=\"message{reply}\" id=\"{anchor}\"><div class=\"face\">{initial}</div><div class=\"said\">\
             <div><span class=\"who\">{name}</span>{app}<span class=\"when\"> {time}{edited}</span></div>{said}</div></article>",
            reply = if content.thread_ts.is_some() { " reply" } else { "" },
            anchor = message.at.anchor(),
            initial = escape(&name.chars().next().unwrap_or('?').to_uppercase().to_string()),
            name = escape(name),
            app = if bot { "<span class=\"app\">APP</span>" } else { "" },
            time = time_of_day(message.at.micros()),
            edited = if content.edited.is_some() { " (edited)" } else { "" },
        )
    }

    fn attachment(&self, attachment: &Value, message: &Message) -> String {
        let mut inside = String::new();
        for field in ["pretext", "title", "text", "fallback"] {
            // The fallback is for clients that cannot show the rest.
            if field == "fallback" && !inside.is_empty() {
                continue;
            }
            if let Some(text) = attachment[field].as_str() {
                let _ = write!(inside, "<div>{}</div>", mrkdwn::html(text, self.team));
            }
        }
        if let Some(blocks) = attachment["blocks"].as_array() {
            inside.push_str(&self.blocks(blocks, message));
        }
        format!("<div class=\"attachment\">{inside}</div>")
    }

    fn blocks(&self, blocks: &[Value], message: &Message) -> String {
        blocks.iter().map(|block| self.block(block, message)).collect()
    }

    fn block(&self, block: &Value, message: &Message) -> String {
        match block["type"].as_str().unwrap_or_default() {
            "header" => format!("<h3>{}</h3>", self.text(&block["text"])),
            "divider" => "<hr>".to_owned(),
            "section" => self.section(block, message),
            "context" => {
                let elements = list(&block["elements"]).map(|element| format!("<span>{}</span>", self.small(element)));
                format!("<div class=\"context\">{}</div>", elements.collect::<String>())
            }
            "actions" => {
                let elements = list(&block["elements"]).map(|element| self.element(element, block, message));
                format!("<div class=\"actions\">{}</div>", elements.collect::<String>())
            }
            "image" => image(block),
            "markdown" => format!("<div>{}</div>", mrkdwn::plain(block["text"].as_str().unwrap_or_default())),
            "rich_text" => format!("<div>{}</div>", rich_text(block)),
            other => format!("<div class=\"soft\">[{}]</div>", escape(other)),
        }
    }

    fn section(&self, block: &Value, message: &Message) -> String {
        let mut inside = String::from("<div>");
        if !block["text"].is_null() {
            let _ = write!(inside, "<div>{}</div>", self.text(&block["text"]));
        }
        if !block["fields"].is_null() {
            let fields = list(&block["fields"]).map(|field| format!("<div>{}</div>", self.text(field)));
            let _ = write!(inside, "<div class=\"fields\">{}</div>", fields.collect::<String>());
        }
        inside.push_str("</div>");
        if !block["accessory"].is_null() {
            inside.push_str(&self.element(&block["accessory"], block, message));
        }
        format!("<div class=\"section\">{inside}</div>")
    }

    fn small(&self, element: &Value) -> String {
        if element["type"] == "image" { image(element) } else { self.text(element) }
    }

    fn element(&self, element: &Value, block: &Value, message: &Message) -> String {
        if element["type"] == "image" {
            return image(element);
        }
        let label = element["text"]["text"].as_str().or(element["placeholder"]["text"].as_str());
        let label = escape(label.or(element["type"].as_str()).unwrap_or_default());
        let class = match element["style"].as_str() {
            Some("primary") => " class=\"primary\"",
            Some("danger") => " class=\"danger\"",
            _ => "",
        };
        if !self.live || element["type"] != "button" {
            return format!("<button{class} disabled>{label}</button>");
        }
        let hidden = |name: &str, value: &Value| {
            let value = escape(value.as_str().unwrap_or_default());
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        };
        format!(
            "<form method=\"post\" action=\"/slack/{team}/{channel}/press\">{ts}{block_id}{action_id}{value}\
             <button{class}>{label}</button></form>",
            team = escape(&self.team.id),
            channel = escape(&self.channel.id),
            ts = hidden("ts", &Value::String(message.at.to_string())),
            block_id = hidden("block_id", &block["block_id"]),
            action_id = hidden("action_id", &element["action_id"]),
            value = hidden("value", &element["value"]),
        )
    }

    /// A text object.
    fn text(&self, text: &Value) -> String {
        let words = text["text"].as_str().unwrap_or_default();
        if text["type"] == "mrkdwn" { mrkdwn::html(words, self.team) } else { mrkdwn::plain(words) }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn image(block: &Value) -> String {
    let alt = escape(block["alt_text"].as_str().unwrap_or_default());
    match block["image_url"].as_str().filter(|url| mrkdwn::is_link(url)) {
        Some(url) => format!("<img src=\"{}\" alt=\"{alt}\">", escape(url)),
        None => format!("<span class=\"soft\">[{alt}]</span>"),
    }
}

/// Plain text of a rich text block, without its decoration.
fn rich_text(value: &Value) -> String {
    let mut out = value["text"].as_str().map(mrkdwn::plain).unwrap_or_default();
    out.extend(list(&value["elements"]).map(rich_text));
    out
}
