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

/// Registry version to be installed: named by its identifier, or by its name.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationToInstall", rename_all = "camelCase", example, skip_serializing_if_is_none)]
pub struct InstallIn {
    /// Identifier of the version, `intver_…`.
    pub registry_id: Option<String>,
    /// Name of the integration, with the handle of its workspace.
    pub name: Option<String>,
    /// A version, a range of versions or `latest`; `latest` by default.
    pub version: Option<String>,
}

impl InstallIn {
    /// Returns the reference to the requested version.
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

/// A setting of an integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InstalledSetting", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct InstalledSettingOut {
    /// Label, by which the setting is identified.
    pub label: String,
    /// Type of the value.
    pub kind: String,
    /// True if the value must not be empty.
    pub required: bool,
    /// True if the value is not shown.
    pub secret: bool,
    /// Purpose of the setting.
    pub description: Option<String>,
    /// Allowed values; if empty, any value is allowed.
    pub options: Vec<String>,
    /// Value until one is set. The default of a secret is not shown.
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
    /// Id of the installation in this organisation.
    pub id: Uuid,
    /// Name of the integration; for one from the registry, its name there.
    pub name: String,
    /// Display title.
    pub title: String,
    /// Version, for an integration from the registry.
    pub version: Option<String>,
    /// Identifier of the version, for an integration from the registry.
    pub registry_id: Option<String>,
    /// Address at which the integration is called.
    pub url: Option<String>,
    /// True if it is switched on.
    pub active: bool,
    /// Settings of the integration.
    pub settings: Vec<InstalledSettingOut>,
    /// Time of installation.
    pub created_at: Timestamp,
    /// Time of the last change.
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
