//! Readiness and metrics.

use std::time::Duration;

use moka::future::Cache;
use uuid::Uuid;

use super::Pipeline;
use crate::{
    domain::{Result, ambient::Ambient},
    store,
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

    /// Returns the metrics, with those that come from the database brought up to date.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_metrics(&self) -> Result<String> {
        self.base.metrics.waiting(store::pipeline::deliveries::count_pending(self.base.store.reader()).await?);
        self.base.metrics.text()
    }
}
