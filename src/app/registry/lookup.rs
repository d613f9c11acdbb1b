//! Looks versions up: a workspace's own by identifier or by name and version, and published ones on the hub.
//!
//! Not here: lists and searches (`lists`).

use super::{Registered, Registry, not_found, version_id};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::Noun,
        ids::OrganisationId,
        registry::{RegistryVersion, definition::VersionQuery},
        tenancy::member::Permission,
    },
    store::{
        self,
        registry::{self, Scope},
    },
};

impl Registry {
    /// Returns a version of the workspace's own.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_bot_integration(&self, caller: &Caller, id: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = registry::find(self.base.store.reader(), caller.organisation_id, version_id(id)?).await?;
        self.registered(found.ok_or_else(|| not_found(id))?, false).await
    }

    /// Returns a version of the workspace's own by its name: an exact version, the highest in a range, or the latest.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Invalid`] where the version is malformed.
    pub async fn get_bot_integration_by_name(&self, caller: &Caller, name: &str, version: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = self.pick_bot(Scope::Workspace(caller.organisation_id), name, version).await?;
        self.registered(found, false).await
    }

    /// Returns a published version of any workspace.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_public_integration_by_id(&self, caller: &Caller, id: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = registry::find_published(self.base.store.reader(), version_id(id)?).await?;
        self.looked_at(found.ok_or_else(|| not_found(id))?).await
    }

    /// Returns a published version of any workspace by its name.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Invalid`] where the version is malformed.
    pub async fn get_public_integration(&self, caller: &Caller, name: &str, version: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = self.pick_bot(Scope::Hub, name, version).await?;
        self.looked_at(found).await
    }

    /// Looks an interface up that integrations implement. The registry keeps none, so this always fails.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_public_interface(&self, caller: &Caller, name: &str, version: &str) -> Result<()> {
        caller.require(Permission::IntegrationsRead)?;
        Err(Error::not_found(Noun::Interface, format_args!("{name}@{version}")))
    }

    pub(super) async fn pick_bot(&self, scope: Scope, name: &str, version: &str) -> Result<RegistryVersion> {
        let query = VersionQuery::parse(version).ok_or_else(|| {
            Error::invalid("version", "must be a version, a range of versions or the word \"latest\"")
        })?;
        let found = registry::named(self.base.store.reader(), scope, name).await?;
        let picked = query.pick(found.iter().map(|version| (&version.version, version.id)));
        let picked = picked.and_then(|id| found.into_iter().find(|version| version.id == id));
        picked.ok_or_else(|| not_found(&format!("{name}@{version}")))
    }

    async fn looked_at(&self, version: RegistryVersion) -> Result<Registered> {
        self.count_view(&version.name);
        self.registered(version, true).await
    }

    async fn registered(&self, version: RegistryVersion, in_public: bool) -> Result<Registered> {
        let reader = self.base.store.reader();
        // The version may be removed between the two reads.
        let definition = registry::definition(reader, version.id).await?;
        let definition = definition.ok_or_else(|| not_found(&version.name))?;
        let owner: OrganisationId = version.organisation_id;
        let workspace = store::tenancy::organisations::find(reader, owner).await?;
        Ok(Registered { version, definition, workspace, signing_secret: None, in_public })
    }
}
