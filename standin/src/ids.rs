//! Ids and secrets that look random: a keyed hash of a counter, so that they are the same in every run with the same key.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;

/// Counter and its key.
pub(crate) struct Ids {
    key: hmac::Key,
    serial: AtomicU64,
}

impl Ids {
    pub(crate) fn new(seed: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, seed.as_bytes()), serial: AtomicU64::new(1) }
    }

    /// Returns the next number.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the number that [`Ids::serial`] will return next.
    pub(crate) fn next(&self) -> u64 {
        self.serial.load(Ordering::Relaxed)
    }

    /// Goes on from a number, if it is a later one.
    pub(crate) fn skip_to(&self, serial: u64) {
        self.serial.fetch_max(serial, Ordering::Relaxed);
    }

    /// Returns a unique secret with this prefix.
    pub(crate) fn secret(&self, prefix: &str) -> String {
        let serial = self.serial();
        let tag = hmac::sign(&self.key, format!("{prefix}{serial}").as_bytes());
        format!("{prefix}{serial:06}-{}", &hex(tag.as_ref())[..32])
    }

    /// Returns an id as Slack writes them: a letter or two, then capitals and digits.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}0{:09}", self.serial())
    }
    /// Returns a unique string of hexadecimal digits.
    pub(crate) fn digits(&self, count: usize) -> String {
        let tag = hmac::sign(&self.key, &self.serial().to_be_bytes());
        let mut text = hex(tag.as_ref());
        text.truncate(count);
        text
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Compares two secrets in constant time.
pub(crate) fn same_secret(left: &str, right: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}
