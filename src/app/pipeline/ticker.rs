//! Seam between the clock and the rooms that have schedules.
//!
//! Not here: the loop (`worker::clock`).

use std::future::Future;

use crate::domain::Result;

/// Room with schedules.
pub trait Ticker: Send + Sync {
    /// Accepts the events of the schedules that are due, at most `limit`, and returns their number.
    ///
    /// # Errors
    /// When the database fails; the schedules are due again then.
    fn tick(&self, limit: u64) -> impl Future<Output = Result<usize>> + Send;
}
