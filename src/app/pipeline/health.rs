//! Readiness and metrics.

use std::time::Duration;

use moka::future::Cache;
use uuid::Uuid;

use super::Pipeline;
use crate::{
    app::kernel::metrics::{DatabaseFacts, Exposition},
    domain::{Result, ambient::Ambient},
    store::{
        self,
        pipeline::{deliveries, gauges},
    },
};

/// Lifetime of a readiness result: more frequent probes cause no more writes.
const FRESH: Duration = Duration::from_millis(250);

/// Recent proof that the database keeps its writes.
pub struct Readiness {
    process_id: Uuid,
    recent: Cache<(), Result<()>>,
}

impl Readiness {
    /// Creates it without a proof.
    pub fn new(ambient: &Ambient) -> Self {
        Self { process_id: ambient.id(), recent: Cache::builder().max_capacity(1).time_to_live(FRESH).build() }
    }
}

impl Pipeline {
    /// Proves that requests can be served: a write is kept, and another connection reads it. The proof may be a quarter
    /// of a second old.
    ///
    /// # Errors
    /// [`crate::domain::Error::Storage`] naming what is wrong.
    pub async fn check_readiness(&self) -> Result<()> {
        let Readiness { process_id, recent } = &*self.readiness;
        let mark = self.base.ambient.id();
        recent.get_with((), store::kernel::readiness::prove(&self.base.store, *process_id, mark, self.base.now())).await
    }

    /// Returns the metrics, with those that come from the database brought up to date. Where it fails, one of them says
    /// so, and the others are as they were.
    ///
    /// # Errors
    /// [`crate::domain::Error::Internal`] when they cannot be encoded.
    pub async fn read_metrics(&self, format: Exposition) -> Result<String> {
        let facts =
            self.database_facts().await.inspect_err(|error| tracing::debug!(%error, "metrics lack the database"));
        self.base.metrics.database(facts.ok().as_ref());
        self.base.metrics.text(format)
    }

    async fn database_facts(&self) -> Result<DatabaseFacts> {
        let (store, reader) = (&self.base.store, self.base.store.reader());
        let waiting = deliveries::count_pending(reader).await?;
        let (failing, disabled) = gauges::count_unhealthy(reader).await?;
        let due_at = gauges::earliest_due(reader).await?;
        let oldest_due = due_at.and_then(|due_at| (self.base.now() - due_at).to_std().ok()).unwrap_or_default();
        let (connections, connection_waits) = store.connections();
        Ok(DatabaseFacts { waiting, oldest_due, failing, disabled, connections, connection_waits })
    }
}
