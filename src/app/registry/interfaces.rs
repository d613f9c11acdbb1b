//! Interfaces: definitions like those of integrations, which integrations implement. Nobody installs or calls them.
//!
//! Not here: the path that they share with integrations (`registry`, `updates`, `lists`, `lookup`).

use super::{ListQuery, ListedPage, Registered, Registry, Submission, not_found, version_id};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        registry::{Entry, definition::DefinitionKind::Interface},
        tenancy::member::Permission,
    },
    store::registry::{self, Scope},
};

impl Registry {
    /// Creates a version of an interface.
    ///
    /// # Errors
    /// As [`Registry::create_bot_integration`].
    pub async fn create_interface(&self, caller: &Caller, submission: Submission) -> Result<Registered> {
        self.create_version(Interface, caller, submission).await
    }

    /// Changes a version of an interface. What it asks for stays while versions of integrations implement it.
    ///
    /// # Errors
    /// As [`Registry::update_bot_integration`].
    pub async fn update_interface(&self, caller: &Caller, id: &str, submission: Submission) -> Result<Registered> {
        self.update_version(Interface, caller, id, submission).await
    }

    /// Removes a version of an interface.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::InUse`] where it is implemented.
    pub async fn delete_interface(&self, caller: &Caller, id: &str) -> Result<()> {
        self.delete_version(Interface, caller, id).await
    }

    /// Returns a version of an interface that the workspace may implement: its own, or a published one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_interface(&self, caller: &Caller, id: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let reader = self.base.store.reader();
        let found =
            registry::find_visible(reader, Interface, caller.organisation_id, version_id(Interface, id)?).await?;
        self.registered(found.ok_or_else(|| not_found(Interface, id))?, false).await
    }

    /// Returns a version of an interface that the workspace may implement, by its name: its own before a published one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Invalid`] where the version is malformed.
    pub async fn get_interface_by_name(&self, caller: &Caller, name: &str, version: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let entry = Entry { kind: Interface, name };
        let found = match self.pick_version(Scope::Workspace(caller.organisation_id), entry, version).await {
            Err(Error::NotFound { .. }) => self.pick_version(Scope::Hub, entry, version).await,
            found => found,
        };
        self.registered(found?, false).await
    }

    /// Lists the workspace's own interfaces.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] naming the parameter.
    pub async fn list_interfaces(&self, caller: &Caller, query: ListQuery) -> Result<ListedPage> {
        caller.require(Permission::IntegrationsRead)?;
        self.list_versions_in(Interface, Scope::Workspace(caller.organisation_id), query).await
    }

    /// Returns a published version of an interface of any workspace.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_public_interface_by_id(&self, caller: &Caller, id: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = registry::find_published(self.base.store.reader(), Interface, version_id(Interface, id)?).await?;
        self.registered(found.ok_or_else(|| not_found(Interface, id))?, true).await
    }

    /// Returns a published version of an interface of any workspace, by its name.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Invalid`] where the version is malformed.
    pub async fn get_public_interface(&self, caller: &Caller, name: &str, version: &str) -> Result<Registered> {
        caller.require(Permission::IntegrationsRead)?;
        let found = self.pick_version(Scope::Hub, Entry { kind: Interface, name }, version).await?;
        self.registered(found, true).await
    }

    /// Lists the public interfaces of all workspaces.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] naming the parameter.
    pub async fn list_public_interfaces(&self, caller: &Caller, query: ListQuery) -> Result<ListedPage> {
        caller.require(Permission::IntegrationsRead)?;
        self.list_versions_in(Interface, Scope::Hub, query).await
    }
}
