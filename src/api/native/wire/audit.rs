//! Entries of the audit log.

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{api::shared::time::Timestamp, app::tenancy::audit::Entry};

/// A change of the organisation's configuration or access.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AuditEntry", rename_all = "camelCase", example)]
pub struct AuditEntryOut {
    /// Unique id.
    pub id: Uuid,
    /// Id of the user who acted, or `operator`, `slack`, `github`, or `app` for an
    /// app that used its API key.
    pub actor: String,
    /// The action, such as `route.create`. More actions may be added.
    pub action: String,
    /// Id of the changed resource.
    pub subject: String,
    /// Facts about the change, different for each action; without secrets.
    pub detail: Any<Value>,
    /// Time of the action.
    pub created_at: Timestamp,
}

impl From<Entry> for AuditEntryOut {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            actor: entry.actor,
            action: entry.action.into_owned(),
            subject: entry.subject,
            detail: Any(entry.detail),
            created_at: entry.created_at.into(),
        }
    }
}

impl Example for AuditEntryOut {
    fn example() -> Self {
        Self {
            id: Uuid::from_u128(0x0199_c1de_0000_7000_8000_0000_0000_0004),
            actor: "0199c1de-0000-7000-8000-000000000002".into(),
            action: "channel.create".into(),
            subject: "0199c1de-0000-7000-8000-000000000001".into(),
            detail: Any(json!({"name": "alerts", "private": false})),
            created_at: Timestamp(chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default()),
        }
    }
}
