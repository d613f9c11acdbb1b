//! What is said about a descriptor: findings, with a place in its text and a stable code for each rule.

use std::fmt;

use crate::domain::{Error, error::Violation};

/// The codes of the rules. Programs act on them: one may be added, and none changes its meaning.
pub mod rule {
    /// The document is larger than [`super::super::MAX_BYTES`].
    pub const TOO_LARGE: &str = "too-large";
    /// There is nothing.
    pub const EMPTY: &str = "empty";
    /// The text is not UTF-8.
    pub const ENCODING: &str = "encoding";
    /// It is a web page.
    pub const HTML: &str = "html";
    /// A comment.
    pub const COMMENT: &str = "comment";
    /// No comma between two members or elements.
    pub const MISSING_COMMA: &str = "missing-comma";
    /// A comma after the last member or element.
    pub const TRAILING_COMMA: &str = "trailing-comma";
    /// A bracket or a quotation mark that is never closed.
    pub const UNCLOSED: &str = "unclosed";
    /// Something after the end, such as a second document.
    pub const TRAILING_TEXT: &str = "trailing-text";
    /// Another mistake in the JSON.
    pub const SYNTAX: &str = "syntax";
    /// A number that no computer can hold.
    pub const NUMBER: &str = "number";
    /// Lists and objects within each other, too deep.
    pub const TOO_DEEP: &str = "too-deep";
    /// A member twice in one object: the last one counts.
    pub const DUPLICATE_KEY: &str = "duplicate-key";
    /// The descriptor is not inside a member `data`.
    pub const NO_DATA: &str = "no-data";
    /// A value of the wrong type.
    pub const TYPE: &str = "type";
    /// Something that has to be there is not.
    pub const MISSING: &str = "missing";
    /// A text that is too long.
    pub const TOO_LONG: &str = "too-long";
    /// More entries than can be taken.
    pub const TOO_MANY: &str = "too-many";
    /// An `integration_type` that nobody calls.
    pub const UNKNOWN_KIND: &str = "unknown-kind";
    /// An `integration_category` that is not on the list.
    pub const UNKNOWN_CATEGORY: &str = "unknown-category";
    /// Not an absolute HTTP address.
    pub const URL: &str = "url";
    /// An address that is never called for this type.
    pub const URL_UNUSED: &str = "url-unused";
    /// An address that leads back to where messages come from, or that is not an endpoint.
    pub const URL_LOOP: &str = "url-loop";
    /// A logo that is no picture or too large.
    pub const LOGO: &str = "logo";
    /// A colour that is none.
    pub const COLOR: &str = "color";
    /// A setting's label that another setting has.
    pub const DUPLICATE_LABEL: &str = "duplicate-label";
    /// A setting's type that is not known.
    pub const UNKNOWN_TYPE: &str = "unknown-type";
    /// A choice without options, or options that are no list of texts.
    pub const OPTIONS: &str = "options";
    /// A default that the setting itself would refuse.
    pub const DEFAULT: &str = "default";
    /// An interval integration without a setting `interval`.
    pub const NO_INTERVAL: &str = "no-interval";
    /// A setting `interval` that is no crontab line.
    pub const INTERVAL: &str = "interval";
    /// There is more than is listed.
    pub const MORE: &str = "more";
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The descriptor cannot be used.
    Error,
    /// It can, and somebody should look at it.
    Warning,
}

impl Severity {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A place in a text, both counted from 1. A column is a character, not a byte; a tab is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// Where the byte at `offset` stands.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let is_character = |byte: &&u8| **byte & 0xC0 != 0x80;
        Self {
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + before[start..].iter().filter(is_character).count(),
        }
    }
}

/// One thing that is wrong or odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// JSON pointer (RFC 6901) into the document; empty for the whole of it.
    pub path: String,
    /// Where it stands; `None` when the document did not come as a text.
    pub place: Option<Place>,
    /// A code of [`rule`].
    pub rule: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// The refusal of a descriptor: its errors, without its warnings.
impl From<Vec<Finding>> for Error {
    fn from(findings: Vec<Finding>) -> Self {
        let violation = |finding: &Finding| Violation {
            field: finding.path.clone(),
            message: Finding { path: String::new(), ..finding.clone() }.to_string(),
        };
        let is_error = |finding: &&Finding| finding.severity == Severity::Error;
        Error::Invalid(findings.iter().filter(is_error).map(violation).collect())
    }
}

/// How many errors, and how many warnings, are listed at most.
const MOST: usize = 100;

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    /// The descriptor cannot be used.
    pub(super) fn error(&mut self, rule: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.errors += 1;
        if self.errors <= MOST {
            self.push(Severity::Error, None, rule, path.into(), message.into());
        }
    }

    /// An error whose place is known.
    pub(super) fn error_at(&mut self, place: Place, rule: &'static str, message: impl Into<String>) {
        self.errors += 1;
        self.push(Severity::Error, Some(place), rule, String::new(), message.into());
    }

    /// Somebody should look at it.
    pub(super) fn warning(&mut self, rule: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.warn(|| None, rule, path.into(), message.into());
    }

    /// A warning whose place is known. To count lines takes time, so that is done only for what is listed.
    pub(super) fn warning_at(
        &mut self,
        place: impl FnOnce() -> Place,
        rule: &'static str,
        path: String,
        message: String,
    ) {
        self.warn(|| Some(place()), rule, path, message);
    }

    /// One that is an error here and a warning there.
    pub(super) fn either(&mut self, severity: Severity, rule: &'static str, path: String, message: String) {
        match severity {
            Severity::Error => self.error(rule, path, message),
            Severity::Warning => self.warning(rule, path, message),
        }
    }

    fn warn(&mut self, place: impl FnOnce() -> Option<Place>, rule: &'static str, path: String, message: String) {
        self.warnings += 1;
        if self.warnings <= MOST {
            self.push(Severity::Warning, place(), rule, path, message);
        }
    }

    fn push(&mut self, severity: Severity, place: Option<Place>, rule: &'static str, path: String, message: String) {
        self.list.push(Finding { severity, path, place, rule, message });
    }

    /// Whether the descriptor cannot be used.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// All of them, errors first, from top to bottom, each with its place where `place` knows it.
    pub(super) fn finish(mut self, place: impl Fn(&str) -> Option<Place>) -> Vec<Finding> {
        for finding in &mut self.list {
            finding.place = finding.place.or_else(|| place(&finding.path));
        }
        self.list.sort_by_key(|finding| (finding.severity, finding.place));
        let more = self.errors.saturating_sub(MOST) + self.warnings.saturating_sub(MOST);
        if more > 0 {
            let message = format!("{more} more are not listed");
            self.push(Severity::Warning, None, rule::MORE, String::new(), message);
        }
        self.list
    }
}

/// The beginning of a text, in quotation marks, for a message.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}
