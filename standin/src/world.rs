//! State of one stand-in. A reset replaces Slack and GitHub by fresh ones; calls in progress finish on those they began
//! with.

use std::sync::Arc;

use parking_lot::RwLock;
use reqwest::Client;

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::faults::Faults;
use crate::github::GitHub;
use crate::github::key::Key;
use crate::oidc::Oidc;
use crate::options::Options;
use crate::slack::Slack;

/// State of one stand-in.
pub(crate) struct World {
    options: Options,
    origin: String,
    clients: Clients,
    key: Arc<Key>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) calls: CallLog,
    pub(crate) faults: Faults,
    /// Faults of GitHub's routes; the others are Slack's.
    pub(crate) github_faults: Faults,
    pub(crate) connections: Connections,
    pub(crate) oidc: Oidc,
    slack: RwLock<Arc<Slack>>,
    github: RwLock<Arc<GitHub>>,
}

/// HTTP clients of each provider.
pub(crate) struct Clients {
    pub(crate) slack: Client,
    pub(crate) github: Client,
}

impl World {
    pub(crate) fn new(options: Options, origin: String, clients: Clients, key: Arc<Key>) -> Self {
        let clock = Arc::new(Clock::default());
        let slack = Slack::seeded(&options, &origin, Arc::clone(&clock), clients.slack.clone());
        let github = GitHub::seeded(&options, &origin, Arc::clone(&clock), Arc::clone(&key), clients.github.clone());
        Self {
            options,
            origin,
            clients,
            key,
            clock,
            calls: CallLog::default(),
            faults: Faults::default(),
            github_faults: Faults::default(),
            connections: Connections::default(),
            oidc: Oidc::default(),
            slack: RwLock::new(Arc::new(slack)),
            github: RwLock::new(Arc::new(github)),
        }
    }

    /// Returns the current Slack.
    pub(crate) fn slack(&self) -> Arc<Slack> {
        Arc::clone(&self.slack.read())
    }

    /// Returns the current GitHub.
    pub(crate) fn github(&self) -> Arc<GitHub> {
        Arc::clone(&self.github.read())
    }

    /// Returns the key of the GitHub App, which signs ID tokens too.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Address of this server, without a path.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Restores the initial state.
    pub(crate) fn reset(&self) {
        self.clock.set_skew(0);
        self.calls.clear();
        self.faults.clear();
        self.oidc.clear();
        self.github_faults.clear();
        let (clock, clients) = (Arc::clone(&self.clock), &self.clients);
        let slack = Slack::seeded(&self.options, &self.origin, Arc::clone(&clock), clients.slack.clone());
        *self.slack.write() = Arc::new(slack);
        let key = Arc::clone(&self.key);
        let github = GitHub::seeded(&self.options, &self.origin, clock, key, clients.github.clone());
        *self.github.write() = Arc::new(github);
    }
}
