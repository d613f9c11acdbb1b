//! Renders events as Slack messages: a header, fields, the event's data line by line, and its origin.
//!
//! A message stays far below Slack's limits (Slack: Block Kit reference, "Section block", "Header block", "Context
//! block"; "Truncating content" for the text), regardless of the event's size. Not here: GitHub's events
//! (`domain::github::message`).

use std::{borrow::Cow, io};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    blocks::{MAX_HEADER, MAX_SECTION, context, header, mrkdwn, or, section},
    text,
};
use crate::domain::{
    channels::message::Message,
    pipeline::event::Event,
    routes::workflow_step::{StepKind, WorkflowStep},
};

/// Maximum length of one of its fields; Slack takes 2,000.
const MAX_FIELD: usize = 300;
/// Maximum number of fields, which is Slack's.
const MAX_FIELDS: usize = 10;
/// Maximum length of the notification's text; Slack recommends less than 4,000.
const MAX_TEXT: usize = 3_500;
/// Maximum lines of data in the blocks, and in the notification's text.
const MAX_LINES: usize = 20;
const MAX_TEXT_LINES: usize = 3;
/// Maximum length of one entry of the data.
const MAX_KEY: usize = 80;
const MAX_SCALAR: usize = 400;
const MAX_NESTED: usize = 600;
/// Characters reserved for "…and 12 more".
const MORE: usize = 40;

/// A message to post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlackMessage {
    /// Text for notifications and screen readers.
    pub text: String,
    /// Content shown in the channel: an array of Block Kit blocks.
    pub blocks: Value,
}

/// Renders a completed step of a workflow.
pub fn step_completed(event: &Event) -> SlackMessage {
    let step = WorkflowStep::from(&event.fact.attributes);
    let title = match step.action {
        Some(action) => action_title(action),
        None => Cow::Borrowed(kind_title(step.kind)),
    };
    let mut fields = Fields::default();
    fields.add_code("Link", step.link_id);
    fields.add("Step", step.kind.map(kind_name));
    fields.add_code("Action", step.action.map(bare_action));
    fields.add_code("Visitor", step.visitor_id);
    lay_out(&title, fields, event)
}

/// Renders an event of any other type, with its first attributes.
pub fn event_message(event: &Event) -> SlackMessage {
    let fact = &event.fact;
    let mut fields = Fields::default();
    fields.add_code("Type", Some(&fact.kind));
    for (name, value) in fact.attributes.iter().take(MAX_FIELDS - 1) {
        fields.add_code(name, Some(value));
    }
    lay_out(&sentence(&fact.kind), fields, event)
}

/// Renders a message of a channel, with its author.
pub fn channel_message(event: &Event) -> SlackMessage {
    let message = Message::read(&event.fact.data);
    let author = message.username.as_deref().or(message.user.as_ref().map(|user| user.username.as_str()));
    let author = author.map(|name| text::plain(name, MAX_FIELD)).filter(|name| !name.is_empty());
    let said = or(text::truncate(&text::escape(&message.text), MAX_SECTION).into_owned(), "(no text)");
    let mut blocks = vec![section(&said)];
    blocks.extend(author.as_ref().map(|name| context(name)));
    let text = author.map_or_else(|| said.clone(), |name| format!("{name}: {said}"));
    SlackMessage { text: text::truncate(&text, MAX_SECTION).into_owned(), blocks: Value::Array(blocks) }
}

/// Renders the test message by which an administrator sees that a connection works.
pub fn test_message(organisation_name: &str, channel_name: &str) -> SlackMessage {
    let organisation = or(text::plain(organisation_name, MAX_FIELD), "Tieline");
    let channel = text::plain(channel_name.trim_start_matches('#'), MAX_FIELD);
    let place = if channel.is_empty() { "this channel".to_owned() } else { format!("#{channel}") };
    let title = "Slack is connected";
    let said = format!("This is a test. Notifications from *{organisation}* will arrive in {place}.");
    SlackMessage {
        text: format!("{title}: this is a test. Notifications from {organisation} will arrive in {place}."),
        blocks: Value::Array(vec![header(title), section(&said)]),
    }
}

fn lay_out(title: &str, fields: Fields, event: &Event) -> SlackMessage {
    let data = DataLines::of(&event.fact.data);
    let mut blocks = vec![header(&or(text::title(title, MAX_HEADER), "Event"))];
    if !fields.0.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields.0}));
    }
    if !data.is_empty() {
        blocks.push(section(&data.within(MAX_LINES, MAX_SECTION)));
    }
    let came = event.created_at.format("%Y-%m-%d %H:%M:%S UTC");
    blocks.push(context(&format!("Event `{}` · {came}", event.id)));
    let mut text = or(text::plain(title, MAX_HEADER), "Event");
    if !data.is_empty() {
        text.push('\n');
        text.push_str(&data.within(MAX_TEXT_LINES, MAX_TEXT - MAX_HEADER - 1));
    }
    SlackMessage { text, blocks: Value::Array(blocks) }
}

/// Fields of a section, at most [`MAX_FIELDS`].
#[derive(Default)]
struct Fields(Vec<Value>);

