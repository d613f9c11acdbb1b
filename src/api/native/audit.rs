//! The audit log.

use poem_openapi::{OpenApi, param::Query, payload::Json};

use super::{
    Answer, Tag,
    wire::{AuditEntryOut, Limit, List, page, period},
};
use crate::{
    api::shared::{auth::Bearer, services::Service, time::Timestamp},
    app::tenancy::{Tenancy, audit::Filter},
    domain::search::sought,
};

/// The operations.
pub struct AuditLog;

#[OpenApi(tag = "Tag::AuditLog")]
impl AuditLog {
    /// List the audit log
    ///
    /// Lists changes of the organisation's configuration and access, newest first, with their actors. Secrets are never in
    /// it. The caller has to have the permission `audit:read`. A page looks at the next 10,000 entries: with `action` or `actor` it may be short, or empty, and have a
    /// `nextCursor`.
    #[oai(path = "/v1/audit-log", method = "get", operation_id = "listAuditLog")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_audit_log(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// Only actions that match this glob, in which `*` stands for any characters, such as `route.*`.
        action: Query<Option<String>>,
        /// Only actions of this actor: a user's id, `operator`, `slack` or `github`.
        actor: Query<Option<String>>,
        /// Only entries from this time on.
        since: Query<Option<Timestamp>>,
        /// Only entries before this time.
        until: Query<Option<Timestamp>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<AuditEntryOut>> {
        let (action, actor) = (sought("action", action.0)?, sought("actor", actor.0)?);
        let filter = Filter { action, actor, period: period(since, until)? };
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(tenancy.list_audit_log(&caller.0, &filter, page).await?)))
    }
}
