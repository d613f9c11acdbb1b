//! The audit log: who did what to what.

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
    /// Where it was done.
    pub organisation_id: OrganisationId,
    /// The user's id, or the name of the command.
    pub actor: String,
    /// A dotted verb such as `slack_link.connect`.
    pub action: &'static str,
    /// The id of what it was done to.
    pub subject: String,
    /// What changed.
    pub detail: serde_json::Value,
    /// When.
    pub created_at: Time,
}

/// Adds a line, in the transaction of the deed itself.
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
