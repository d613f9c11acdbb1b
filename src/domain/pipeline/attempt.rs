//! Attempts of deliveries, and their outcomes.
//!
//! Not here: the next step of a delivery (`delivery`).

use std::{str::FromStr, time::Duration};

use super::delivery::{Next, Outcome};
use crate::domain::{
    Error, Result,
    ambient::Time,
    ids::{AttemptId, DeliveryId, IntegrationId, OrganisationId},
};

/// Attempt of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its identifier.
    pub id: AttemptId,
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Its delivery.
    pub delivery_id: DeliveryId,
    /// Its number, from 1.
    pub number: i32,
    /// Address of the destination, such as a URL.
    pub address: String,
    /// Its outcome.
    pub outcome: AttemptState,
    /// HTTP status of the answer, if there was one.
    pub status_code: Option<u16>,
    /// Reason of the failure, in words.
    pub reason: Option<String>,
    /// Request, without secrets.
    pub request: String,
    /// Beginning of the answer, without secrets.
    pub answer: Option<String>,
    /// Steps beside the call, where there were any, for the history of the kind.
    pub detail: Option<serde_json::Value>,
    /// Owner of the history that it belongs to: an outgoing webhook, or the registry version that was called.
    pub history_of: Option<IntegrationId>,
    /// Its duration.
    pub duration: Duration,
    /// Time of its beginning.
    pub created_at: Time,
}

/// Outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Delivered to the destination.
    Delivered,
    /// Failed, with a retry to come.
    Retried,
    /// Failed permanently.
    Failed,
}

impl AttemptState {
    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            AttemptState::Delivered => "delivered",
            AttemptState::Retried => "retried",
            AttemptState::Failed => "failed",
        }
    }
}

impl FromStr for AttemptState {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "delivered" => Ok(AttemptState::Delivered),
            "retried" => Ok(AttemptState::Retried),
            "failed" => Ok(AttemptState::Failed),
            _ => Err(Error::invalid("/outcome", "must be delivered, retried or failed")),
        }
    }
}

/// Outcome of one attempt, as a sender reports it.
#[derive(Clone, Debug)]
pub struct AttemptOutcome {
    /// Its meaning for the delivery and its destination.
    pub outcome: Outcome,
    /// Next step, where the kind decides it by itself; otherwise the
    /// [`RetrySchedule`](super::retry::RetrySchedule) does.
    pub next: Option<Next>,
    /// Address of the call, without secrets.
    pub address: String,
    /// Request, without secrets.
    pub request: String,
    /// Beginning of the answer, without secrets.
    pub answer: Option<String>,
    /// Steps beside the call, for the history of the kind.
    pub detail: Option<serde_json::Value>,
    /// Owner of the history that the attempt belongs to: an outgoing webhook, or the registry version that was called.
    pub history_of: Option<IntegrationId>,
    /// HTTP status.
    pub status_code: Option<u16>,
    /// Duration.
    pub duration: Duration,
    /// Time of its beginning.
    pub began: Time,
}

impl AttemptOutcome {
    /// Creates the outcome of an attempt that made no call.
    pub fn without_call(outcome: Outcome, began: Time) -> Self {
        Self {
            outcome,
            next: None,
            address: String::new(),
            request: String::new(),
            answer: None,
            detail: None,
            history_of: None,
            status_code: None,
            duration: Duration::ZERO,
            began,
        }
    }
}
