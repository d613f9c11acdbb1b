//! Ids and secrets that look random and are the same in every run: a keyed hash of a counter.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;

use super::sign::hex;

/// The counter and its key.
pub(crate) struct Ids {
    key: hmac::Key,
    serial: AtomicU64,
}

impl Ids {
    pub(crate) fn new(seed: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, seed.as_bytes()), serial: AtomicU64::new(1) }
    }

    /// The next number.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// A secret with this prefix, never given twice.
    pub(crate) fn secret(&self, prefix: &str) -> String {
        let serial = self.serial();
        let tag = hmac::sign(&self.key, format!("{prefix}{serial}").as_bytes());
        format!("{prefix}{serial:06}-{}", &hex(tag.as_ref())[..32])
    }

    /// An id as Slack writes them: a letter or two, then capitals and digits.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}0{:09}", self.serial())
    }
}
