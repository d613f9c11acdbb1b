//! Retention of finished deliveries, their events, and idempotency records.

use async_trait::async_trait;

use crate::{
    app::kernel::{Base, chore::Chore},
    domain::{Result, ambient::Time},
    store::pipeline::{events, housekeeping},
};

/// Removal of deliveries, and of events that no delivery needs.
pub struct Retention {
    base: Base,
    keep: chrono::Duration,
}

impl Retention {
    /// Creates the removal of rows older than `keep`.
    pub fn new(base: Base, keep: chrono::Duration) -> Self {
        Self { base, keep }
    }
}

#[async_trait]
impl Chore for Retention {
    async fn run(&self, now: Time) -> Result<u64> {
        let (db, before) = (self.base.store.writer(), now - self.keep);
        let mut removed = events::remove_expired_records(db, now).await?;
        loop {
            let slice = housekeeping::remove_deliveries(db, before).await?
                + housekeeping::remove_orphans(db, before).await?
                + housekeeping::remove_events(db, before).await?;
            removed += slice;
            if slice == 0 {
                return Ok(removed);
            }
            // Other writers may write between slices.
            tokio::task::yield_now().await;
        }
    }
}
