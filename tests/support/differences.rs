//! Where answers were not as the published document says.

use std::sync::{Arc, Mutex};

use tieline::api::shared::guard::Tell;

/// Every difference of one server. At the end of its test there may be none, whether or not somebody looked at the answer.
#[derive(Default)]
pub struct Differences(Arc<Mutex<Vec<String>>>);

impl Differences {
    /// Who is to be told of a difference.
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
