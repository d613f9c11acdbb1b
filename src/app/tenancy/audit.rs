//! The audit log of an organisation, as its administrators read it.
//!
//! Not here: writing (`Base::audit`).

use super::Tenancy;
use crate::{
    app::Caller,
    domain::{
        Result,
        page::{Page, PageRequest},
        tenancy::member::Permission,
    },
    store,
};

pub use store::tenancy::audit::{Entry, Filter};

impl Tenancy {
    /// Lists the audit log, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden).
    pub async fn list_audit_log(&self, caller: &Caller, filter: &Filter, page: PageRequest) -> Result<Page<Entry>> {
        caller.require(Permission::AuditRead)?;
        store::tenancy::audit::list(self.base.store.reader(), caller.organisation_id, filter, page).await
    }
}
