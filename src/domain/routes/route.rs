//! Routes: events that match are delivered to a destination.
//!
//! Not here: the kinds of destination.

use super::{
    condition::{Condition, Scope},
    glob::covers,
    rule::Rule,
};
use crate::domain::{
    Error, Result,
    ambient::Time,
    error::Violation,
    ids::{ChannelId, DestinationId, OrganisationId, RouteId, UserId},
    pipeline::{delivery::Content, destination::DestinationKind, event::Event, template::Template},
};

/// Maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 150;
/// Maximum number of globs of one list.
const MAX_GLOBS: usize = 50;
/// Maximum length of a glob, in bytes: that of an event type.
const MAX_GLOB: usize = 128;

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its identifier.
    pub id: RouteId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// Display name; may be empty.
    pub name: String,
    /// Globs of the sources, of which one has to match.
    pub sources: Vec<String>,
    /// Globs of the event types, of which one has to match.
    pub types: Vec<String>,
    /// Only the events of this channel; `None` means all events.
    pub channel_id: Option<ChannelId>,
    /// Condition that has to hold; `None` always holds.
    pub condition: Option<Condition>,
    /// Rule of a kind that a room adds; `None` lets everything through.
    pub rule: Option<Rule>,
    /// Template of the content; `None` leaves it to the kind of the destination.
    pub template: Option<Template>,
    /// The destination.
    pub destination_id: DestinationId,
    /// Place among the routes: smaller ones decide first.
    pub position: i32,
    /// True if it is enabled.
    pub enabled: bool,
    /// Reason for which this version disabled it, if it did.
    pub disabled_reason: Option<String>,
    /// The creator.
    pub created_by: UserId,
    /// Time of creation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

/// Maximum number of routes that lead from one event to the next.
pub const MAX_PATH: usize = 8;

/// Match of a route with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// The route does not concern the event, for this reason.
    Unconcerned(String),
    /// It concerns the event, and skips it for this reason.
    Skipped(String),
    /// It matches. Content for destinations of a kind, if its rule makes any.
    Matched(Option<(DestinationKind, Content)>),
}

impl Route {
    /// Returns the reason for which its source, type or channel does not concern it, if any.
    pub(super) fn unconcerned(&self, event: &Event) -> Option<String> {
        let any = |globs: &[String], text: &str| globs.iter().any(|glob| covers(glob, text));
        let (source, kind) = (event.source.as_str(), &event.fact.kind);
        if !any(&self.sources, source) {
            return Some(format!("the source {source} matches none of {}", self.sources.join(", ")));
        }
        if !any(&self.types, kind) {
            return Some(format!("the type {kind} matches none of {}", self.types.join(", ")));
        }
        let elsewhere = self.channel_id.is_some_and(|id| event.fact.channel_id != Some(id));
        elsewhere.then(|| "the event is not of the route's channel".into())
    }

    /// Returns the reason for which it skips an event that concerns it, if any: the way the event came, or the condition.
    /// `scope` is the event as conditions see it.
    pub(super) fn skipped<'s>(&self, event: &Event, scope: impl FnOnce() -> &'s Scope) -> Option<String> {
        if event.path.contains(&self.id) {
            return Some("the event came by this route, which does not get back what it sent".into());
        }
        if event.path.len() >= MAX_PATH {
            return Some(format!("{MAX_PATH} routes led to this event; more may be a loop"));
        }
        let condition = self.condition.as_ref()?;
        match condition.holds(scope()) {
            Ok(true) => None,
            Ok(false) => Some(format!("the condition is false: {}", condition.as_str())),
            Err(reason) => Some(format!("the condition has no value: {}: {reason}", condition.as_str())),
        }
    }

    /// Checks the rules that its shape alone does not express.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule.
    pub fn check(&self) -> Result<()> {
        let mut violations = Vec::new();
        let mut broken = |field: String, message: String| violations.push(Violation { field, message });
        if self.name.chars().count() > MAX_NAME_CHARS {
            broken("/name".into(), format!("must have at most {MAX_NAME_CHARS} characters"));
        }
        for (field, globs) in [("/sources", &self.sources), ("/types", &self.types)] {
            if !(1..=MAX_GLOBS).contains(&globs.len()) {
                broken(field.into(), format!("must have 1 to {MAX_GLOBS} globs, such as \"*\" for all"));
            }
            for (index, glob) in globs.iter().enumerate().filter(|(_, glob)| !is_glob(glob)) {
                let rule = format!("must be 1 to {MAX_GLOB} letters, digits, dots, underscores, hyphens and stars");
                broken(format!("{field}/{index}"), format!("{rule}, such as \"order.*\"; it is {glob:?}"));
            }
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
    }
}

