//! Issues of a definition, each with a location, a rule and a sentence, in a bounded number.
//!
//! Not here: the checks that find them.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Maximum number of listed issues. If there are more, the last one gives their number.
pub const MAX_ISSUES: usize = 200;

/// Maximum number of counted issues: the rest of the body is not read.
const MAX_COUNTED: usize = 10_000;

/// Maximum characters of a found value that are repeated.
const MAX_FOUND: usize = 100;

/// Maximum characters of a key that are repeated in a location.
const MAX_KEY: usize = 200;

/// A single issue of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// JSON pointer (RFC 6901) into the body; empty for the body itself.
    pub path: String,
    /// The violated rule.
    pub rule: Rule,
    /// A sentence that begins with the location: `request/body/title must NOT have more than 64 characters`.
    pub message: String,
    /// The found value, cut. Never a secret's value, and never code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Issue {
    /// Returns an issue at a location. `says` continues after the location.
    pub fn new(rule: Rule, path: impl Into<String>, says: impl fmt::Display) -> Self {
        let path = path.into();
        let message = format!("request/body{path} {says}");
        Self { path, rule, message, found: None }
    }

    /// Returns the sentence without its location.
    pub fn says(&self) -> &str {
        let rest = self.message.strip_prefix("request/body").and_then(|rest| rest.strip_prefix(self.path.as_str()));
        rest.map_or(self.message.as_str(), str::trim_start)
    }

    /// Returns the same issue with the found value.
    pub fn found(mut self, text: &str) -> Self {
        self.found = Some(cut(text, MAX_FOUND));
        self
    }

    /// Reduces several issues to the single kind of an answer: a malformed body before anything else, then the first
    /// issue.
    pub fn kind_of(issues: &[Issue]) -> IssueKind {
        let mut kinds = issues.iter().map(|issue| issue.rule.kind());
        let first = kinds.next().unwrap_or(IssueKind::InvalidPayload);
        if kinds.any(|kind| kind == IssueKind::InvalidPayload) { IssueKind::InvalidPayload } else { first }
    }
}

/// The rules. Programs act on their names: one may be added, and none changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A missing required member.
    Required,
    /// A value of the wrong type, such as `null` for a member that cannot be removed.
    Type,
    /// A text above the length limit.
    MaxLength,
    /// A text below the minimum length.
    MinLength,
    /// A value that is not an enum value.
    Enum,
    /// A number out of its range.
    Range,
    /// An unknown member.
    UnknownKey,
    /// A key of a map that is empty or too long.
    Key,
    /// A text with the character U+0000, which no database stores.
    Characters,
    /// An invalid name of an integration.
    Name,
    /// An invalid version.
    Version,
    /// An invalid identifier of an action, a channel, a message, an event or a state.
    Identifier,
    /// An invalid name of a secret.
    SecretName,
    /// An invalid or unacceptable JSON schema.
    JsonSchema,
    /// Invalid Base64.
    Base64,
    /// An invalid SVG, or one with active content.
    Icon,
    /// Not Markdown in UTF-8.
    Readme,
    /// A value that is not an absolute HTTP address.
    Url,
    /// A number or size above a limit.
    Limit,
    /// An unknown interface, or an unknown member of one.
    Interface,
    /// A member that does not satisfy an implemented interface.
    Implementation,
    /// A required tag without a declaration.
    Tag,
    /// A breaking change for dependents without a new major version.
    BreakingChange,
    /// A quota of the workspace is exceeded.
    Quota,
    /// The name and version exist already.
    Taken,
    /// The name belongs to another workspace.
    Reserved,
    /// The handle in the name is not the workspace's.
    Handle,
    /// The version is published and immutable.
    Published,
    /// An event that the version does not declare.
    Event,
    /// A payload that breaks its own JSON schema.
    Data,
    /// Number of issues that are not listed.
    More,
}

