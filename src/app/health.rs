//! Whether we live and whether we can work.

use super::App;
use crate::{domain::Result, store};

impl App {
    /// Whether requests can be served: the database answers.
    ///
    /// # Errors
    /// [`crate::domain::Error::Unavailable`] naming what does not.
    pub async fn check_readiness(&self) -> Result<()> {
        self.parts.store.ping().await
    }

    /// The metrics, with what must be asked of the database brought up to date.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_metrics(&self) -> Result<String> {
        self.parts.metrics.waiting(store::deliveries::count_pending(self.parts.store.reader()).await?);
        self.parts.metrics.text()
    }
}
