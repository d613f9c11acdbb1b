//! Apps: installation by descriptor, settings, calls, use in channels, ticks.
//!
//! Not here: the registry of versions (`registry`).

mod callbacks;
pub mod calls;
pub mod cards;
pub mod channel_apps;
pub mod consents;
pub mod descriptors;
pub mod installations;
pub mod installed;
pub mod keys;
pub mod matcher;
pub mod messages;
pub mod posts;
mod routes;
pub mod sender;
pub mod settings;
pub mod ticks;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    channels::Channels,
    github::GithubConnections,
    kernel::Base,
    pipeline::{Pipeline, ticker::Ticker},
    slack::SlackConnections,
    tenancy::{Tenancy, vault::Vault},
};
use crate::{
    domain::{
        Result,
        apps::{
            app::{App, RegistryReference},
            descriptor::Descriptor,
            schedule::Zone,
            setting::Setting,
        },
    },
    provider::guard::Guard,
    store::Tx,
};

/// Service of apps: installation, settings, calls, ticks.
#[derive(Clone)]
pub struct Apps {
    base: Base,
    tenancy: Arc<Tenancy>,
    pipeline: Arc<Pipeline>,
    channels: Arc<Channels>,
    slack: Arc<SlackConnections>,
    github: Arc<GithubConnections>,
    vault: Arc<Vault>,
    versions: Arc<dyn Versions>,
    guard: Guard,
    rules: Rules,
}

/// Settings of the operator for apps.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Longest duration of a call, except for modifiers.
    pub call_limit: Duration,
    /// Time zone in which schedules are evaluated.
    pub zone: Zone,
}

/// Rules of the registry for apps that were installed from one of its versions.
#[async_trait]
pub trait Versions: Send + Sync {
    /// Returns the current descriptor of a version, and locks the version for the transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::domain::Error::NotFound) where the version was removed meanwhile.
    async fn current_descriptor(&self, tx: &Tx, from: &RegistryReference) -> Result<Descriptor>;

    /// Records the installation of a version.
    ///
    /// # Errors
    /// When the database fails.
    async fn record_installation(&self, tx: &Tx, app: &App, from: &RegistryReference) -> Result<()>;

    /// Removes the record of an installation.
    ///
    /// # Errors
    /// When the database fails.
    async fn forget_installation(&self, tx: &Tx, from: &RegistryReference) -> Result<()>;

    /// Checks a setting against the configuration of the version, together with the other settings `around` it. Returns
    /// `false` where no configuration governs it.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::domain::Error::Invalid).
    async fn check_configuration(&self, app: &App, setting: &Setting, around: Vec<Setting>) -> Result<bool>;
}

impl Ticker for Arc<Apps> {
    async fn tick(&self, limit: u64) -> Result<usize> {
        Apps::tick(self, limit).await
    }
}

impl Apps {
    /// Returns the longest duration of a call.
    pub(in crate::app) fn call_limit(&self) -> Duration {
        self.rules.call_limit
    }

    /// Creates the service.
    pub fn new(
        base: Base,
        (tenancy, pipeline, channels): (Arc<Tenancy>, Arc<Pipeline>, Arc<Channels>),
        (slack, github): (Arc<SlackConnections>, Arc<GithubConnections>),
        (vault, guard): (Arc<Vault>, Guard),
        versions: Arc<dyn Versions>,
        rules: Rules,
    ) -> Self {
        Self { base, tenancy, pipeline, channels, slack, github, vault, versions, guard, rules }
    }
}
