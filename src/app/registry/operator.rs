//! The operator's decisions about versions: verification, and deprecation.
//!
//! Not here: requests for verification (`keys`).

use serde_json::json;

use super::{Listed, Registry, not_found, version_id};
use crate::{
    domain::{
        Result,
        page::{Page, PageRequest},
        registry::{Lifecycle, Verification, definition::DefinitionKind::Integration},
        tenancy::operator::Operator,
    },
    store::registry,
};

impl Registry {
    /// Lists the versions whose makers requested a verification, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_pending_registry_versions(&self, _: &Operator, page: PageRequest) -> Result<Page<Listed>> {
        let found = registry::pending(self.base.store.reader(), page).await?;
        let next = found.next;
        Ok(Page { items: self.listed(found.items, None).await?, next })
    }

    /// Sets the verification or the lifecycle of a version; `None` leaves it as it is. Existing installations are not
    /// affected.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::domain::Error::NotFound).
    pub async fn review_registry_version(
        &self,
        operator: &Operator,
        id: &str,
        (verification, lifecycle): (Option<Verification>, Option<Lifecycle>),
    ) -> Result<Listed> {
        let tx = self.base.store.begin().await?;
        let found = version_id(Integration, id)?;
        registry::lock_owner(&tx, found).await?;
        let mut version = registry::find_anywhere(&tx, found).await?.ok_or_else(|| not_found(Integration, id))?;
        version.verification = verification.unwrap_or(version.verification);
        version.lifecycle = lifecycle.unwrap_or(version.lifecycle);
        registry::set_standing(&tx, version.id, version.verification, version.lifecycle).await?;
        let mut detail =
            json!({"verification": version.verification.as_str(), "lifecycle": version.lifecycle.as_str()});
        if let Some(token) = operator.token_id {
            detail["operatorToken"] = json!(token);
        }
        self.base
            .audit(&tx, (version.organisation_id, "operator"), "registry.set_standing", version.id, detail)
            .await?;
        tx.commit().await?;
        self.listed(vec![version], None).await?.pop().ok_or_else(|| not_found(Integration, id))
    }
}
