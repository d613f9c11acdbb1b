//! The audit log: actors, actions and their subjects.
//!
//! Not here: the choice of audited actions.

use std::borrow::Cow;

use ::entity::audit_entry::{ActiveModel, Column, Entity as AuditEntries, Model as Row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use crate::{
    domain::{
        Result,
        ambient::Time,
        ids::OrganisationId,
        page::{Page, PageRequest},
        search::Period,
    },
    store::{
        Tx,
        kernel::search::{Window, matches_glob},
    },
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
    pub action: Cow<'static, str>,
    /// The id of the changed resource.
    pub subject: String,
    /// The change.
    pub detail: serde_json::Value,
    /// Time of the action.
    pub created_at: Time,
}

/// Filter of the log; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Glob of the actions.
    pub action: Option<String>,
    /// The actor.
    pub actor: Option<String>,
    /// Their period.
    pub period: Period,
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
        action: Set(entry.action.into_owned()),
        subject: Set(entry.subject),
        detail: Set(entry.detail),
        created_at: Set(entry.created_at),
    };
    AuditEntries::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Lists the log of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<Entry>> {
    let of = (Column::OrganisationId, organisation_id);
    let window = Window::bounded::<AuditEntries>(db, of, Column::Id, (filter.period, page)).await?;
    let backend = db.get_database_backend();
    let rows = AuditEntries::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(window.has(Column::Id))
        .apply_if(filter.actor.as_deref(), |query, actor| query.filter(Column::Actor.eq(actor)))
        .apply_if(filter.action.as_deref(), |query, action| {
            query.filter(matches_glob(backend, Column::Action.into_expr(), action))
        })
        .order_by_desc(Column::Id)
        .limit(u64::from(page.limit) + 1)
        .all(db)
        .await?;
    Ok(window.cut(rows.into_iter().map(entry).collect(), page.limit, |entry| entry.id))
}

fn entry(row: Row) -> Entry {
    Entry {
        id: row.id,
        organisation_id: row.organisation_id.into(),
        actor: row.actor,
        action: row.action.into(),
        subject: row.subject,
        detail: row.detail,
        created_at: row.created_at,
    }
}
