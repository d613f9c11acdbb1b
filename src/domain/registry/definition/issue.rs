//! What is wrong with a definition: issues, each with a place, a rule and a sentence, and no more of them than help.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// No more issues are listed. Where there are more, the last one says how many.
pub const MAX_ISSUES: usize = 200;

/// No more issues are counted: the rest of the body is not looked at.
const MAX_COUNTED: usize = 10_000;

/// No more of what was found is repeated, in characters.
const MAX_FOUND: usize = 100;

/// No more of one key is repeated in a place, in characters.
const MAX_KEY: usize = 200;

/// One thing wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// JSON pointer (RFC 6901) into the body; empty for the body itself.
    pub path: String,
    /// The rule that is broken.
    pub rule: Rule,
    /// A sentence that begins with the place: `request/body/title must NOT have more than 64 characters`.
    pub message: String,
    /// What was found, cut. Never a secret's value, and never code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Issue {
    /// An issue with what is at a place. `says` goes on after the place.
    pub fn new(rule: Rule, path: impl Into<String>, says: impl fmt::Display) -> Self {
        let path = path.into();
        let message = format!("request/body{path} {says}");
        Self { path, rule, message, found: None }
    }

    /// The same issue with what was found there.
    pub fn found(mut self, text: &str) -> Self {
        self.found = Some(cut(text, MAX_FOUND));
        self
    }

    /// What several issues come to, for an answer that has one type: a malformed body before anything else, then the
    /// first issue.
    pub fn kind_of(issues: &[Issue]) -> IssueKind {
        let mut kinds = issues.iter().map(|issue| issue.rule.kind());
        let first = kinds.next().unwrap_or(IssueKind::InvalidPayload);
        if kinds.any(|kind| kind == IssueKind::InvalidPayload) { IssueKind::InvalidPayload } else { first }
    }
}

/// The rules. Programs act on their names: one may be added, and none changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Something that has to be there is not.
    Required,
    /// A value of the wrong type, such as `null` where nothing can be taken away.
    Type,
    /// A text that is too long.
    MaxLength,
    /// A text that is too short.
    MinLength,
    /// Not one of the allowed values.
    Enum,
    /// A number out of its range.
    Range,
    /// A member that is not known.
    UnknownKey,
    /// A key of a map that is empty or too long.
    Key,
    /// A text with the character U+0000, which no database keeps.
    Characters,
    /// Not the name of an integration.
    Name,
    /// Not a version.
    Version,
    /// Not the identifier of an action, a channel, a message, an event or a state.
    Identifier,
    /// Not the name of a secret.
    SecretName,
    /// Not a JSON schema, or one that cannot be taken.
    JsonSchema,
    /// Not Base64.
    Base64,
    /// Not an SVG, or one that could do something.
    Icon,
    /// Not Markdown in UTF-8.
    Readme,
    /// Not an absolute HTTP address.
    Url,
    /// More, or larger, than can be taken.
    Limit,
    /// Something of an interface, or the interface itself, that there is not.
    Interface,
    /// A tag that is required and not declared.
    Tag,
    /// What others rely on is broken without a new major version.
    BreakingChange,
    /// More than the workspace may keep.
    Quota,
    /// The name and version are there already.
    Taken,
    /// The name is another workspace's.
    Reserved,
    /// The name has another handle than the workspace.
    Handle,
    /// The version is published, and stays as it is.
    Published,
    /// There is more than is listed.
    More,
}

impl Rule {
    /// Its name.
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
            Rule::Tag => "tag",
            Rule::BreakingChange => "breakingChange",
            Rule::Quota => "quota",
            Rule::Taken => "taken",
            Rule::Reserved => "reserved",
            Rule::Handle => "handle",
            Rule::Published => "published",
            Rule::More => "more",
        }
    }

    /// Which error of the product it stands for.
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
            | Rule::Url
            | Rule::More => IssueKind::InvalidPayload,
            Rule::Identifier => IssueKind::InvalidIdentifier,
            Rule::JsonSchema => IssueKind::InvalidJsonSchema,
            Rule::Limit => IssueKind::LimitExceeded,
            Rule::Interface | Rule::Tag => IssueKind::ReferenceNotFound,
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

/// The errors of the product that issues stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueKind {
    /// The body breaks its schema.
    InvalidPayload,
    /// A JSON schema within the body is none.
    InvalidJsonSchema,
    /// An identifier breaks the rule for identifiers.
    InvalidIdentifier,
    /// A hard limit is passed.
    LimitExceeded,
    /// The body speaks of something that there is not.
    ReferenceNotFound,
    /// This needs a new major version.
    BreakingChanges,
    /// The workspace keeps too many.
    QuotaExceeded,
    /// It is there already.
    AlreadyExists,
    /// It is not for this caller, or not any more.
    Forbidden,
}

/// A place in a body, as long as it is being looked at: nothing is written down for a place without an issue.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Body,
    Key(&'a str),
    Index(usize),
}

impl Place<'static> {
    /// The body itself.
    pub(super) const BODY: Self = Self { above: None, step: Step::Body };
}

impl<'a> Place<'a> {
    /// The place of a member.
    pub(super) fn key<'b>(&'b self, key: &'b str) -> Place<'b>
    where
        'a: 'b,
    {
        Place { above: Some(self), step: Step::Key(key) }
    }

    /// The place of an element.
    pub(super) fn index<'b>(&'b self, index: usize) -> Place<'b>
    where
        'a: 'b,
    {
        Place { above: Some(self), step: Step::Index(index) }
    }
}

/// As a JSON pointer.
impl fmt::Display for Place<'_> {
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

/// The issues that have been found so far.
#[derive(Default)]
pub(super) struct Issues {
    listed: Vec<Issue>,
    unlisted: usize,
}

impl Issues {
    /// Adds an issue at a place.
    pub(super) fn add(&mut self, rule: Rule, place: &Place<'_>, says: impl fmt::Display) {
        self.push(|| Issue::new(rule, place.to_string(), says));
    }

    /// Adds an issue at a place, with what was found there.
    pub(super) fn add_found(&mut self, rule: Rule, place: &Place<'_>, says: impl fmt::Display, found: &str) {
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

    /// Whether there are so many that nothing more needs to be looked at.
    pub(super) fn enough(&self) -> bool {
        self.unlisted >= MAX_COUNTED
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Whether there is one of a rule at a place.
    pub(super) fn has(&self, rule: Rule, path: &str) -> bool {
        self.listed.iter().any(|issue| issue.rule == rule && issue.path == path)
    }

    /// Puts them into the order in which their places stand in the body; what stands nowhere comes last.
    pub(super) fn sort_by_document(&mut self, body: &Value) {
        self.listed.sort_by_cached_key(|issue| position(body, &issue.path));
    }

    /// All of them.
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

/// Where a pointer leads, as the numbers of the members on the way.
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

/// A text of no more characters than these; `…` stands for the rest.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let end = text.char_indices().nth(most - 1).map_or(0, |(end, _)| end);
            format!("{}…", &text[..end])
        }
    }
}
