//! Seam between housekeeping and the rooms: one [`Chore`] for each kind of row that is kept only for a time, registered
//! by the composition root.

use async_trait::async_trait;

use crate::domain::{Result, ambient::Time};

/// Removal of rows that are past their time, in slices, so that no statement holds the database for long.
#[async_trait]
pub trait Chore: Send + Sync {
    /// Removes what is past its time at `now`. Returns the number of removed rows.
    ///
    /// # Errors
    /// When the database fails; removed rows stay removed.
    async fn run(&self, now: Time) -> Result<u64>;
}