impl Fields {
    /// Adds a field with our own text as its value.
    fn add(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push(mrkdwn(&format!("*{name}*\n{value}")));
        }
    }

    /// Adds a field with user text as its value.
    fn add_code(&mut self, name: &str, value: Option<&str>) {
        self.add(name, value.map(|value| text::code(value, MAX_FIELD)).as_deref());
    }
}

/// The data of an event as lines of `mrkdwn`; only as many are written as can be shown.
struct DataLines {
    lines: Vec<String>,
    total: usize,
}

impl DataLines {
    fn of(data: &Value) -> Self {
        match data {
            Value::Null => Self { lines: Vec::new(), total: 0 },
            Value::Object(entries) => Self {
                lines: entries.iter().take(MAX_LINES).map(|(key, value)| line(key, value)).collect(),
                total: entries.len(),
            },
            other => Self { lines: vec![line("Data", other)], total: 1 },
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns at most `max_lines` whole lines of at most `max_chars` characters together, and the number of the
    /// others.
    fn within(&self, max_lines: usize, max_chars: usize) -> String {
        let mut out = String::new();
        let (mut shown, mut used) = (0, MORE);
        for line in self.lines.iter().take(max_lines) {
            used += text::width(line) + 1;
            if used > max_chars {
                break;
            }
            if shown > 0 {
                out.push('\n');
            }
            out.push_str(line);
            shown += 1;
        }
        if shown < self.total {
            out.push_str(&format!("\n…and {} more", self.total - shown));
        }
        out
    }
}

fn line(key: &str, value: &Value) -> String {
    format!("*{}:* {}", or(text::plain(key, MAX_KEY), "–"), shown(value))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => text::plain(&number.to_string(), MAX_SCALAR),
        Value::String(said) => {
            text::link(said, said, MAX_SCALAR).unwrap_or_else(|| or(text::plain(said, MAX_SCALAR), "–"))
        }
        Value::Array(_) | Value::Object(_) => text::code(&start_of_json(value, MAX_NESTED), MAX_NESTED),
    }
}

/// Returns the beginning of a value's compact JSON: enough to fill `max` characters and no more work than that, for
/// values of any size or depth.
fn start_of_json(value: &Value, max: usize) -> String {
    // Four bytes for each character, and one character more, so that the cut shows.
    let mut start = Start { bytes: Vec::new(), room: 4 * (max + 1) };
    // An error only means that the capacity is used up.
    let _ = serde_json::to_writer(&mut start, value);
    match String::from_utf8(start.bytes) {
        Ok(text) => text,
        Err(cut) => {
            let valid = cut.utf8_error().valid_up_to();
            let mut bytes = cut.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).unwrap_or_default()
        }
    }
}

/// Keeps the first bytes and refuses the rest.
struct Start {
    bytes: Vec<u8>,
    room: usize,
}

impl io::Write for Start {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        self.bytes.extend_from_slice(&bytes[..taken]);
        self.room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bare_action(action: &str) -> &str {
    action.strip_prefix("EVENT_ACTION_").unwrap_or(action)
}

/// Returns the title for an action.
fn action_title(action: &str) -> Cow<'_, str> {
    let action = bare_action(action);
    let known = match action {
        "LINK_VISIT" => "Link visited",
        "FORM_SUBMIT" => "Form submitted",
        "PASSWORD_VERIFY" => "Password verified",
        "MULTI_LINK" => "Link chosen",
        "MESSAGE_PAGE" => "Message shown",
        "CLIENT_REDIRECT" => "Visitor redirected",
        "SOCIAL_LINKS_PAGE" => "Social links shown",
        "THANK_YOU_PAGE" => "Thank-you page shown",
        "CONTACT_CARD" => "Contact card shown",
        _ => "",
    };
    if !known.is_empty() {
        return Cow::Borrowed(known);
    }
    match action.strip_suffix("_CONDITION") {
        Some(condition) if is_constant(condition) => Cow::Owned(format!("{} condition checked", sentence(condition))),
        _ if is_constant(action) => Cow::Owned(sentence(action)),
        _ => Cow::Borrowed(action),
    }
}

fn is_constant(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Converts `SOME_WORDS` and `some.other_words` into words that begin a sentence.
fn sentence(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split(['_', '.']).filter(|word| !word.is_empty()) {
        if out.is_empty() {
            let mut letters = word.chars();
            out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            out.push_str(&letters.as_str().to_lowercase());
        } else {
            out.push(' ');
            out.push_str(&word.to_lowercase());
        }
    }
    if out.is_empty() { "Event".to_owned() } else { out }
}

fn kind_title(kind: Option<StepKind>) -> &'static str {
    match kind {
        Some(StepKind::Entry) => "Workflow entered",
        Some(StepKind::Exit) => "Workflow ended",
        Some(StepKind::Interaction) => "Visitor answered",
        Some(StepKind::Condition) => "Condition checked",
        None => "Workflow step completed",
    }
}

fn kind_name(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Entry => "Entry",
        StepKind::Exit => "Exit",
        StepKind::Interaction => "Interaction",
        StepKind::Condition => "Condition",
    }
}

#[cfg(test)]
pub(crate) mod tests;
