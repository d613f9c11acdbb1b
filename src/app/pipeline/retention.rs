//! Retention of finished deliveries, their events, and idempotency records.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    app::{
        Caller,
        kernel::{
            Base,
            chore::{Chore, in_slices},
        },
    },
    domain::{Result, ambient::Time, tenancy::member::Permission},
    store::pipeline::{
        events,
        housekeeping::{self, Aged},
    },
};

/// Retention periods of the service.
#[derive(Clone, Copy, Debug)]
pub struct RetentionPeriods {
    /// That of finished deliveries, their attempts and their events, from the end of the delivery on.
    pub deliveries: Duration,
    /// That of the answer to an `Idempotency-Key`.
    pub idempotency_keys: Duration,
}

impl super::Pipeline {
    /// Returns the retention periods.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden).
    pub fn get_retention(&self, caller: &Caller) -> Result<RetentionPeriods> {
        caller.require(Permission::DeliveriesRead)?;
        Ok(self.retention)
    }
}

/// Removal of deliveries, and of events that no delivery needs.
pub struct Retention {
    base: Base,
    keep: Duration,
}

impl Retention {
    /// Creates the removal of rows older than `keep`.
    pub fn new(base: Base, keep: Duration) -> Self {
        Self { base, keep }
    }
}

#[async_trait]
impl Chore for Retention {
    async fn run(&self, now: Time) -> Result<u64> {
        let (store, before) = (&self.base.store, now - self.keep);
        let mut removed = events::remove_expired_records(store.writer(), now).await?;
        // Deliveries first: they need their events.
        for aged in [Aged::Deliveries, Aged::Events] {
            for organisation_id in housekeeping::owners(store.reader(), aged, before).await? {
                removed += in_slices(|| housekeeping::remove(store, aged, organisation_id, before)).await?;
            }
        }
        Ok(removed)
    }
}
