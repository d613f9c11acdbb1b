//! Integrations that an organisation installs by a descriptor, and their use in channels.

use super::{
    ambient::Time,
    descriptor::{Descriptor, IntegrationKind},
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
    /// The last good copy of its descriptor, where there was one that could be read.
    pub descriptor: Option<Descriptor>,
    /// When it was installed.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
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
