//! Searches of lists: a period of time, and texts that are looked for.
//!
//! Identifiers are UUIDv7 and begin with their time, so a period is a range of identifiers. Not here: paging (`page`).

use uuid::Uuid;

use crate::domain::{Error, Result, ambient::Time};

/// Maximum length of a text that is looked for, in characters.
const MAX_CHARS: usize = 255;

/// A period of time: `since` is inclusive, `until` exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    since: Option<Time>,
    until: Option<Time>,
}

impl Period {
    /// Creates a period.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `until`, where it is not after `since`.
    pub fn new(since: Option<Time>, until: Option<Time>) -> Result<Self> {
        match (since, until) {
            (Some(since), Some(until)) if since >= until => Err(Error::invalid("until", "must be later than since")),
            _ => Ok(Self { since, until }),
        }
    }

    /// Returns the first identifier of the period.
    pub fn first(&self) -> Uuid {
        self.since.map_or(Uuid::nil(), first_id)
    }

    /// Returns the first identifier after the period.
    pub fn end(&self) -> Uuid {
        self.until.map_or(Uuid::max(), first_id)
    }
}

/// Returns a lower bound of the identifiers of a moment, above all of earlier ones (RFC 9562, 5.7).
pub fn first_id(time: Time) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default().min((1 << 48) - 1);
    Uuid::from_u128(u128::from(millis) << 80)
}

/// Checks the length of a text, or a pattern, that is looked for.
///
/// # Errors
/// [`Error::Invalid`] naming the parameter.
pub fn sought(parameter: &str, text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if !(1..=MAX_CHARS).contains(&text.chars().count()) => {
            Err(Error::invalid(parameter, format!("must be 1 to {MAX_CHARS} characters")))
        }
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Option<Time> {
        Time::from_timestamp_millis(millis)
    }

    fn id(millis: u64, rest: u8) -> Uuid {
        uuid::Builder::from_unix_timestamp_millis(millis, &[rest; 10]).into_uuid()
    }

    #[test]
    fn a_period_is_a_range_of_identifiers() {
        let period = Period::new(at(1_795_000_000_000), at(1_795_000_000_002)).unwrap();
        let within = |id: Uuid| period.first() <= id && id < period.end();
        for rest in [0, 0xFF] {
            assert!(!within(id(1_794_999_999_999, rest)) && !within(id(1_795_000_000_002, rest)));
            assert!(within(id(1_795_000_000_000, rest)) && within(id(1_795_000_000_001, rest)));
        }
        let always = Period::default();
        assert!(always.first() <= id(0, 0) && id(u64::MAX >> 16, 0xFF) < always.end());
        let odd = Period::new(at(-5), Some(Time::MAX_UTC)).unwrap();
        assert!(odd.first().is_nil() && id(1_795_000_000_000, 0xFF) < odd.end());
    }

    #[test]
    fn a_period_has_a_duration() {
        assert!(Period::new(at(5), at(5)).is_err() && Period::new(at(6), at(5)).is_err());
        assert!(Period::new(at(5), None).is_ok() && Period::new(None, at(5)).is_ok());
    }

    #[test]
    fn a_text_has_a_length() {
        assert_eq!(sought("text", None).ok(), Some(None));
        assert!(sought("text", Some("ä".repeat(255))).is_ok());
        assert!(sought("text", Some(String::new())).is_err() && sought("text", Some("a".repeat(256))).is_err());
    }
}
