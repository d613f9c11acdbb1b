//! Events that the code of an installed version sends with a key of the version.
//!
//! Not here: their intake (`app::registry::emitted`).

use serde_json::{Map, Value, json};

use super::{
    PublicId,
    definition::{Definition, Evaluable, Issue, Rule},
};
use crate::domain::{
    Error, Result,
    apps::app::App,
    error::Violation,
    pipeline::event::{EventSource, Fact},
};

/// Source of the events.
pub const SOURCE: EventSource = EventSource::new("app");
/// First word of their types: no other type has it, so no name of an integration forges the type of another source.
const PREFIX: &str = "app";
/// Maximum length of a type, in bytes.
const MAX_TYPE: usize = 128;

/// An event as the code sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct EmittedEvent {
    /// Name of the event in the definition of the version.
    pub kind: String,
    /// Its payload.
    pub payload: Map<String, Value>,
    /// References to things of the product, by their names, which become attributes.
    pub references: Vec<(&'static str, String)>,
}

/// Returns the type of an event: `app`, the name of the integration in dotted words, and the name of the event.
///
/// A name that is too long loses its end.
pub fn event_type(integration: &str, event: &str) -> String {
    let mut words = integration.replace('/', ".").replace('-', "_");
    words.truncate(MAX_TYPE.saturating_sub(PREFIX.len() + event.len() + 2));
    format!("{PREFIX}.{}.{event}", words.trim_end_matches('.'))
}

/// Returns the schema of an event that a definition declares.
///
/// # Errors
/// [`Error::Issues`] where it declares no such event, [`Error::FailedPrecondition`] where the schema cannot be
/// evaluated.
pub fn schema_of(definition: &Definition, event: &str) -> Result<Evaluable> {
    let Some(declared) = definition.events.get(event) else {
        let mut names: Vec<&str> = definition.events.keys().map(String::as_str).collect();
        names.sort_unstable();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let says = format_args!("must be an event that the version declares: {known}");
        return Err(Error::Issues(vec![Issue::new(Rule::Event, "/type", says)]));
    };
    let schema = declared.get("schema").cloned().unwrap_or_else(|| json!({}));
    Evaluable::of(schema, format!("/events/{event}/schema"))
        .map_err(|error| Error::FailedPrecondition { message: format!("the event cannot be checked: {error}") })
}

/// Returns the refusal of a payload, if it breaks its schema.
///
/// # Errors
/// [`Error::Issues`].
pub fn demand_valid(violations: Vec<Violation>) -> Result<()> {
    let issue = |Violation { field, message }: Violation| Issue::new(Rule::Data, field, message);
    let issues: Vec<Issue> = violations.into_iter().map(issue).collect();
    if issues.is_empty() { Ok(()) } else { Err(Error::Issues(issues)) }
}

impl EmittedEvent {
    /// Returns the event as it enters the pipeline for an installation of a version: the payload is its data.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a reference that is no attribute.
    pub fn fact(self, app: &App, definition: &Definition) -> Result<Fact> {
        let name = definition.name.as_str();
        let own = [
            ("appId", app.id.to_string()),
            ("installation", PublicId { prefix: PublicId::INSTALLATION, id: app.id.0 }.to_string()),
            ("integration", name.to_owned()),
            ("version", definition.version.to_string()),
        ];
        let attributes = own.into_iter().chain(self.references).collect();
        let kind = event_type(name, &self.kind);
        let mut fact = Fact { kind, channel_id: None, attributes, data: Value::Object(self.payload).into() };
        let at_member = |violation: Violation| {
            let field = violation.field.strip_prefix("/attributes").unwrap_or(&violation.field).to_owned();
            Violation { field, ..violation }
        };
        match fact.check(&[]) {
            Ok(()) => Ok(fact),
            Err(Error::Invalid(found)) => Err(Error::Invalid(found.into_iter().map(at_member).collect())),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pipeline::event::is_event_type;

    #[test]
    fn a_type_is_dotted_words_of_its_own() {
        for (integration, expected) in [
            ("acme/micro-teams", "app.acme.micro_teams.itHappened"),
            ("slack", "app.slack.itHappened"),
            ("tieline/destination", "app.tieline.destination.itHappened"),
        ] {
            assert_eq!(event_type(integration, "itHappened"), expected);
        }
        let (longest, event) = (format!("{}/{}", "h".repeat(64), "n".repeat(135)), "e".repeat(100));
        for integration in [longest.as_str(), &format!("{}/n", "h".repeat(22)), "a"] {
            for event in [event.as_str(), "ok"] {
                let kind = event_type(integration, event);
                assert!(is_event_type(&kind) && kind.ends_with(event), "{kind}");
            }
        }
    }
}
