//! Events: immutable facts that come in, and the rules they are checked by at the door.

use std::{fmt, str::FromStr, sync::Arc};

use serde_json::Value;

use crate::domain::{
    Error, Result,
    ambient::Time,
    error::Violation,
    ids::{ChannelId, EventId, OrganisationId},
};

/// The type of the events that a workflow's completed steps are.
pub const WORKFLOW_STEP_COMPLETED: &str = "workflow.step.completed";

/// The type of a request to an incoming webhook that was kept, sealed, because scripts were busy.
pub const WEBHOOK_RECEIVED: &str = "webhook.received";
/// The type of a message that somebody posted in a channel: its modifiers have not seen it.
pub const MESSAGE_POSTED: &str = "message.posted";
/// The type of a message as it is after its channel's modifiers.
pub const MESSAGE_PUBLISHED: &str = "message.published";
/// The type of the moments at which an integration is called by the clock.
pub const INTEGRATION_TICK: &str = "integration.tick";

/// The type of a file that somebody put into a channel.
pub const FILE_UPLOADED: &str = "file.uploaded";
/// The type of a channel's beginning.
pub const CHANNEL_CREATED: &str = "channel.created";
/// The type of a channel's end: nothing new is posted in it.
pub const CHANNEL_ARCHIVED: &str = "channel.archived";
/// The type of somebody's coming into a channel.
pub const CHANNEL_MEMBER_JOINED: &str = "channel.member.joined";
/// The type of somebody's leaving a channel, or being taken out of it.
pub const CHANNEL_MEMBER_LEFT: &str = "channel.member.left";
/// The type of somebody's becoming a member of the organisation.
pub const MEMBER_CREATED: &str = "member.created";

/// An accepted event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its identifier.
    pub id: EventId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Where it came from.
    pub source: EventSource,
    /// What it says.
    pub fact: Fact,
    /// The event that it was made from, where it was.
    pub made_from: Option<EventId>,
    /// When it was accepted.
    pub created_at: Time,
}

/// What an event says: everything but when, whose and by which door.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Dotted words, such as `workflow.step.completed`.
    pub kind: String,
    /// The channel it flows through.
    pub channel_id: Option<ChannelId>,
    /// The link on which it happened.
    pub link_id: Option<String>,
    /// The kind of workflow step that completed.
    pub step_kind: Option<StepKind>,
    /// What the step was, such as `FORM_SUBMIT`.
    pub step_action: Option<String>,
    /// Who did it.
    pub visitor_id: Option<String>,
    /// Everything else, as it was sent. Shared: a webhook of 25 MB may be an event of many organisations.
    pub data: Arc<Value>,
}

/// The longest value of the short text fields, in characters.
const MAX_FIELD_CHARS: usize = 255;

impl Fact {
    /// One that says nothing of links, steps and visitors.
    pub fn plain(kind: &str, channel_id: Option<ChannelId>, data: Value) -> Self {
        Self {
            kind: kind.to_owned(),
            channel_id,
            link_id: None,
            step_kind: None,
            step_action: None,
            visitor_id: None,
            data: data.into(),
        }
    }

    /// Checks the rules that its shape alone does not say.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule.
    pub fn check(&self) -> Result<()> {
        let mut violations = Vec::new();
        let mut broken = |field: &str, message: String| violations.push(Violation { field: field.into(), message });
        if !is_event_type(&self.kind) {
            broken(
                "/type",
                "must be dotted words of letters, digits and underscores, such as \"workflow.step.completed\"".into(),
            );
        }
        for (field, value) in
            [("/linkId", &self.link_id), ("/stepAction", &self.step_action), ("/visitorId", &self.visitor_id)]
        {
            if let Some(value) = value
                && (!(1..=MAX_FIELD_CHARS).contains(&value.chars().count()) || value.chars().any(char::is_control))
            {
                broken(field, format!("must be 1 to {MAX_FIELD_CHARS} characters without control characters"));
            }
        }
        if self.kind == WORKFLOW_STEP_COMPLETED && self.step_kind.is_none() {
            broken("/stepKind", format!("is required for {WORKFLOW_STEP_COMPLETED}: {}", StepKind::names()));
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
    }
}

/// Whether a text is dotted words, at most 128 bytes (Standard Webhooks asks for `[A-Za-z0-9_.]`).
pub fn is_event_type(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.len() <= 128 && text.split('.').all(word)
}

/// The door by which an event came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// `POST /v1/events`.
    Api,
    /// Slack: a command, an interaction, an event.
    Slack,
    /// GitHub's webhooks.
    Github,
    /// A channel: an address with its key, what its modifiers made of a message, its clock.
    Channel,
}

