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

/// Removes slice after slice until one is empty; others may write between two of them. Returns the number of removed rows.
///
/// # Errors
/// Those of `remove`, which removes a slice.
pub async fn in_slices<F: Future<Output = Result<u64>>>(mut remove: impl FnMut() -> F) -> Result<u64> {
    let mut removed = 0;
    loop {
        let slice = remove().await?;
        if slice == 0 {
            return Ok(removed);
        }
        removed += slice;
        tokio::task::yield_now().await;
    }
}
