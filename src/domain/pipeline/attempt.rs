//! Attempts of deliveries, and their outcomes.
//!
//! Not here: the next step of a delivery (`delivery`).

use std::{str::FromStr, time::Duration};

use super::delivery::{Next, Verdict};
use crate::domain::{
    Error, Result,
    ambient::Time,
    ids::{AttemptId, DeliveryId, IntegrationId, OrganisationId},
};

/// One try.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its identifier.
    pub id: AttemptId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Of which delivery.
    pub delivery_id: DeliveryId,
    /// 1 for the first.
    pub number: i32,
    /// Address of the destination, such as a URL.
    pub address: String,
    /// How it ended.
    pub outcome: AttemptState,
    /// The HTTP status of the answer, if there was one.
    pub status_code: Option<u16>,
    /// Why it failed, in words.
    pub reason: Option<String>,
    /// What was sent.
    pub request: String,
    /// What came back, cut and with secrets removed.
    pub answer: Option<String>,
    /// What was done beside the call, step by step, where something was; for the history of its kind.
    pub detail: Option<serde_json::Value>,
    /// Whose history it belongs to: of an outgoing webhook, or of the version in the registry that was called.
    pub history_of: Option<IntegrationId>,
    /// How long it took.
    pub duration: Duration,
    /// When it began.
    pub created_at: Time,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// It arrived.
    Delivered,
    /// It failed and is tried again.
    Retried,
    /// It failed for good.
    Failed,
}

impl AttemptState {
    /// The name on the wire and in the database.
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
    pub verdict: Verdict,
    /// Next step, where the destination has a retry schedule of its own; otherwise [`RetryPolicy`] decides.
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
    pub fn without_call(verdict: Verdict, began: Time) -> Self {
        Self {
            verdict,
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
