//! Events that the code of an installed version sends.

use std::collections::BTreeMap;

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::{Value, json};

use crate::{
    api::shared::{
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    domain::{
        pipeline::event::Event,
        registry::{PublicId, emitted::EmittedEvent},
    },
};

/// Event to be sent.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewEmittedEvent", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct EventIn {
    /// Name of the event in the definition of the version.
    #[oai(rename = "type", validator(min_length = 1, max_length = 200))]
    pub kind: String,
    /// Payload, valid by the schema of the event.
    pub payload: BTreeMap<String, Any<Value>>,
    /// Id of a conversation of the sender's; it becomes an attribute.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub conversation_id: Option<String>,
    /// Id of a user of the sender's; it becomes an attribute.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub user_id: Option<String>,
    /// Id of a workflow of the sender's; it becomes an attribute.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub workflow_id: Option<String>,
    /// Id of a message of the sender's; it becomes an attribute.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub message_id: Option<String>,
}

impl Example for EventIn {
    fn example() -> Self {
        Self {
            kind: "issueCreated".into(),
            payload: [("title".to_owned(), Any(json!("It is broken")))].into(),
            conversation_id: None,
            user_id: None,
            workflow_id: None,
            message_id: None,
        }
    }
}

impl From<EventIn> for EmittedEvent {
    fn from(event: EventIn) -> Self {
        let references = [
            ("conversationId", event.conversation_id),
            ("userId", event.user_id),
            ("workflowId", event.workflow_id),
            ("messageId", event.message_id),
        ];
        Self {
            kind: event.kind,
            payload: event.payload.into_iter().map(|(name, Any(value))| (name, value)).collect(),
            references: references.into_iter().filter_map(|(name, id)| Some((name, id?))).collect(),
        }
    }
}

/// State of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventStatus {
    /// Accepted.
    Pending,
}

impl Vocabulary for EventStatus {
    const NAME: &'static str = "EmittedEventStatus";
    const DESCRIPTION: &'static str = "State of an event: `pending` once it is durable. Its deliveries have their own.";

    fn words() -> Vec<(&'static str, Self)> {
        vec![("pending", EventStatus::Pending)]
    }

    fn word(self) -> &'static str {
        "pending"
    }
}

/// An accepted event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "EmittedEvent", rename_all = "camelCase")]
pub struct AcceptedEvent {
    /// Unique id.
    pub id: String,
    /// Time of acceptance.
    pub created_at: Timestamp,
    /// Name of the event in the definition of the version.
    #[oai(rename = "type")]
    pub kind: String,
    /// Its payload.
    pub payload: BTreeMap<String, Any<Value>>,
    /// Id of the conversation, as it was sent.
    #[oai(skip_serializing_if_is_none)]
    pub conversation_id: Option<String>,
    /// Id of the user, as it was sent.
    #[oai(skip_serializing_if_is_none)]
    pub user_id: Option<String>,
    /// Id of the message, as it was sent.
    #[oai(skip_serializing_if_is_none)]
    pub message_id: Option<String>,
    /// State of the event.
    pub status: Word<EventStatus>,
    /// Reason of a failure; always `null`, because an event that is refused is not accepted.
    #[oai(nullable)]
    pub failure_reason: Option<String>,
}

impl EventIn {
    /// Returns the event as it was accepted.
    pub fn accepted(self, event: &Event) -> AcceptedEvent {
        AcceptedEvent {
            id: PublicId { prefix: PublicId::EVENT, id: event.id.0 }.to_string(),
            created_at: event.created_at.into(),
            kind: self.kind,
            payload: self.payload,
            conversation_id: self.conversation_id,
            user_id: self.user_id,
            message_id: self.message_id,
            status: Word(EventStatus::Pending),
            failure_reason: None,
        }
    }
}

/// Answer with an accepted event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "EmittedEventAnswer")]
pub struct EventAnswer {
    /// The event.
    pub event: AcceptedEvent,
}
