//! Events.

use std::{collections::BTreeMap, sync::Arc};

use poem_openapi::{
    Object,
    types::{Any, Example, ToJSON},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::shared::{time::Timestamp, word::Word},
    app::pipeline::{
        deliveries::NamedDelivery,
        events::{Accepted, Once, Submission},
    },
    domain::{
        Result,
        ids::{ChannelId, EventId},
        pipeline::{
            delivery::DeliveryState,
            event::{Event, Fact},
        },
    },
};

/// An event to be sent.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewEvent", rename_all = "camelCase", example)]
pub struct EventIn {
    /// Dotted words of letters, digits and underscores, such as `workflow.step.completed`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Channel that the event is posted to.
    pub channel_id: Option<Uuid>,
    /// The part that routes match on: names of 1 to 64 letters, digits and underscores that begin with a letter, with
    /// values of 1 to 255 characters without control characters. `workflow.step.completed` needs `stepKind`.
    #[oai(validator(max_properties = 32))]
    pub attributes: Option<BTreeMap<String, String>>,
    /// The opaque part: any JSON.
    pub data: Option<Any<Value>>,
}

impl From<EventIn> for Fact {
    fn from(event: EventIn) -> Self {
        Self {
            kind: event.kind,
            channel_id: event.channel_id.map(ChannelId),
            attributes: event.attributes.unwrap_or_default().into(),
            data: event.data.map_or(Value::Null, |Any(data)| data).into(),
        }
    }
}

/// An event of a batch.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BatchEvent", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct BatchEventIn {
    /// Dotted words of letters, digits and underscores, such as `workflow.step.completed`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Channel that the event is posted to.
    pub channel_id: Option<Uuid>,
    /// The part that routes match on, as in an event that is sent alone.
    #[oai(validator(max_properties = 32))]
    pub attributes: Option<BTreeMap<String, String>>,
    /// The opaque part: any JSON.
    pub data: Option<Any<Value>>,
    /// Idempotency key of the event, chosen by the client: printable ASCII characters without quotes.
    #[oai(validator(min_length = 1, max_length = 255, pattern = "^[ !#-~]+$"))]
    pub idempotency_key: Option<String>,
}

/// Events to be sent.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreateEventBatch", example)]
pub struct EventBatchIn {
    /// The events, in their order.
    #[oai(validator(min_items = 1, max_items = 1000))]
    pub events: Vec<BatchEventIn>,
}

impl BatchEventIn {
    /// Converts it into an event with its key, which stands for the rest of it.
    pub fn into_submission(self) -> Result<Submission> {
        let Self { kind, channel_id, attributes, data, idempotency_key } = self;
        let event = EventIn { kind, channel_id, attributes, data };
        let once = idempotency_key.map(|key| Once::by_key(&key, event.to_json_string().as_bytes())).transpose()?;
        Ok(Submission { fact: event.into(), once })
    }
}

impl Example for EventBatchIn {
    fn example() -> Self {
        let EventIn { kind, channel_id, attributes, data } = EventIn::example();
        let idempotency_key = Some("order-17".to_owned());
        Self { events: vec![BatchEventIn { kind, channel_id, attributes, data, idempotency_key }] }
    }
}

