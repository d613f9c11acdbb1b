//! Changes of destinations that hold for every kind: their retry schedule, and whether anything is sent.
//!
//! Not here: their addresses, which belong to the rooms.

use serde_json::json;

use super::{Pipeline, deliveries::shown};
use crate::{
    app::Caller,
    domain::{
        Result,
        ids::DestinationId,
        pipeline::{
            delivery::DeliveryState,
            destination::{Destination, Health},
            retry::RetrySchedule,
        },
        tenancy::member::Permission,
    },
    store,
};

/// Reason of a destination that a member disabled.
const DISABLED: &str = "a member disabled this destination; enable it, and replay what failed";

/// A patch of a destination: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct DestinationChange {
    /// Retry schedule, in seconds; `Some(None)` removes its own.
    pub retry_schedule: Option<Option<Vec<u64>>>,
    /// True enables it, and ends its failures; false disables it, and fails its pending deliveries.
    pub enabled: Option<bool>,
}

impl Pipeline {
    /// Changes a destination.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden), [`Error::NotFound`](crate::domain::Error::NotFound),
    /// [`Error::Invalid`](crate::domain::Error::Invalid).
    pub async fn update_destination(
        &self,
        caller: &Caller,
        id: DestinationId,
        change: DestinationChange,
    ) -> Result<Destination> {
        caller.require(Permission::RoutesManage)?;
        let DestinationChange { retry_schedule, enabled } = change;
        let schedule = retry_schedule
            .map(|seconds| seconds.map(|seconds| RetrySchedule::new("/retrySchedule", &seconds)).transpose());
        let (schedule, now) = (schedule.transpose()?, self.base.now());
        let tx = self.base.store.begin().await?;
        store::pipeline::destinations::find(&tx, caller.organisation_id, id).await?;
        if let Some(schedule) = &schedule {
            store::pipeline::destinations::set_retry_schedule(&tx, id, schedule.as_ref()).await?;
        }
        match enabled {
            None => {}
            Some(true) => store::pipeline::destinations::set_health(&tx, id, &Health::Healthy).await?,
            Some(false) => {
                let off = Health::Disabled { reason: DISABLED.to_owned(), since: now };
                store::pipeline::deliveries::end_pending(&tx, id, DeliveryState::Failed, DISABLED, now).await?;
                store::pipeline::destinations::set_health(&tx, id, &off).await?;
            }
        }
        let detail = json!({"retry_schedule": schedule.map(|own| own.map(|own| own.seconds())), "enabled": enabled});
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "destination.update", id, detail).await?;
        let changed = store::pipeline::destinations::find(&tx, caller.organisation_id, id).await?;
        tx.commit().await?;
        Ok(shown(changed))
    }
}
