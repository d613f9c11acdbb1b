//! What we do: the use cases. Each authorises, opens a transaction where it changes something, applies the rules of
//! `domain`, and saves. A use case has the name of the operation that calls it.
//!
//! Not here: HTTP, dialects, rows, the sending of deliveries (`worker`).

pub mod apps;
pub mod channels;
pub mod github;
pub mod kernel;
pub mod pipeline;
pub mod registry;
pub mod routes;
pub mod slack;
pub mod tenancy;
pub mod webhooks;
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
        apps::schedule::Zone,
        ids::OrganisationId,
        product::Product,
        slack::SlackUser,
        webhooks::script::ScriptMode,
    },
    provider::{
        github::{GithubClient, signature::Verifier as GithubVerifier},
        guard::Guard,
        script::ScriptEngine,
        slack::{SlackClient, signature::Verifier as SlackVerifier},
    },
    store::{Store, Tx, tenancy::audit},
};

pub use tenancy::access::Caller;

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
    pub vault: tenancy::vault::Vault,
    /// Knows callers.
    pub identity: tenancy::identity::Identity,
    /// Rate limit of wrong credentials.
    pub credential_checks: tenancy::credential_checks::CredentialChecks,
    /// Speaks to Slack, where an app is configured.
    pub slack: Option<SlackClient>,
    /// Knows Slack's requests by their signature.
    pub slack_signatures: Option<SlackVerifier>,
    /// People in Slack, for a short time, by workspace and id.
    pub slack_people: Cache<String, SlackUser>,
    /// Speaks to GitHub, where an app is configured.
    pub github: Option<GithubClient>,
    /// Knows GitHub's requests by their signature.
    pub github_signatures: Option<GithubVerifier>,
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
    pub readiness: pipeline::health::Readiness,
    /// Bounds on what owners and organisations may create.
    pub quotas: tenancy::quotas::Quotas,
    /// How fast messages come in by one key.
    pub inbound: kernel::throttle::Throttle,
    /// In which schedules are meant.
    pub zone: Zone,
    /// Where others reach this service.
    pub public_url: Url,
    /// How the product that people use is called, and where it is.
    pub product: Product,
    /// Accepts events.
    pub intake: pipeline::intake::Intake,
    /// Rings when deliveries may be due.
    pub bell: Arc<Notify>,
    /// Counts.
    pub metrics: kernel::metrics::Metrics,
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
    pub fn metrics(&self) -> &kernel::metrics::Metrics {
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
