//! Everything one stand-in remembers. A reset puts a fresh Slack in place of the old one; the calls under way finish on
//! the one they began with.

use std::sync::Arc;

use parking_lot::RwLock;
use reqwest::Client;

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::faults::Faults;
use crate::options::Options;
use crate::slack::Slack;

/// One stand-in's memory.
pub(crate) struct World {
    options: Options,
    origin: String,
    client: Client,
    pub(crate) clock: Arc<Clock>,
    pub(crate) calls: CallLog,
    pub(crate) faults: Faults,
    pub(crate) connections: Connections,
    slack: RwLock<Arc<Slack>>,
}

impl World {
    pub(crate) fn new(options: Options, origin: String, client: Client) -> Self {
        let clock = Arc::new(Clock::default());
        let slack = Slack::seeded(&options, &origin, Arc::clone(&clock), client.clone());
        Self {
            options,
            origin,
            client,
            clock,
            calls: CallLog::default(),
            faults: Faults::default(),
            connections: Connections::default(),
            slack: RwLock::new(Arc::new(slack)),
        }
    }

    /// Slack as it is now.
    pub(crate) fn slack(&self) -> Arc<Slack> {
        Arc::clone(&self.slack.read())
    }

    /// Where this server is reached, without a path.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Back to how it all began.
    pub(crate) fn reset(&self) {
        self.clock.set_skew(0);
        self.calls.clear();
        self.faults.clear();
        let slack = Slack::seeded(&self.options, &self.origin, Arc::clone(&self.clock), self.client.clone());
        *self.slack.write() = Arc::new(slack);
    }
}
