//! Apps (integrations that an organisation installs by a descriptor) and their use in channels.
//!
//! Not here: the descriptor itself (`descriptor`) and the settings (`setting`).

use serde::{Deserialize, Serialize};

use super::descriptor::{AppKind, Descriptor};
use crate::domain::{
    ambient::Time,
    ids::{ChannelId, InstallationId, IntegrationId, OrganisationId},
};

/// An app installed by an organisation.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// Its identifier.
    pub id: IntegrationId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The organisation's installation, to which settings belong.
    pub installation_id: InstallationId,
    /// Display name chosen by the owner; by default the name in the descriptor.
    pub name: String,
    /// URL of the descriptor, as given.
    pub json_url: String,
    /// Declared type, as given; may be empty. The descriptor's type takes precedence where there is a descriptor.
    pub integration_type: String,
    /// True for a custom app, installed by its descriptor alone.
    pub custom: bool,
    /// True while the organisation has the app enabled.
    pub active: bool,
    /// The registry version it was installed from, if any.
    pub registry: Option<RegistryReference>,
    /// The last good copy of its descriptor, if one could ever be read.
    pub descriptor: Option<Descriptor>,
    /// Time of installation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

/// An installed registry version. It is referenced by name and version, because they do not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryReference {
    /// The registry version's identifier.
    pub registry_id: uuid::Uuid,
    /// Name of the integration in the registry.
    pub name: String,
    /// Version of the integration.
    pub version: String,
}

impl RegistryReference {
    /// Placeholder in place of a descriptor's URL. It does not resolve.
    pub fn json_url(&self) -> String {
        format!("registry:{}@{}", self.name, self.version)
    }
}

impl App {
    /// Returns the kind of the app: from its descriptor, or else from its declared type.
    pub fn kind(&self) -> AppKind {
        match &self.descriptor {
            Some(descriptor) => descriptor.kind.clone(),
            None => AppKind::named(&self.integration_type),
        }
    }
}

/// An app's use in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppInChannel {
    /// Its identifier.
    pub id: InstallationId,
    /// The channel.
    pub channel_id: ChannelId,
    /// True while the app is enabled in the channel.
    pub active: bool,
    /// Position in the call order: the lowest is called first.
    pub position: i32,
    /// Time of the last change.
    pub updated_at: Time,
}
