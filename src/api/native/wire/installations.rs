//! Installed integrations.

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    api::shared::time::Timestamp,
    app::registry::WantedVersion,
    domain::{
        Error, Result,
        apps::{
            app::App,
            descriptor::{Descriptor, SettingSpec},
        },
        registry::PublicId,
    },
};

/// What is to be installed: a version by its identifier, or by its name.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationToInstall", rename_all = "camelCase", example, skip_serializing_if_is_none)]
pub struct InstallIn {
    /// Its identifier, `intver_…`.
    pub registry_id: Option<String>,
    /// Its name, with the handle of its workspace.
    pub name: Option<String>,
    /// A version, a range of versions or the word `latest`, which is what counts where it is left out.
    pub version: Option<String>,
}

impl InstallIn {
    /// Which one is meant.
    pub fn wanted(self) -> Result<WantedVersion> {
        match (self.registry_id, self.name, self.version) {
            (Some(id), None, None) => Ok(WantedVersion::Id(id)),
            (None, Some(name), version) => {
                Ok(WantedVersion::Named { name, version: version.unwrap_or_else(|| "latest".into()) })
            }
            _ => Err(Error::invalid("/registryId", "give either this, or a name and perhaps a version")),
        }
    }
}

impl Example for InstallIn {
    fn example() -> Self {
        Self { registry_id: None, name: Some("acme/teams".into()), version: Some("^1".into()) }
    }
}

/// What can be set of an integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InstalledSetting", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct InstalledSettingOut {
    /// By what it is found.
    pub label: String,
    /// What kind of value it takes.
    pub kind: String,
    /// Whether it must not be empty.
    pub required: bool,
    /// Whether its value is not shown.
    pub secret: bool,
    /// What it is for.
    pub description: Option<String>,
    /// What there is to choose from; anything, where there is nothing.
    pub options: Vec<String>,
    /// What holds until somebody sets it. That of a secret is not shown.
    pub default: Option<Any<Value>>,
}

impl From<&SettingSpec> for InstalledSettingOut {
    fn from(spec: &SettingSpec) -> Self {
        let default = Some(spec.default.clone()).filter(|default| !spec.secret && !default.is_null());
        Self {
            label: spec.label.clone(),
            kind: spec.kind.as_str().to_owned(),
            required: spec.required,
            secret: spec.secret,
            description: spec.description.clone(),
            options: spec.options.clone(),
            default: default.map(Any),
        }
    }
}

/// An installed integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InstalledIntegration", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct InstalledOut {
    /// Its identifier in this organisation.
    pub id: Uuid,
    /// What it is called; that of the registry, where it is from there.
    pub name: String,
    /// What people read.
    pub title: String,
    /// Its version, where it is from the registry.
    pub version: Option<String>,
    /// The identifier of the version, where it is from the registry.
    pub registry_id: Option<String>,
    /// Where it is called.
    pub url: Option<String>,
    /// Whether it is switched on.
    pub active: bool,
    /// What can be set.
    pub settings: Vec<InstalledSettingOut>,
    /// When it was installed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<App> for InstalledOut {
    fn from(app: App) -> Self {
        let descriptor = app.descriptor.as_ref();
        let id = |id| PublicId { prefix: PublicId::VERSION, id }.to_string();
        Self {
            id: app.id.0,
            title: descriptor.map_or_else(|| app.name.clone(), |read| read.app_name.clone()),
            version: app.registry.as_ref().map(|from| from.version.clone()),
            registry_id: app.registry.as_ref().map(|from| id(from.registry_id)),
            url: descriptor.and_then(|read: &Descriptor| read.target_url.clone()),
            active: app.active,
            settings: descriptor.into_iter().flat_map(|read| &read.settings).map(Into::into).collect(),
            created_at: app.created_at.into(),
            updated_at: app.updated_at.into(),
            name: app.name,
        }
    }
}