impl Example for EventIn {
    fn example() -> Self {
        let attributes = [
            ("linkId", "0199c1de-0000-7000-8000-000000000001"),
            ("stepKind", "KIND_INTERACTION"),
            ("stepAction", "FORM_SUBMIT"),
            ("visitorId", "0199c1de-0000-7000-8000-000000000002"),
        ];
        Self {
            kind: "workflow.step.completed".into(),
            channel_id: None,
            attributes: Some(attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            data: Some(Any(json!({"name": "Ada Lovelace", "plan": "team"}))),
        }
    }
}

/// An accepted event: it and its deliveries are durable.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AcceptedEvent")]
pub struct AcceptedOut {
    /// Id of the event. A repeated request with the same Idempotency-Key returns the same id.
    pub id: Uuid,
}

impl From<EventId> for AcceptedOut {
    fn from(id: EventId) -> Self {
        Self { id: id.0 }
    }
}

impl From<Accepted> for AcceptedOut {
    fn from(accepted: Accepted) -> Self {
        Self { id: accepted.id.0 }
    }
}

/// Result of one event of a batch.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AcceptedBatchEvent")]
pub struct AcceptedBatchEventOut {
    /// Id of the event.
    pub id: Uuid,
    /// True if it was accepted before, under the same key.
    pub repeated: bool,
}

/// Accepted events: they and their deliveries are durable.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AcceptedEventBatch")]
pub struct AcceptedBatchOut {
    /// A result for each event of the request, in its order.
    pub events: Vec<AcceptedBatchEventOut>,
}

impl From<Vec<Accepted>> for AcceptedBatchOut {
    fn from(accepted: Vec<Accepted>) -> Self {
        let of = |Accepted { id, repeated }| AcceptedBatchEventOut { id: id.0, repeated };
        Self { events: accepted.into_iter().map(of).collect() }
    }
}

/// An event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Event", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct EventOut {
    /// Unique id.
    pub id: Uuid,
    /// Its type.
    #[oai(rename = "type")]
    pub kind: String,
    /// Intake that accepted the event.
    pub source: String,
    /// Channel that the event was posted to.
    pub channel_id: Option<Uuid>,
    /// The part that routes match on.
    pub attributes: Option<BTreeMap<String, String>>,
    /// The opaque part, as it was sent.
    pub data: Option<Any<Value>>,
    /// Original event, if this one was made by a channel's modifiers: the message as it was posted.
    pub made_from: Option<Uuid>,
    /// Trace that the event and its deliveries belong to (W3C Trace Context): that of the request's `traceparent`, or one
    /// of this service's own where it exports traces.
    pub trace_id: Option<String>,
    /// Time at which it was accepted.
    pub created_at: Timestamp,
}

impl From<Event> for EventOut {
    fn from(event: Event) -> Self {
        let Fact { kind, channel_id, attributes, data } = event.fact;
        Self {
            id: event.id.0,
            kind,
            source: event.source.as_str().to_owned(),
            channel_id: channel_id.map(|id| id.0),
            attributes: (!attributes.is_empty()).then(|| attributes.into()),
            data: (!data.is_null()).then(|| Any(Arc::unwrap_or_clone(data))),
            made_from: event.made_from.map(|id| id.0),
            trace_id: event.trace.map(|trace| trace.trace_id()),
            created_at: event.created_at.into(),
        }
    }
}

/// An event with the decisions on it.
#[derive(Clone, Debug, Object)]
#[oai(rename = "EventDetail", skip_serializing_if_is_none)]
pub struct EventDetailOut {
    /// The event.
    #[oai(flatten)]
    pub event: EventOut,
    /// The decisions on the event, in their order, at most 250.
    pub decisions: Vec<DecisionOut>,
    /// Explanation where nothing concerns the event.
    pub explanation: Option<String>,
}

impl From<(Event, Vec<NamedDelivery>)> for EventDetailOut {
    fn from((event, decided): (Event, Vec<NamedDelivery>)) -> Self {
        let nothing = "No route, filter, webhook or app concerned this event when it was accepted. To send \
                       events like it, create a route that matches its source and type.";
        Self {
            explanation: decided.is_empty().then(|| nothing.to_owned()),
            event: event.into(),
            decisions: decided.into_iter().map(Into::into).collect(),
        }
    }
}

/// The decision of a rule on an event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Decision", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DecisionOut {
    /// `deliver`, `skip` (a rule or a pause skipped it) or `refuse` (it could not be sent at all).
    pub decision: String,
    /// The route that decided; absent where the apps of a channel did.
    pub route_id: Option<Uuid>,
    /// Id of the destination.
    pub destination_id: Uuid,
    /// Kind of the destination.
    pub destination_kind: String,
    /// Name of the destination.
    pub destination_name: String,
    /// Id of the delivery.
    pub delivery_id: Uuid,
    /// State of the delivery.
    pub state: Word<DeliveryState>,
    /// Reason why it is not delivered, and the remedy.
    pub reason: Option<String>,
}

impl From<NamedDelivery> for DecisionOut {
    fn from(named: NamedDelivery) -> Self {
        let NamedDelivery { delivery, destination_kind, destination_name, .. } = named;
        let decision = match (delivery.state, delivery.attempts) {
            (DeliveryState::Skipped, 0) => "skip",
            (DeliveryState::Failed, 0) => "refuse",
            _ => "deliver",
        };
        Self {
            decision: decision.to_owned(),
            route_id: delivery.route_id.map(|id| id.0),
            destination_id: delivery.destination_id.0,
            destination_kind,
            destination_name,
            delivery_id: delivery.id.0,
            state: Word(delivery.state),
            reason: delivery.reason,
        }
    }
}
