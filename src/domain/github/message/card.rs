//! Layout of a message about a GitHub event: headline with actor and repository, title, excerpt, details.
//!
//! All lengths are bounded here, so that no payload can break a limit of Slack's. Not here: the wording for each
//! subject.

use std::mem;

use serde_json::{Value, json};

use crate::domain::{
    github::{GithubEvent, payload::Actor},
    slack::{SlackMessage, text},
};

/// Maximum length of a name: of a repository, an account, a branch.
const MAX_NAME: usize = 140;
/// Maximum length of a title, as it was typed.
const MAX_TITLE: usize = 250;
/// Maximum length of a link with its address; a longer one is shown without it.
const MAX_LINK: usize = 600;
/// Maximum length of a section; Slack takes 3,000.
const MAX_SECTION: usize = 2_900;
/// Maximum characters and lines of an excerpt of a user's text.
const MAX_EXCERPT: usize = 300;
const MAX_EXCERPT_LINES: usize = 6;
/// Maximum length of an excerpt in a notification.
const MAX_REMARK: usize = 120;
/// Maximum number of names of one kind: labels, reviewers.
const MAX_NAMES: usize = 6;
const MAX_SHORT: usize = 50;

/// A message under construction.
pub(super) struct Card {
    repository: String,
    private: bool,
    headline: String,
    /// Text of the notification.
    summary: String,
    lines: Vec<String>,
    details: Vec<String>,
}

impl Card {
    /// Begins with the headline: `before`, the actor, and `after`. Both are our own text, or escaped.
    pub(super) fn new(event: &GithubEvent, before: &str, by: &Actor, after: &str) -> Self {
        let name = &event.repository.full_name;
        let who = plain(&by.login, "someone", MAX_NAME);
        Self {
            repository: link(&event.repository.url, name, "a repository", MAX_NAME),
            private: event.repository.private,
            headline: format!("{before}{}{after}", link(&by.url, &by.login, "someone", MAX_NAME)),
            summary: format!("[{}] {before}{who}{after}", plain(name, "a repository", MAX_NAME)),
            lines: Vec::new(),
            details: Vec::new(),
        }
    }

    /// Adds the linked title of the subject.
    pub(super) fn title(mut self, url: &str, title: &str) -> Self {
        if !title.trim().is_empty() {
            self.lines.push(format!("*{}*", link(url, title, "untitled", MAX_TITLE)));
            return self.summary(title);
        }
        self
    }

    /// Adds the subject's title to the notification alone.
    pub(super) fn summary(mut self, title: &str) -> Self {
        self.summary.push_str(&format!(": {}", plain(title, "untitled", MAX_TITLE)));
        self
    }

    /// Adds a fact to the notification alone.
    pub(super) fn aside(mut self, label: &str, value: &str) -> Self {
        self.summary.push_str(&format!(" ({label}: {})", plain(value, "–", MAX_REMARK)));
        self
    }

    /// Adds the beginning of a user's text to the channel message.
    pub(super) fn excerpt(mut self, body: &str) -> Self {
        self.lines.extend(excerpt(body));
        self
    }

    /// Adds the beginning of a new comment to the channel message and to the notification.
    pub(super) fn remark(mut self, body: &str) -> Self {
        let said = text::plain(body, MAX_REMARK);
        if !said.is_empty() {
            self.summary.push_str(&format!(" – {said}"));
        }
        self.excerpt(body)
    }

    /// Adds a line in `mrkdwn`.
    pub(super) fn line(mut self, line: String) -> Self {
        self.lines.push(line);
        self
    }

    /// Adds a detail in `mrkdwn`.
    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Adds names under a heading, as code; nothing without names.
    pub(super) fn names(self, heading: &str, names: &[String]) -> Self {
        if names.is_empty() {
            return self;
        }
        let mut shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| text::code(name, MAX_SHORT)).collect();
        if names.len() > MAX_NAMES {
            shown.push(format!("+{}", names.len() - MAX_NAMES));
        }
        self.detail(format!("{heading}: {}", shown.join(" ")))
    }

    /// Builds the message.
    pub(super) fn finish(self) -> SlackMessage {
        let mut head = vec![self.repository];
        if self.private {
            head.push("🔒 private".to_owned());
        }
        head.push(self.headline);
        let mut blocks = vec![context(&head.join(" · "))];
        let mut said = String::new();
        for line in self.lines {
            if !said.is_empty() && text::width(&said) + 1 + text::width(&line) > MAX_SECTION {
                blocks.push(section(&mem::take(&mut said)));
            }
            if !said.is_empty() {
                said.push('\n');
            }
            said.push_str(&line);
        }
        if !said.is_empty() {
            blocks.push(section(&said));
        }
        if !self.details.is_empty() {
            blocks.push(context(&self.details.join(" · ")));
        }
        SlackMessage { text: self.summary, blocks: Value::Array(blocks) }
    }
}

fn section(said: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(said)})
}

fn context(said: &str) -> Value {
    json!({"type": "context", "elements": [mrkdwn(said)]})
}

fn mrkdwn(said: &str) -> Value {
    json!({"type": "mrkdwn", "text": said, "verbatim": true})
}

/// Returns a user's text on one line, or `instead` if no character of it is visible.
pub(super) fn plain(said: &str, instead: &str, max: usize) -> String {
    let said = text::plain(said, max);
    if is_visible(&said) { said } else { instead.to_owned() }
}

/// Returns a link to a page, or its label alone if the address is not one of `http` or `https`, or is too long to be
/// real.
pub(super) fn link(url: &str, label: &str, instead: &str, max: usize) -> String {
    let label = if is_visible(&text::plain(label, max)) { label } else { instead };
    let is_page = url.starts_with("https://") || url.starts_with("http://");
    let linked = || text::link(url, &cut(label.trim(), max), MAX_LINK + max);
    is_page.then(linked).flatten().unwrap_or_else(|| text::plain(label, max))
}

/// Formats a name in Git as code.
pub(super) fn code(name: &str) -> String {
    text::code(name, MAX_SHORT + 2)
}

/// Returns false for a text of invisible characters alone, which would make an invisible link.
fn is_visible(said: &str) -> bool {
    said.chars().any(|c| {
        !c.is_whitespace()
            && !matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{3164}')
            && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}')
    })
}

fn cut(said: &str, max: usize) -> String {
    match said.char_indices().nth(max) {
        None => said.to_owned(),
        Some((end, _)) => format!("{}…", &said[..end]),
    }
}

/// Returns the first lines of a text, each as it was typed, together of bounded length.
fn excerpt(body: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut room = MAX_EXCERPT;
    let mut left = body.lines().filter(|line| !line.trim().is_empty()).peekable();
    while lines.len() < MAX_EXCERPT_LINES
        && room > 1
        && let Some(line) = left.next()
    {
        let line = text::plain(line, room);
        room = room.saturating_sub(text::width(&line) + 1);
        if is_visible(&line) {
            lines.push(line);
        }
    }
    if let (Some(last), Some(_)) = (lines.last_mut(), left.peek())
        && !last.ends_with('…')
    {
        last.push('…');
    }
    lines
}
