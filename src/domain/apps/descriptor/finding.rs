//! Findings about a descriptor, each with a place in its text and a stable rule code.
//!
//! Not here: the checks that report them.

use std::fmt;

use crate::domain::{Error, error::Violation};

/// The rule codes. Programs act on them: one may be added, and none changes its meaning.
pub mod rule {
    /// The document is larger than [`super::super::MAX_BYTES`].
    pub const TOO_LARGE: &str = "too-large";
    /// An empty document.
    pub const EMPTY: &str = "empty";
    /// The text is not UTF-8.
    pub const ENCODING: &str = "encoding";
    /// A web page.
    pub const HTML: &str = "html";
    /// A comment.
    pub const COMMENT: &str = "comment";
    /// Missing comma between two members or elements.
    pub const MISSING_COMMA: &str = "missing-comma";
    /// Trailing comma after the last member or element.
    pub const TRAILING_COMMA: &str = "trailing-comma";
    /// Unclosed bracket or quotation mark.
    pub const UNCLOSED: &str = "unclosed";
    /// Text after the end, such as a second document.
    pub const TRAILING_TEXT: &str = "trailing-text";
    /// Another JSON syntax error.
    pub const SYNTAX: &str = "syntax";
    /// A number out of range.
    pub const NUMBER: &str = "number";
    /// Lists and objects nested too deeply.
    pub const TOO_DEEP: &str = "too-deep";
    /// Duplicate member of an object: the last one counts.
    pub const DUPLICATE_KEY: &str = "duplicate-key";
    /// The descriptor is not inside a member `data`.
    pub const NO_DATA: &str = "no-data";
    /// A value of the wrong type.
    pub const TYPE: &str = "type";
    /// A missing required member.
    pub const MISSING: &str = "missing";
    /// A text above the length limit.
    pub const TOO_LONG: &str = "too-long";
    /// Entries above the limit.
    pub const TOO_MANY: &str = "too-many";
    /// An `integration_type` that is never called.
    pub const UNKNOWN_KIND: &str = "unknown-kind";
    /// An `integration_category` that is not on the list.
    pub const UNKNOWN_CATEGORY: &str = "unknown-category";
    /// A `listening_mode` that is none of those known.
    pub const LISTENING_MODE: &str = "listening-mode";
    /// Not an absolute HTTP address.
    pub const URL: &str = "url";
    /// An address that is never called for this type.
    pub const URL_UNUSED: &str = "url-unused";
    /// An address that leads back to the source of the messages, or that is not an endpoint.
    pub const URL_LOOP: &str = "url-loop";
    /// A logo that is not a picture, or is too large.
    pub const LOGO: &str = "logo";
    /// An invalid colour.
    pub const COLOR: &str = "color";
    /// A label used by another setting.
    pub const DUPLICATE_LABEL: &str = "duplicate-label";
    /// An unknown setting type.
    pub const UNKNOWN_TYPE: &str = "unknown-type";
    /// A choice without options, or options that are not a list of texts.
    pub const OPTIONS: &str = "options";
    /// A default that the setting itself would refuse.
    pub const DEFAULT: &str = "default";
    /// An interval integration without a setting `interval`.
    pub const NO_INTERVAL: &str = "no-interval";
    /// A setting `interval` that is not a crontab line.
    pub const INTERVAL: &str = "interval";
    /// Number of findings that are not listed.
    pub const MORE: &str = "more";
}

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The descriptor cannot be used.
    Error,
    /// The descriptor can be used, and should be reviewed.
    Warning,
}

impl Severity {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A position in a text, both counted from 1. A column is a character, not a byte; a tab is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// Returns the position of the byte at `offset`.
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

/// A single error or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its severity.
    pub severity: Severity,
    /// JSON pointer (RFC 6901) into the document; empty for the whole of it.
    pub path: String,
    /// Position in the text; `None` when the document did not come as a text.
    pub place: Option<Place>,
    /// A code of [`rule`].
    pub rule: &'static str,
    /// Description of the problem and of its solution.
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

/// Refuses a descriptor: with its errors, without its warnings.
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

/// Maximum number of errors, and of warnings, that are listed.
const MOST: usize = 100;

/// Collects the findings.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    /// Adds an error: the descriptor cannot be used.
    pub(super) fn error(&mut self, rule: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.errors += 1;
        if self.errors <= MOST {
            self.push(Severity::Error, None, rule, path.into(), message.into());
        }
    }

    /// Adds an error with a known position.
    pub(super) fn error_at(&mut self, place: Place, rule: &'static str, message: impl Into<String>) {
        self.errors += 1;
        self.push(Severity::Error, Some(place), rule, String::new(), message.into());
    }

    /// Adds a warning, for review.
    pub(super) fn warning(&mut self, rule: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.warn(|| None, rule, path.into(), message.into());
    }

    /// Adds a warning with a known position. Counting lines takes time, so it is done only for listed findings.
    pub(super) fn warning_at(
        &mut self,
        place: impl FnOnce() -> Place,
        rule: &'static str,
        path: String,
        message: String,
    ) {
        self.warn(|| Some(place()), rule, path, message);
    }

    /// Adds a finding of a given severity.
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

    /// Returns true if the descriptor cannot be used.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Returns all findings, errors first, from top to bottom, each with the position that `place` returns.
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

/// Quotes the beginning of a text, for a message.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}
