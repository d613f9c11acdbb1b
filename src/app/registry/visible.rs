//! Versions that an organisation may use: its own, and the published ones of all others.
//!
//! Not here: the lists of the workspace and of the hub, with their orders (`lists`).

use std::collections::HashMap;

use uuid::Uuid;

use super::{ListQuery, Listed, Registered, Registry, lists};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ids::OrganisationId,
        page::{Page, PageRequest},
        registry::{RegistryVersion, definition::DefinitionKind},
        tenancy::{
            member::Permission,
            organisation::{Organisation, Slug},
        },
    },
    store::{
        self,
        registry::{self, Scope},
    },
};

/// Filters of the visible versions.
#[derive(Clone, Debug, Default)]
pub struct VersionSearch {
    /// Name of the integration.
    pub name: Option<String>,
    /// Text to search for.
    pub text: Option<String>,
    /// Slug of the owning organisation.
    pub organisation: Option<String>,
}

impl Registry {
    /// Lists the versions that the caller's organisation may use, newest first: its own, and the public ones.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] naming the parameter.
    pub async fn list_registry_versions(
        &self,
        caller: &Caller,
        search: VersionSearch,
        page: PageRequest,
    ) -> Result<Page<Listed>> {
        self.list_visible(DefinitionKind::Integration, caller, search, page).await
    }

    /// Lists the versions of interfaces that the caller's organisation may implement, newest first: its own, and the
    /// public ones.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] naming the parameter.
    pub async fn list_registry_interfaces(
        &self,
        caller: &Caller,
        search: VersionSearch,
        page: PageRequest,
    ) -> Result<Page<Listed>> {
        self.list_visible(DefinitionKind::Interface, caller, search, page).await
    }

    async fn list_visible(
        &self,
        kind: DefinitionKind,
        caller: &Caller,
        search: VersionSearch,
        page: PageRequest,
    ) -> Result<Page<Listed>> {
        caller.require(Permission::IntegrationsRead)?;
        let reader = self.base.store.reader();
        let nothing = Page { items: Vec::new(), next: None };
        let owner = match search.organisation.as_deref().map(Slug::parse) {
            None => None,
            Some(Err(_)) => return Ok(nothing),
            Some(Ok(slug)) => match store::tenancy::organisations::find_by_slug(reader, &slug).await? {
                Some(owner) => Some(owner.id),
                None => return Ok(nothing),
            },
        };
        let query = ListQuery { name: search.name, search: search.text, ..ListQuery::default() };
        let mut wanted = lists::wanted(kind, Scope::Visible(caller.organisation_id), &query, page.limit)?;
        wanted.owner = owner;
        wanted.after = page.after.map(|id| (String::new(), id));
        let found = registry::list(reader, &wanted).await?;
        let page = Page::cut(found, page.limit, |version| version.id.0);
        Ok(Page { items: self.listed(page.items, wanted.search.as_deref()).await?, next: page.next })
    }

    /// Returns a version of the organisation's own, or a published one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_registry_version(&self, caller: &Caller, id: Uuid) -> Result<Registered> {
        match self.get_bot_integration(caller, &id.to_string()).await {
            Err(Error::NotFound { .. }) => self.get_public_integration_by_id(caller, &id.to_string()).await,
            found => found,
        }
    }

    /// Returns a version of an interface of the organisation's own, or a published one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_registry_interface(&self, caller: &Caller, id: Uuid) -> Result<Registered> {
        self.get_interface(caller, &id.to_string()).await
    }

    /// Adds the owners to versions, and the fields in which a text was found.
    pub(super) async fn listed(&self, found: Vec<RegistryVersion>, text: Option<&str>) -> Result<Vec<Listed>> {
        let mut owners: Vec<OrganisationId> = found.iter().map(|version| version.organisation_id).collect();
        owners.sort_unstable();
        owners.dedup();
        let owners = store::tenancy::organisations::list(self.base.store.reader(), &owners).await?;
        let owners: HashMap<OrganisationId, Organisation> = owners.into_iter().map(|one| (one.id, one)).collect();
        let listed = |version: RegistryVersion| {
            let workspace = owners.get(&version.organisation_id)?.clone();
            let matched_on = text.map(|text| version.matched_on(text));
            Some(Listed { version, workspace, matched_on })
        };
        Ok(found.into_iter().filter_map(listed).collect())
    }
}
