//! Events.

use std::sync::Arc;

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{StepKindWord, Word};
use crate::{
    api::shared::time::Timestamp,
    app::pipeline::events::Accepted,
    domain::{
        ids::{ChannelId, EventId},
        pipeline::event::{Event, Fact, StepKind},
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
    /// Link on which it happened.
    pub link_id: Option<String>,
    /// Kind of the completed workflow step; required for `workflow.step.completed`.
    pub step_kind: Option<Word<StepKindWord>>,
    /// Action of the step, such as `FORM_SUBMIT`.
    pub step_action: Option<String>,
    /// Id of the visitor that caused it.
    pub visitor_id: Option<String>,
    /// Further data: any JSON.
    pub data: Option<Any<Value>>,
}

impl From<EventIn> for Fact {
    fn from(event: EventIn) -> Self {
        Self {
            kind: event.kind,
            channel_id: event.channel_id.map(ChannelId),
            link_id: event.link_id,
            step_kind: event.step_kind.map(|Word(StepKindWord(kind))| kind),
            step_action: event.step_action,
            visitor_id: event.visitor_id,
            data: event.data.map_or(Value::Null, |Any(data)| data).into(),
        }
    }
}

impl Example for EventIn {
    fn example() -> Self {
        Self {
            kind: "workflow.step.completed".into(),
            channel_id: None,
            link_id: Some("0199c1de-0000-7000-8000-000000000001".into()),
            step_kind: Some(Word(StepKindWord(StepKind::Interaction))),
            step_action: Some("FORM_SUBMIT".into()),
            visitor_id: Some("0199c1de-0000-7000-8000-000000000002".into()),
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
    /// Link on which it happened.
    pub link_id: Option<String>,
    /// Kind of the completed workflow step.
    pub step_kind: Option<Word<StepKindWord>>,
    /// Action of the step.
    pub step_action: Option<String>,
    /// Id of the visitor that caused it.
    pub visitor_id: Option<String>,
    /// Further data, as it was sent.
    pub data: Option<Any<Value>>,
    /// Original event, if this one was made by a channel's modifiers: the message as it was posted.
    pub made_from: Option<Uuid>,
    /// Time at which it was accepted.
    pub created_at: Timestamp,
}

impl From<Event> for EventOut {
    fn from(event: Event) -> Self {
        let Fact { kind, channel_id, link_id, step_kind, step_action, visitor_id, data } = event.fact;
        Self {
            id: event.id.0,
            kind,
            source: event.source.as_str().to_owned(),
            channel_id: channel_id.map(|id| id.0),
            link_id,
            step_kind: step_kind.map(|kind| Word(StepKindWord(kind))),
            step_action,
            visitor_id,
            data: (!data.is_null()).then(|| Any(Arc::unwrap_or_clone(data))),
            made_from: event.made_from.map(|id| id.0),
            created_at: event.created_at.into(),
        }
    }
}
