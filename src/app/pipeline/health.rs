//! Readiness and metrics.

use std::time::Duration;

use moka::future::Cache;
use uuid::Uuid;

use super::Pipeline;
use crate::{
    domain::{Result, ambient::Ambient},
    store,
};

/// How long an answer about readiness is given again: whoever asks more often causes no more writes.
const FRESH: Duration = Duration::from_millis(250);

/// The recent proof that the database keeps what it is given.
pub struct Readiness {
    process_id: Uuid,
    recent: Cache<(), Result<()>>,
}

impl Readiness {
    /// One that has nothing proved yet.
    pub fn new(ambient: &Ambient) -> Self {
        Self { process_id: ambient.id(), recent: Cache::builder().max_capacity(1).time_to_live(FRESH).build() }
    }
}

impl Pipeline {
    /// Proves that requests can be served: a write is kept, and another connection reads it. The answer may be a quarter
    /// of a second old.
    ///
    /// # Errors
    /// [`crate::domain::Error::Storage`] naming what is wrong.
    pub async fn check_readiness(&self) -> Result<()> {
        let Readiness { process_id, recent } = &*self.readiness;
        let mark = self.base.ambient.id();
        recent.get_with((), store::kernel::readiness::prove(&self.base.store, *process_id, mark, self.base.now())).await
    }

    /// The metrics, with what must be asked of the database brought up to date.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_metrics(&self) -> Result<String> {
        self.base.metrics.waiting(store::pipeline::deliveries::count_pending(self.base.store.reader()).await?);
        self.base.metrics.text()
    }
}