impl Rule {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Required => "required",
            Rule::Type => "type",
            Rule::MaxLength => "maxLength",
            Rule::MinLength => "minLength",
            Rule::Enum => "enum",
            Rule::Range => "range",
            Rule::UnknownKey => "unknownKey",
            Rule::Key => "key",
            Rule::Characters => "characters",
            Rule::Name => "name",
            Rule::Version => "version",
            Rule::Identifier => "identifier",
            Rule::SecretName => "secretName",
            Rule::JsonSchema => "jsonSchema",
            Rule::Base64 => "base64",
            Rule::Icon => "icon",
            Rule::Readme => "readme",
            Rule::Url => "url",
            Rule::Limit => "limit",
            Rule::Interface => "interface",
            Rule::Implementation => "implementation",
            Rule::Tag => "tag",
            Rule::BreakingChange => "breakingChange",
            Rule::Quota => "quota",
            Rule::Taken => "taken",
            Rule::Reserved => "reserved",
            Rule::Handle => "handle",
            Rule::Published => "published",
            Rule::Event => "event",
            Rule::Data => "data",
            Rule::More => "more",
        }
    }

    /// Returns the error of the product that it maps to.
    pub fn kind(self) -> IssueKind {
        match self {
            Rule::Required
            | Rule::Type
            | Rule::MaxLength
            | Rule::MinLength
            | Rule::Enum
            | Rule::Range
            | Rule::UnknownKey
            | Rule::Key
            | Rule::Characters
            | Rule::Name
            | Rule::Version
            | Rule::SecretName
            | Rule::Base64
            | Rule::Icon
            | Rule::Readme
            | Rule::Implementation
            | Rule::Url
            | Rule::More => IssueKind::InvalidPayload,
            Rule::Identifier => IssueKind::InvalidIdentifier,
            Rule::JsonSchema => IssueKind::InvalidJsonSchema,
            Rule::Data => IssueKind::InvalidDataFormat,
            Rule::Limit => IssueKind::LimitExceeded,
            Rule::Interface | Rule::Tag | Rule::Event => IssueKind::ReferenceNotFound,
            Rule::BreakingChange => IssueKind::BreakingChanges,
            Rule::Quota => IssueKind::QuotaExceeded,
            Rule::Taken => IssueKind::AlreadyExists,
            Rule::Reserved | Rule::Handle | Rule::Published => IssueKind::Forbidden,
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The errors of the product that issues map to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueKind {
    /// The body breaks its schema.
    InvalidPayload,
    /// A JSON schema within the body is invalid.
    InvalidJsonSchema,
    /// An identifier breaks the rule for identifiers.
    InvalidIdentifier,
    /// Data breaks its JSON schema.
    InvalidDataFormat,
    /// A hard limit is exceeded.
    LimitExceeded,
    /// The body refers to a missing resource.
    ReferenceNotFound,
    /// The change needs a new major version.
    BreakingChanges,
    /// The workspace's quota is exceeded.
    QuotaExceeded,
    /// It exists already.
    AlreadyExists,
    /// The caller may not do this, or not any more.
    Forbidden,
}

/// A location in a body, built during the walk: its text is only written for an issue.
#[derive(Clone, Copy)]
pub(super) struct Location<'a> {
    above: Option<&'a Location<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Body,
    Key(&'a str),
    Index(usize),
}

impl Location<'static> {
    /// The body itself.
    pub(super) const BODY: Self = Self { above: None, step: Step::Body };
}

impl<'a> Location<'a> {
    /// Returns the location of a member.
    pub(super) fn key<'b>(&'b self, key: &'b str) -> Location<'b>
    where
        'a: 'b,
    {
        Location { above: Some(self), step: Step::Key(key) }
    }

    /// Returns the location of an element.
    pub(super) fn index<'b>(&'b self, index: usize) -> Location<'b>
    where
        'a: 'b,
    {
        Location { above: Some(self), step: Step::Index(index) }
    }
}

/// Formats it as a JSON pointer.
impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
        }
        match self.step {
            Step::Body => Ok(()),
            Step::Key(key) => write!(f, "/{}", cut(key, MAX_KEY).replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => write!(f, "/{index}"),
        }
    }
}

/// The issues found so far.
#[derive(Default)]
pub(super) struct Issues {
    listed: Vec<Issue>,
    unlisted: usize,
}

impl Issues {
    /// Adds an issue at a location.
    pub(super) fn add(&mut self, rule: Rule, place: &Location<'_>, says: impl fmt::Display) {
        self.push(|| Issue::new(rule, place.to_string(), says));
    }

    /// Adds an issue at a location, with the found value.
    pub(super) fn add_found(&mut self, rule: Rule, place: &Location<'_>, says: impl fmt::Display, found: &str) {
        self.push(|| Issue::new(rule, place.to_string(), says).found(found));
    }

    /// Adds an issue, or counts it.
    pub(super) fn push(&mut self, issue: impl FnOnce() -> Issue) {
        if self.listed.len() < MAX_ISSUES {
            self.listed.push(issue());
        } else {
            self.unlisted += 1;
        }
    }

    /// Returns true if there are so many that the walk can stop.
    pub(super) fn enough(&self) -> bool {
        self.unlisted >= MAX_COUNTED
    }

    /// Returns true if there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Returns true if there is one of a rule at a location.
    pub(super) fn has(&self, rule: Rule, path: &str) -> bool {
        self.listed.iter().any(|issue| issue.rule == rule && issue.path == path)
    }

    /// Sorts them by the order of their locations in the body; issues without a location in it come last.
    pub(super) fn sort_by_document(&mut self, body: &Value) {
        self.listed.sort_by_cached_key(|issue| position(body, &issue.path));
    }

    /// Returns all of them.
    pub(super) fn finish(mut self) -> Vec<Issue> {
        if self.unlisted > 0 {
            self.listed.truncate(MAX_ISSUES - 1);
            let than = if self.enough() { "more than " } else { "" };
            let more = self.unlisted + 1;
            self.listed.push(Issue::new(
                Rule::More,
                "",
                format_args!("has {than}{more} more issues, which are not listed"),
            ));
        }
        self.listed
    }
}

/// Converts a pointer into the indexes of the members on its path.
fn position(body: &Value, path: &str) -> Vec<usize> {
    let mut at = Some(body);
    let steps = path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    let number = |step: String| {
        let (number, next) = match at {
            Some(Value::Object(map)) => match map.iter().enumerate().find(|(_, (key, _))| **key == step) {
                Some((number, (_, value))) => (number, Some(value)),
                None => (usize::MAX, None),
            },
            Some(Value::Array(list)) => {
                let number = step.parse().unwrap_or(usize::MAX);
                (number, list.get(number))
            }
            _ => (usize::MAX, None),
        };
        at = next;
        number
    };
    steps.map(number).collect()
}

/// Cuts a text to a number of characters; `…` stands for the rest.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let end = text.char_indices().nth(most - 1).map_or(0, |(end, _)| end);
            format!("{}…", &text[..end])
        }
    }
}
