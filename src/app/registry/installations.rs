//! Installs versions. An installed version is an app of the organisation like any other, whose descriptor is derived
//! from the version's definition.
//!
//! Not here: the storage of apps (`apps`).

use super::{Registry, lookup::integration, not_found, version_id};
use crate::{
    app::{Caller, apps::installations::check},
    domain::{
        Error, Result,
        apps::{
            app::{App, RegistryReference},
            destination,
        },
        registry::{
            Lifecycle, RegistryVersion,
            definition::{Definition, DefinitionKind, Issue, Rule, descriptor},
        },
        secret::Secret,
        tenancy::member::Permission,
    },
    store::{
        self, Tx,
        registry::{self, Scope},
    },
};

/// Selects the version to install.
#[derive(Clone, Debug)]
pub enum WantedVersion {
    /// Version with this identifier.
    Id(String),
    /// Version of this name: an exact version, the highest in a range, or the latest.
    Named {
        /// Name of the integration.
        name: String,
        /// Version, range or `latest`.
        version: String,
    },
}

/// An app to be installed.
#[derive(Clone, Debug)]
pub struct CreateApp {
    /// Source of its descriptor.
    pub source: AppSource,
    /// Name; by default that of the source.
    pub name: Option<String>,
    /// Credential that is kept for its calls.
    pub credential: Option<Secret>,
}

/// Source of an app.
#[derive(Clone, Debug)]
pub enum AppSource {
    /// Address of a descriptor.
    Descriptor(String),
    /// Version in the registry: of the workspace's own, or a published one.
    Version(WantedVersion),
}

impl Registry {
    /// Installs an app: by its descriptor, or from the registry.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] where its descriptor is not acceptable,
    /// [`Error::FailedPrecondition`] where the version is deprecated, [`Error::Conflict`] where there are too many.
    pub async fn create_app(&self, caller: &Caller, new: CreateApp) -> Result<App> {
        let CreateApp { source, name, credential } = new;
        let given = (name, credential.as_ref());
        match source {
            AppSource::Descriptor(url) => self.apps.install_by_descriptor(caller, url, given).await,
            AppSource::Version(wanted) => self.install_version(caller, wanted, given).await,
        }
    }

    async fn install_version(
        &self,
        caller: &Caller,
        wanted: WantedVersion,
        (name, credential): (Option<String>, Option<&Secret>),
    ) -> Result<App> {
        caller.require(Permission::IntegrationsManage)?;
        check(name.as_deref(), None, credential, None)?;
        let version = self.installable(caller, wanted).await?;
        if version.lifecycle == Lifecycle::Deprecated {
            let message = format!("{} {} is deprecated; install another version", version.name, version.version);
            return Err(Error::FailedPrecondition { message });
        }
        let reader = self.base.store.reader();
        let definition =
            registry::definition(reader, version.id).await?.ok_or_else(|| not_found(version.kind, &version.name))?;
        let descriptor = descriptor(&definition)?;
        self.apps.check_called(&descriptor, "/url")?;
        let name = name.unwrap_or_else(|| version.name.clone());
        let kind = ("output".into(), false);
        let mut app = self.apps.new_integration(caller, name, String::new(), kind, Some(descriptor));
        let from = from_registry(&version);
        app.json_url = from.json_url();
        app.registry = Some(from);
        self.apps.install(caller, &mut app, credential).await?;
        Ok(app)
    }

    async fn installable(&self, caller: &Caller, wanted: WantedVersion) -> Result<RegistryVersion> {
        let own = caller.organisation_id;
        match wanted {
            WantedVersion::Id(shown) => {
                let kind = DefinitionKind::Integration;
                let (reader, id) = (self.base.store.reader(), version_id(kind, &shown)?);
                let found = registry::find_visible(reader, kind, own, id).await?;
                found.ok_or_else(|| not_found(kind, &shown))
            }
            WantedVersion::Named { name, version } => {
                match self.pick_version(Scope::Workspace(own), integration(&name), &version).await {
                    Err(Error::NotFound { .. }) => self.pick_version(Scope::Hub, integration(&name), &version).await,
                    found => found,
                }
            }
        }
    }

    /// Updates the descriptor of every app that was installed from a version whose definition changed.
    pub(super) async fn refresh_installed(
        &self,
        tx: &Tx,
        version: &RegistryVersion,
        (former, next): (&Definition, &Definition),
    ) -> Result<()> {
        let described = |definition: &Definition| {
            let Definition { url, title, description, configuration, .. } = definition;
            (url.clone(), title.clone(), description.clone(), configuration.clone())
        };
        if described(former) == described(next) {
            return Ok(());
        }
        let installed = registry::installed(tx, version.id).await?;
        if installed.is_empty() {
            return Ok(());
        }
        let made = descriptor(next).and_then(|made| self.apps.check_called(&made, "/url").map(|()| made));
        let made = made.map_err(|error| {
            let says = format_args!("cannot become this while the version is installed: {error}");
            let place = if former.url == next.url { "/configuration" } else { "/url" };
            Error::Issues(vec![Issue::new(Rule::Url, place, says)])
        })?;
        store::apps::installations::set_descriptor(tx, from_registry(version), &made, self.base.now()).await?;
        if former.url != next.url {
            let names: Vec<String> = installed.into_iter().map(destination::app_name).collect();
            store::pipeline::destinations::heal_named(tx, &destination::APP, &names).await?;
        }
        Ok(())
    }
}

fn from_registry(version: &RegistryVersion) -> RegistryReference {
    RegistryReference { registry_id: version.id.0, name: version.name.clone(), version: version.version.to_string() }
}
