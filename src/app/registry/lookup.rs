//! Looks versions up: a workspace's own by identifier or by name and version, and published ones on the hub.
//!
//! Not here: lists and searches (`lists`).

use super::{Registered, Registry, not_found, version_id};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ids::OrganisationId,
        registry::{
            Entry, RegistryVersion,
            definition::{DefinitionKind::Integration, VersionQuery},
        },
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
        let (reader, own) = (self.base.store.reader(), caller.organisation_id);
        let found = registry::find(reader, Integration, own, version_id(Integration, id)?).await?;
        self.registered(found.ok_or_else(|| not_found(Integration, id))?, false).await
    }

    /// Returns a version of the workspace's own by its name: an exact version, the highest in a range, or the latest.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Invalid`] where the version is malformed.
    pub async fn get_bot_integration_by_name(&self, caller: &Caller, name: &str, version: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = self.pick_version(Scope::Workspace(caller.organisation_id), integration(name), version).await?;
        self.registered(found, false).await
    }

    /// Returns a published version of any workspace.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_public_integration_by_id(&self, caller: &Caller, id: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let id_of = version_id(Integration, id)?;
        let found = registry::find_published(self.base.store.reader(), Integration, id_of).await?;
        self.looked_at(found.ok_or_else(|| not_found(Integration, id))?).await
    }

    /// Returns a published version of any workspace by its name.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Invalid`] where the version is malformed.
    pub async fn get_public_integration(&self, caller: &Caller, name: &str, version: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = self.pick_version(Scope::Hub, integration(name), version).await?;
        self.looked_at(found).await
    }

    pub(super) async fn pick_version(&self, scope: Scope, entry: Entry<'_>, version: &str) -> Result<RegistryVersion> {
        let query = VersionQuery::parse(version).ok_or_else(|| {
            Error::invalid("version", "must be a version, a range of versions or the word \"latest\"")
        })?;
        let found = registry::named(self.base.store.reader(), scope, entry).await?;
        let picked = query.pick(found.iter().map(|version| (&version.version, version.id)));
        let picked = picked.and_then(|id| found.into_iter().find(|version| version.id == id));
        picked.ok_or_else(|| not_found(entry.kind, &format!("{}@{version}", entry.name)))
    }

    async fn looked_at(&self, version: RegistryVersion) -> Result<Registered> {
        self.count_view(version.entry());
        self.registered(version, true).await
    }

    pub(super) async fn registered(&self, version: RegistryVersion, in_public: bool) -> Result<Registered> {
        let reader = self.base.store.reader();
        // The version may be removed between the two reads.
        let definition = registry::definition(reader, version.id).await?;
        let definition = definition.ok_or_else(|| not_found(version.kind, &version.name))?;
        let owner: OrganisationId = version.organisation_id;
        let workspace = store::tenancy::organisations::find(reader, owner).await?;
        Ok(Registered { version, definition, workspace, signing_secret: None, in_public })
    }
}

pub(super) fn integration(name: &str) -> Entry<'_> {
    Entry { kind: Integration, name }
}
