//! The audit log: actors, actions and their subjects.
//!
//! Not here: the choice of audited actions.

use ::entity::audit_entry::{ActiveModel, Entity as AuditEntries};
use sea_orm::{ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use crate::{
    domain::{Result, ambient::Time, ids::OrganisationId},
    store::Tx,
};

/// One line of the log. `detail` holds no secrets.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its identifier.
    pub id: Uuid,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The user's id, or the name of the command.
    pub actor: String,
    /// A dotted verb such as `slack_link.connect`.
    pub action: &'static str,
    /// The id of the changed resource.
    pub subject: String,
    /// The change.
    pub detail: serde_json::Value,
    /// Time of the action.
    pub created_at: Time,
}

/// Inserts a line, in the transaction of the action itself.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, entry: Entry) -> Result<()> {
    let row = ActiveModel {
        id: Set(entry.id),
        organisation_id: Set(entry.organisation_id.0),
        actor: Set(entry.actor),
        action: Set(entry.action.to_owned()),
        subject: Set(entry.subject),
        detail: Set(entry.detail),
        created_at: Set(entry.created_at),
    };
    AuditEntries::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