fn is_glob(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-*".contains(&byte);
    (1..=MAX_GLOB).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        pipeline::event::{EventSource, Fact},
        routes::rule::{ReadyRoute, RuleKinds, View},
    };

    fn route(sources: &[&str], types: &[&str]) -> Route {
        let texts = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        Route {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            name: String::new(),
            sources: texts(sources),
            types: texts(types),
            channel_id: None,
            condition: None,
            rule: None,
            template: None,
            destination_id: Uuid::nil().into(),
            position: 0,
            enabled: true,
            disabled_reason: None,
            created_by: Uuid::nil().into(),
            created_at: Time::UNIX_EPOCH,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    fn event(kind: &str, channel_id: Option<ChannelId>, data: Value) -> Event {
        Event {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            source: EventSource::API,
            fact: Fact::plain(kind, channel_id, data),
            made_from: None,
            path: Vec::new(),
            trace: None,
            created_at: Time::UNIX_EPOCH,
        }
    }

    fn matched(route: &Route, event: &Event) -> Match {
        let kinds = RuleKinds::new([]);
        ReadyRoute::new(route.clone(), &kinds).matches(&View::new(event, &kinds))
    }

    #[test]
    fn source_type_and_channel_all_have_to_match() {
        let order = event("order.created", None, Value::Null);
        for (sources, types, expected) in [
            (["*"], ["order.*"], true),
            (["api"], ["order.created"], true),
            (["*"], ["invoice.*"], false),
            (["channel"], ["*"], false),
        ] {
            let found = matched(&route(&sources, &types), &order);
            assert_eq!(found == Match::Matched(None), expected, "{sources:?} {types:?}: {found:?}");
        }
        assert_eq!(matched(&route(&["*"], &["invoice.*", "order.*"]), &order), Match::Matched(None), "one of several");
        let (here, there) = (ChannelId(Uuid::from_u128(1)), ChannelId(Uuid::from_u128(2)));
        let of_channel = Route { channel_id: Some(here), ..route(&["*"], &["*"]) };
        assert_eq!(matched(&of_channel, &event("a", Some(here), Value::Null)), Match::Matched(None));
        assert!(matches!(matched(&of_channel, &event("a", Some(there), Value::Null)), Match::Unconcerned(_)));
        assert!(matches!(matched(&of_channel, &order), Match::Unconcerned(_)));
    }

    #[test]
    fn what_a_route_skips_has_a_reason() {
        let large = Condition::parse("data.amount > 100").unwrap();
        let large = Route { condition: Some(large), ..route(&["*"], &["*"]) };
        assert_eq!(matched(&large, &event("a", None, json!({"amount": 101}))), Match::Matched(None));
        let looped = Event { path: vec![large.id], ..event("a", None, json!({"amount": 101})) };
        let others: Vec<RouteId> = (1..=8).map(|number| Uuid::from_u128(number).into()).collect();
        let deep = Event { path: others, ..event("a", None, json!({"amount": 101})) };
        let disabled = Route { enabled: false, ..large.clone() };
        let reason = matched(&disabled, &event("a", None, json!({"amount": 101})));
        assert!(
            matches!(&reason, Match::Skipped(reason) if reason.starts_with("the route is disabled; ")),
            "{reason:?}"
        );
        for (event, word) in [
            (event("a", None, json!({"amount": 99})), "is false: data.amount > 100"),
            (event("a", None, json!({})), "no value"),
            (looped, "came by this route"),
            (deep, "8 routes"),
        ] {
            let Match::Skipped(reason) = matched(&large, &event) else { panic!("{word}") };
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn all_broken_rules_are_reported_at_once() {
        let broken = Route { name: "n".repeat(151), ..route(&[], &["order.*", "a b", ""]) };
        let Err(Error::Invalid(violations)) = broken.check() else { panic!("accepted") };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["/name", "/sources", "/types/1", "/types/2"]);
        assert!(route(&["*"], &["github.*", "order.*", "*"]).check().is_ok());
    }
}
