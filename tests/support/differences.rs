//! Differences between answers and the published document.

use std::sync::{Arc, Mutex};

use tieline::api::shared::guard::Tell;

/// Every difference of one server. At the end of its test there may be none, even in answers that the test ignored.
#[derive(Default)]
pub struct Differences(Arc<Mutex<Vec<String>>>);

impl Differences {
    /// Returns the callback that records a difference.
    pub fn tell(&self) -> Tell {
        let found = self.0.clone();
        Arc::new(move |difference| found.lock().unwrap().push(difference.to_owned()))
    }
}

impl Drop for Differences {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let found = self.0.lock().unwrap();
            assert!(found.is_empty(), "answers that are not as documented: {found:#?}");
        }
    }
}
