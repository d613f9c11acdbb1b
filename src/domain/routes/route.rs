//! Routes: events that match are delivered to a destination.
//!
//! Not here: the kinds of destination.

use super::glob::covers;
use crate::domain::{
    Error, Result,
    ambient::Time,
    error::Violation,
    ids::{ChannelId, DestinationId, OrganisationId, RouteId, UserId},
    pipeline::event::Event,
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
    /// The destination.
    pub destination_id: DestinationId,
    /// True if it is enabled.
    pub enabled: bool,
    /// The creator.
    pub created_by: UserId,
    /// Time of creation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

impl Route {
    /// Returns true if an event of the organisation matches.
    pub fn matches(&self, event: &Event) -> bool {
        let any = |globs: &[String], text: &str| globs.iter().any(|glob| covers(glob, text));
        self.enabled
            && any(&self.sources, event.source.as_str())
            && any(&self.types, &event.fact.kind)
            && self.channel_id.is_none_or(|id| event.fact.channel_id == Some(id))
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
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::domain::pipeline::event::{EventSource, Fact};

    fn route(sources: &[&str], types: &[&str]) -> Route {
        let texts = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        Route {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            name: String::new(),
            sources: texts(sources),
            types: texts(types),
            channel_id: None,
            destination_id: Uuid::nil().into(),
            enabled: true,
            created_by: Uuid::nil().into(),
            created_at: Time::UNIX_EPOCH,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    fn event(kind: &str, channel_id: Option<ChannelId>) -> Event {
        Event {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            source: EventSource::API,
            fact: Fact::plain(kind, channel_id, Value::Null),
            made_from: None,
            created_at: Time::UNIX_EPOCH,
        }
    }

    #[test]
    fn source_type_and_channel_all_have_to_match() {
        let order = event("order.created", None);
        for (sources, types, expected) in [
            (["*"], ["order.*"], true),
            (["api"], ["order.created"], true),
            (["*"], ["invoice.*"], false),
            (["channel"], ["*"], false),
        ] {
            assert_eq!(route(&sources, &types).matches(&order), expected, "{sources:?} {types:?}");
        }
        assert!(route(&["*"], &["invoice.*", "order.*"]).matches(&order), "one of several");
        let (here, there) = (ChannelId(Uuid::from_u128(1)), ChannelId(Uuid::from_u128(2)));
        let of_channel = Route { channel_id: Some(here), ..route(&["*"], &["*"]) };
        assert!(of_channel.matches(&event("a", Some(here))));
        assert!(!of_channel.matches(&event("a", Some(there))) && !of_channel.matches(&order));
        assert!(!Route { enabled: false, ..route(&["*"], &["*"]) }.matches(&order));
    }

    #[test]
    fn all_broken_rules_are_reported_at_once() {
        let broken = Route { name: "n".repeat(151), ..route(&[], &["order.*", "a b", ""]) };
        let Err(Error::Invalid(violations)) = broken.check() else { panic!("accepted") };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["/name", "/sources", "/types/1", "/types/2"]);
        assert!(route(&["*"], &["github.pull_request", "order.*", "*"]).check().is_ok());
    }
}
