//! Events: immutable incoming facts, and the rules by which intake validates them.

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;

use crate::domain::{
    Error, Result,
    ambient::Time,
    error::Violation,
    ids::{ChannelId, EventId, OrganisationId, RouteId},
    pipeline::{attributes::Attributes, operational},
    trace::Traceparent,
};

/// Accepted event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its identifier.
    pub id: EventId,
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Its source.
    pub source: EventSource,
    /// Its content.
    pub fact: Fact,
    /// Event that it was made from, if any.
    pub made_from: Option<EventId>,
    /// Routes that led to it, in order: each of them sent an event that the next one was made from.
    pub path: Vec<RouteId>,
    /// Trace context in which it was accepted, if any.
    pub trace: Option<Traceparent>,
    /// Time at which it was accepted.
    pub created_at: Time,
}

/// Content of an event, without its time, owner and source.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Type in dotted words, such as `invoice.paid`.
    pub kind: String,
    /// Channel that it flows through.
    pub channel_id: Option<ChannelId>,
    /// Attributes, which routes match on.
    pub attributes: Attributes,
    /// Opaque data, as it was sent. Shared: a webhook of 25 MB may be an event of many organisations.
    pub data: Arc<Value>,
}

/// Rule of an event type: normalises the attributes of its events and returns the violations.
pub type Rule = fn(&mut Fact) -> Vec<Violation>;

impl Fact {
    /// Creates a fact without attributes.
    pub fn plain(kind: &str, channel_id: Option<ChannelId>, data: Value) -> Self {
        Self { kind: kind.to_owned(), channel_id, attributes: Attributes::default(), data: data.into() }
    }

    /// Checks the rules that its shape alone does not express, and `rules`, which may normalise attributes.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation.
    pub fn check(&mut self, rules: &[Rule]) -> Result<()> {
        let mut violations = Vec::new();
        if !is_event_type(&self.kind) {
            let rule = "must be dotted words of letters, digits and underscores, such as \"invoice.paid\"";
            violations.push(Violation { field: "/type".into(), message: rule.into() });
        }
        if self.kind.starts_with(operational::PREFIX) {
            let rule = format!(
                "must not begin with \"{}\", as the types of this service's own events do",
                operational::PREFIX
            );
            violations.push(Violation { field: "/type".into(), message: rule });
        }
        violations.extend(self.attributes.violations());
        violations.extend(rules.iter().flat_map(|rule| rule(self)));
        if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
    }
}

/// Returns true for dotted words of at most 128 bytes (Standard Webhooks asks for `[A-Za-z0-9_.]`).
pub fn is_event_type(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.len() <= 128 && text.split('.').all(word)
}

/// Source of an event: the room that accepts events from it names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventSource(Cow<'static, str>);

impl EventSource {
    /// `POST /v1/events`, and this service itself.
    pub const API: EventSource = EventSource::new("api");

    /// Tests of one destination, which concern no rule.
    pub const TEST: EventSource = EventSource::new("test");

    /// Creates a source by its name on the wire and in the database.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Reads a source from the database.
    pub fn stored(name: String) -> Self {
        Self(Cow::Owned(name))
    }

    /// Returns the name on the wire and in the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(kind: &str) -> Fact {
        Fact::plain(kind, None, Value::Null)
    }

    #[test]
    fn types_are_dotted_words() {
        let longest = "a".repeat(128);
        for good in ["a", "order.run.requested", "x_1.y", longest.as_str()] {
            assert!(fact(good).check(&[]).is_ok(), "{good}");
        }
        let too_long = "a".repeat(129);
        let forged = "tieline.destination.failing";
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "a-b", "ä", forged, too_long.as_str()] {
            assert!(fact(bad).check(&[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn all_broken_rules_are_reported_at_once() {
        let refuses = |_: &mut Fact| vec![Violation { field: "/attributes/amount".into(), message: "no".into() }];
        let mut wrong = Fact { attributes: [("a-b", "c")].into_iter().collect(), ..fact("") };
        let Err(Error::Invalid(violations)) = wrong.check(&[refuses]) else { panic!("accepted") };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["/type", "/attributes/a-b", "/attributes/amount"]);
    }
}
