//! What we do: the use cases. Each authorises, opens a transaction where it changes something, applies the rules of
//! `domain`, and saves. A use case has the name of the operation that calls it.
//!
//! Not here: HTTP, dialects, rows, the sending of deliveries (`worker`).

pub mod access;
pub mod batch;
pub mod channel_inbound;
pub mod channel_integrations;
pub mod channel_messages;
pub mod channels;
pub mod consents;
pub mod credential;
pub mod credential_checks;
pub mod deliveries;
pub mod descriptors;
pub mod events;
pub mod github_connect;
pub mod github_inbound;
pub mod github_links;
pub mod health;
pub mod identity;
pub mod incoming_webhooks;
pub mod intake;
pub mod integration_calls;
pub mod integration_settings;
pub mod integrations;
pub mod invitations;
pub mod members;
pub mod metrics;
mod oauth_states;
pub mod org_integrations;
pub mod organisations;
pub mod outgoing_webhooks;
pub mod quotas;
pub mod registry;
mod route;
pub mod signatures;
pub mod slack_access;
pub mod slack_connect;
pub mod slack_inbound;
pub mod slack_links;
mod slack_runs;
pub mod slack_tokens;
pub mod subscriptions;
pub mod teams;
pub mod throttle;
pub mod ticks;
pub mod tokens;
pub mod vault;
pub mod webhook_history;
pub mod webhook_integrations;
pub mod workflows;

use std::{future::Future, sync::Arc, time::Duration};

use moka::future::Cache;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::{
    domain::{
        Result,
        ambient::{Ambient, Time},
        ids::OrganisationId,
        product::Product,
        schedule::Zone,
        script::ScriptMode,
        slack::SlackUser,
    },
    provider::{
        github::{self, GithubClient},
        guard::Guard,
        script::ScriptEngine,
        slack::{self, SlackClient},
    },
    store::{Store, Tx, audit},
};

pub use access::Caller;

/// The use cases and what they need. Cheap to clone.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

/// What [`App`] is put together from, in `startup`.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time and randomness.
    pub ambient: Ambient,
    /// Seals secrets.
    pub vault: vault::Vault,
    /// Knows callers.
    pub identity: identity::Identity,
    /// Rate limit of wrong credentials.
    pub credential_checks: credential_checks::CredentialChecks,
    /// Speaks to Slack, where an app is configured.
    pub slack: Option<SlackClient>,
    /// Knows Slack's requests by their signature.
    pub slack_signatures: Option<slack::signature::Verifier>,
    /// People in Slack, for a short time, by workspace and id.
    pub slack_people: Cache<String, SlackUser>,
    /// Speaks to GitHub, where an app is configured.
    pub github: Option<GithubClient>,
    /// Knows GitHub's requests by their signature.
    pub github_signatures: Option<github::signature::Verifier>,
    /// Calls URLs that tenants gave.
    pub guard: Guard,
    /// Runs scripts.
    pub scripts: ScriptEngine,
    /// Whether it may.
    pub script_mode: ScriptMode,
    /// Whether calls of outgoing webhooks are made again only where Rocket.Chat would.
    pub strict_retries: bool,
    /// Set where the addresses of incoming webhooks add and remove outgoing ones.
    pub self_service_hooks: bool,
    /// How long the call of an integration may take, but for a modifier's.
    pub call_limit: Duration,
    /// The limits of the registry, and what it counts.
    pub registry: registry::Registry,
    /// Proof that the database keeps what it is given.
    pub readiness: health::Readiness,
    /// Bounds on what owners and organisations may create.
    pub quotas: quotas::Quotas,
    /// How fast messages come in by one key.
    pub inbound: throttle::Throttle,
    /// In which schedules are meant.
    pub zone: Zone,
    /// Where others reach this service.
    pub public_url: Url,
    /// How the product that people use is called, and where it is.
    pub product: Product,
    /// Accepts events.
    pub intake: intake::Intake,
    /// Rings when deliveries may be due.
    pub bell: Arc<Notify>,
    /// Counts.
    pub metrics: metrics::Metrics,
    /// Runs what is done after an answer. Close it and wait for it to let the last of it finish.
    pub background: TaskTracker,
    /// How long an Idempotency-Key is remembered.
    pub idempotency_lifetime: Duration,
}

impl App {
    /// Puts the use cases together.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The database, for `worker`.
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    /// The time and randomness, for `worker`.
    pub fn ambient(&self) -> &Ambient {
        &self.parts.ambient
    }

    /// The counters.
    pub fn metrics(&self) -> &metrics::Metrics {
        &self.parts.metrics
    }

    /// Rings when deliveries may be due.
    pub fn bell(&self) -> &Notify {
        &self.parts.bell
    }

    /// Where others reach this service.
    pub fn public_url(&self) -> &Url {
        &self.parts.public_url
    }

    /// Does something once the far end has its answer. What must not be lost goes through the pipeline instead.
    fn afterwards(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.parts.background.spawn(work);
    }

    /// Waits until everything that was begun after an answer is done.
    pub async fn settle(&self) {
        self.parts.background.close();
        self.parts.background.wait().await;
        self.parts.background.reopen();
    }

    fn now(&self) -> Time {
        self.parts.ambient.now()
    }

    /// Writes a line of the audit log, in the transaction of the deed.
    async fn audit(
        &self,
        tx: &Tx,
        (organisation_id, actor): (OrganisationId, &str),
        action: &'static str,
        subject: impl ToString,
        detail: serde_json::Value,
    ) -> Result<()> {
        let entry = audit::Entry {
            id: self.parts.ambient.id(),
            organisation_id,
            actor: actor.to_owned(),
            action,
            subject: subject.to_string(),
            detail,
            created_at: self.now(),
        };
        audit::insert(tx, entry).await
    }
}