impl EventSource {
    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            EventSource::Api => "api",
            EventSource::Slack => "slack",
            EventSource::Github => "github",
            EventSource::Channel => "channel",
        }
    }
}

impl FromStr for EventSource {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "api" => Ok(EventSource::Api),
            "slack" => Ok(EventSource::Slack),
            "github" => Ok(EventSource::Github),
            "channel" => Ok(EventSource::Channel),
            _ => Err(Error::invalid("/source", "must be api, slack, github or channel")),
        }
    }
}

/// The kind of a workflow's step, by what it does for the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// A visitor reaches the workflow.
    Entry,
    /// The workflow ends.
    Exit,
    /// The visitor was asked for something.
    Interaction,
    /// The workflow chose a way.
    Condition,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [StepKind; 4] = [StepKind::Entry, StepKind::Exit, StepKind::Interaction, StepKind::Condition];

    /// The long wire name, as filters write it.
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Entry => "KIND_ENTRY",
            StepKind::Exit => "KIND_EXIT",
            StepKind::Interaction => "KIND_INTERACTION",
            StepKind::Condition => "KIND_CONDITION",
        }
    }

    fn names() -> String {
        StepKind::ALL.map(StepKind::as_str).join(", ")
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StepKind {
    type Err = Error;
    /// Takes `KIND_ENTRY` (as filters write it) and `ENTRY` (as stored step completions write it).
    fn from_str(text: &str) -> Result<Self> {
        let bare = text.strip_prefix("KIND_").unwrap_or(text);
        StepKind::ALL
            .into_iter()
            .find(|kind| kind.as_str().strip_prefix("KIND_") == Some(bare))
            .ok_or_else(|| Error::invalid("/stepKind", format!("must be one of {}", StepKind::names())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(kind: &str) -> Fact {
        Fact {
            kind: kind.into(),
            channel_id: None,
            link_id: None,
            step_kind: None,
            step_action: None,
            visitor_id: None,
            data: Value::Null.into(),
        }
    }

    #[test]
    fn types_are_dotted_words() {
        let longest = "a".repeat(128);
        for good in ["a", "workflow.run.requested", "x_1.y", longest.as_str()] {
            assert!(fact(good).check().is_ok(), "{good}");
        }
        let too_long = "a".repeat(129);
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "a-b", "ä", too_long.as_str()] {
            assert!(fact(bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_completed_step_says_its_kind() {
        let mut step = fact(WORKFLOW_STEP_COMPLETED);
        assert!(step.check().is_err());
        step.step_kind = Some(StepKind::Entry);
        assert!(step.check().is_ok());
    }

    #[test]
    fn all_broken_rules_are_told_at_once() {
        let mut step = fact("");
        step.link_id = Some(String::new());
        let Err(Error::Invalid(violations)) = step.check() else { panic!("accepted") };
        assert_eq!(violations.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(), ["/type", "/linkId"]);
    }

    #[test]
    fn both_spellings_of_a_step_kind_are_read() {
        for kind in StepKind::ALL {
            assert_eq!(kind.as_str().parse::<StepKind>().ok(), Some(kind));
            assert_eq!(kind.as_str()[5..].parse::<StepKind>().ok(), Some(kind));
        }
        for bad in ["KIND_UNSPECIFIED", "entry", "KIND_KIND_ENTRY", ""] {
            assert!(bad.parse::<StepKind>().is_err(), "{bad}");
        }
    }
}
