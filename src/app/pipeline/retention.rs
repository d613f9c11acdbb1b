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
        partitions::{self, Days, day_of},
    },
};

/// Retention periods of the service.
#[derive(Clone, Copy, Debug)]
pub struct RetentionPeriods {
    /// That of finished deliveries, their attempts and their events.
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
    days: Days,
    keep: Duration,
}

/// Time for which a delivery is kept after its end, at most: of one that waited longer than it is kept, somebody is to see
/// what became of it.
const KEPT_ENDED: Duration = Duration::from_secs(7 * 24 * 3600);

impl Retention {
    /// Creates the removal of rows that are older than `keep`.
    pub fn new(base: Base, days: Days, keep: Duration) -> Self {
        Self { base, days, keep }
    }
}

#[async_trait]
impl Chore for Retention {
    async fn run(&self, now: Time) -> Result<u64> {
        let (store, before) = (&self.base.store, now - self.keep);
        let ended = now - self.keep.min(KEPT_ENDED);
        self.days.cover_ahead(store, now).await?;
        let mut removed = events::remove_expired_records(store.writer(), now).await?;
        let dropped = partitions::drop_days(store, before, ended).await?;
        if dropped > 0 {
            tracing::info!(partitions = dropped, "dropped what is past its retention");
        }
        // What a day is kept for is waited for, and then its other rows go one by one.
        let before = if store.is_embedded() { before } else { day_of(before) - chrono::Days::new(1) };
        // Deliveries first: they need their events.
        for aged in [Aged::Progress, Aged::Deliveries, Aged::Events] {
            for organisation_id in housekeeping::owners(store.reader(), aged, before).await? {
                removed += in_slices(|| housekeeping::remove(store, aged, organisation_id, (before, ended))).await?;
            }
        }
        Ok(removed)
    }
}
