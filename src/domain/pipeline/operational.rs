//! Operational events: what this service reports of its own work. They are routed as any other.
//!
//! An operational event makes no other one: the outcomes of its deliveries are recorded and logged, and reported no
//! further. So a route of them to a destination that fails has an end.
//!
//! Not here: their place in the outbox (`app::pipeline`).

use serde_json::{Map, Value, json};

use super::{
    delivery::Delivery,
    destination::{Destination, Health},
    event::{EventSource, Fact},
};

/// Source of operational events.
pub const TIELINE: EventSource = EventSource::new("tieline");
/// Beginning of the types of operational events; no other event has one with it.
pub const PREFIX: &str = "tieline.";
/// A connection to a provider is lost: its credential is no longer valid, or access was withdrawn.
pub const CONNECTION_LOST: &str = "tieline.connection.lost";
/// A lost connection works again.
pub const CONNECTION_RESTORED: &str = "tieline.connection.restored";
/// A delivery has failed and is not retried: its schedule is exhausted, or the upstream refused the message.
pub const DELIVERY_EXHAUSTED: &str = "tieline.delivery.exhausted";

/// Maximum length of an attribute, in characters.
const MAX_ATTRIBUTE: usize = 255;

/// Returns true for the events of this service itself.
pub fn is_operational(source: &EventSource) -> bool {
    *source == TIELINE
}

/// Returns the type of the event that reports a health.
pub fn health_event(health: &Health) -> String {
    format!("tieline.destination.{}", health.as_str())
}

/// Creates the event of a delivery that failed permanently.
pub fn delivery_exhausted(destination: &Destination, delivery: &Delivery, event_type: &str) -> Fact {
    let mut members = of_destination(destination);
    members.insert("deliveryId".into(), json!(delivery.id));
    members.insert("eventId".into(), json!(delivery.event_id));
    members.insert("eventType".into(), json!(event_type));
    members.insert("attemptCount".into(), json!(delivery.attempts));
    members.insert("reason".into(), json!(delivery.reason));
    fact(DELIVERY_EXHAUSTED, members)
}

/// Creates the event of a changed health; `destination` has the new one.
pub fn health_changed(destination: &Destination) -> Fact {
    let mut members = of_destination(destination);
    if let Health::Failing { reason, since, .. } | Health::Disabled { reason, since } = &destination.health {
        members.insert("reason".into(), json!(reason));
        members.insert("since".into(), json!(since));
    }
    fact(&health_event(&destination.health), members)
}

/// Creates the event of a connection that is lost, for a reason, or restored.
pub fn connection_changed(provider: &str, name: &str, lost: Option<&str>) -> Fact {
    let mut members = Map::new();
    members.insert("provider".into(), json!(provider));
    members.insert("connectionName".into(), json!(name));
    if let Some(reason) = lost {
        members.insert("reason".into(), json!(reason));
    }
    fact(if lost.is_some() { CONNECTION_LOST } else { CONNECTION_RESTORED }, members)
}

fn of_destination(destination: &Destination) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("destinationId".into(), json!(destination.id));
    members.insert("destinationKind".into(), json!(destination.kind.as_str()));
    members.insert("destinationName".into(), json!(destination.name));
    members
}

/// Creates an event with the same members as attributes and as data; there in full.
fn fact(kind: &str, members: Map<String, Value>) -> Fact {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let short = |value: &Value| -> String {
        text(value).chars().map(|one| if one.is_control() { ' ' } else { one }).take(MAX_ATTRIBUTE).collect()
    };
    let attributes = members.iter().map(|(name, value)| (name.clone(), short(value)));
    let attributes = attributes.filter(|(_, value)| !value.is_empty()).collect();
    Fact { attributes, ..Fact::plain(kind, None, Value::Object(members)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        pipeline::destination::DestinationKind,
    };

    #[test]
    fn attributes_are_short_and_the_data_is_whole() {
        let (id, organisation_id) = (DestinationId(uuid::Uuid::nil()), OrganisationId(uuid::Uuid::nil()));
        let place = (DestinationKind::new("webhook"), String::new(), String::new());
        let now = Time::from_timestamp(0, 0).unwrap();
        let reason = format!("line\n{}", "x".repeat(300));
        let mut destination = Destination::fresh(id, organisation_id, place, now);
        destination.health = Health::Disabled { reason: reason.clone(), since: now };
        let fact = health_changed(&destination);
        assert_eq!(fact.kind, "tieline.destination.disabled");
        assert_eq!(fact.attributes.violations(), []);
        assert_eq!(fact.attributes.get("reason").map(str::len), Some(255));
        assert_eq!(fact.attributes.get("destinationName"), None, "it is empty");
        assert_eq!((&fact.data["reason"], &fact.data["since"]), (&json!(reason), &json!("1970-01-01T00:00:00Z")));
    }
}
