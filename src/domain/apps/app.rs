//! Integrations that an organisation installs by a descriptor, and their use in channels.

use serde::{Deserialize, Serialize};

use super::descriptor::{Descriptor, IntegrationKind};
use crate::domain::{
    ambient::Time,
    ids::{ChannelId, InstallationId, IntegrationId, OrganisationId},
};

/// An integration that an organisation has installed.
#[derive(Clone, Debug, PartialEq)]
pub struct AppIntegration {
    /// Its identifier.
    pub id: IntegrationId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// The organisation's use of it: what settings belong to.
    pub installation_id: InstallationId,
    /// What its owner calls it; the name in its descriptor where nobody said.
    pub name: String,
    /// Where its descriptor is, as it was given.
    pub json_url: String,
    /// What it is said to be, as it was given; may be empty. The descriptor's word counts where there is one.
    pub integration_type: String,
    /// Whether it was installed by its descriptor alone.
    pub custom: bool,
    /// Whether the organisation has it switched on.
    pub active: bool,
    /// The version in the registry that it was installed from, where it was.
    pub registry: Option<FromRegistry>,
    /// The last good copy of its descriptor, where there was one that could be read.
    pub descriptor: Option<Descriptor>,
    /// When it was installed.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A version in the registry that is installed. It is kept under its name and version: they do not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FromRegistry {
    /// Its identifier.
    pub registry_id: uuid::Uuid,
    /// The name of its integration.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl FromRegistry {
    /// What stands in for the address of a descriptor. It leads nowhere.
    pub fn json_url(&self) -> String {
        format!("registry:{}@{}", self.name, self.version)
    }
}

impl AppIntegration {
    /// What it does: by its descriptor, or else by what it is said to be.
    pub fn kind(&self) -> IntegrationKind {
        match &self.descriptor {
            Some(descriptor) => descriptor.kind.clone(),
            None => IntegrationKind::named(&self.integration_type),
        }
    }
}

/// An integration's use in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelUse {
    /// Its identifier.
    pub id: InstallationId,
    /// Where.
    pub channel_id: ChannelId,
    /// Whether it is switched on there.
    pub active: bool,
    /// Its place in the order: the lowest is called first.
    pub position: i32,
    /// When it was last changed.
    pub updated_at: Time,
}
