//! Statistics of deliveries.

use chrono::TimeDelta;

use super::Pipeline;
use crate::{
    app::Caller,
    domain::{Error, Result, ambient::Time, ids::DestinationId, search::Period, tenancy::member::Permission},
    store,
};

pub use store::pipeline::deliveries::Hour;

/// Longest period of statistics.
const LONGEST: TimeDelta = TimeDelta::days(31);
/// Period of statistics where none is named.
const USUAL: TimeDelta = TimeDelta::days(1);

impl Pipeline {
    /// Counts the deliveries of a period by destination and hour, the newest hour first. `until` is the present moment, and
    /// `since` a day before, where they are absent.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] for a period of more than 31 days, [`Error::NotFound`].
    pub async fn get_statistics(
        &self,
        caller: &Caller,
        destination_id: Option<DestinationId>,
        (since, until): (Option<Time>, Option<Time>),
    ) -> Result<Vec<Hour>> {
        caller.require(Permission::DeliveriesRead)?;
        let reader = self.base.store.reader();
        if let Some(id) = destination_id {
            store::pipeline::destinations::find(reader, caller.organisation_id, id).await?;
        }
        // The present millisecond is a part of it.
        let until = until.unwrap_or_else(|| self.base.now() + TimeDelta::milliseconds(1));
        let since = since.or_else(|| until.checked_sub_signed(USUAL)).unwrap_or(Time::MIN_UTC);
        if until - since > LONGEST {
            return Err(Error::invalid("since", "must be at most 31 days before until"));
        }
        let period = Period::new(Some(since), Some(until))?;
        store::pipeline::deliveries::statistics(reader, caller.organisation_id, destination_id, period).await
    }
}
