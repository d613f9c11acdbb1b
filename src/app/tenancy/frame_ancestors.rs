//! Origins whose pages may frame an organisation's portal.
//!
//! Not here: the header that says so (`api::portal`).

use serde_json::json;

use super::Tenancy;
use crate::{
    app::Caller,
    domain::{
        Result,
        ids::OrganisationId,
        secret::Secret,
        tenancy::{member::Permission, session::FrameAncestors},
    },
    store,
};

impl Tenancy {
    /// Returns the origins of an organisation.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden), or
    /// [`Error::NotFound`](crate::domain::Error::NotFound) for another organisation.
    pub async fn get_frame_ancestors(&self, caller: &Caller, id: OrganisationId) -> Result<FrameAncestors> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::OrganisationRead)?;
        store::tenancy::frame_ancestors::find(self.base.store.reader(), id).await
    }

    /// Sets the origins of an organisation.
    ///
    /// # Errors
    /// As [`Self::get_frame_ancestors`], and [`Error::Invalid`](crate::domain::Error::Invalid).
    pub async fn put_frame_ancestors(
        &self,
        caller: &Caller,
        id: OrganisationId,
        origins: &[String],
    ) -> Result<FrameAncestors> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::OrganisationManage)?;
        let origins = FrameAncestors::read(origins)?;
        let tx = self.base.store.begin().await?;
        store::tenancy::frame_ancestors::set(&tx, id, &origins).await?;
        let detail = json!({"origins": origins.origins()});
        self.base.audit(&tx, (id, &caller.actor()), "organisation.frame-ancestors", id, detail).await?;
        tx.commit().await?;
        Ok(origins)
    }

    /// Returns the origins that may frame the portal of a browser with the secret of a session; none without a session.
    pub async fn frame_ancestors_of(&self, secret: Option<&Secret>) -> FrameAncestors {
        let Some(secret) = secret else { return FrameAncestors::default() };
        let Ok(signed_in) = self.authenticate_session(secret).await else { return FrameAncestors::default() };
        let id = signed_in.session.organisation_id;
        store::tenancy::frame_ancestors::find(self.base.store.reader(), id).await.unwrap_or_default()
    }
}
