//! The organisation: the tenant. Everything else belongs to one.
//!
//! Not here: its members.

use crate::domain::{Error, Result, ambient::Time, ids::OrganisationId};

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its identifier.
    pub id: OrganisationId,
    /// Its handle, unique in the whole service.
    pub slug: Slug,
    /// Display name.
    pub name: String,
    /// Time of creation.
    pub created_at: Time,
}

/// A handle: 1 to 63 of `a-z`, `0-9` and `-`, beginning and ending with a letter or digit (as a DNS label, RFC 1035).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    /// Validates a handle.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `/slug`.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid(
                "/slug",
                "must be 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit, such as \"acme\"",
            ))
        }
    }

    /// Returns the handle as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Validates a display name: 1 to `max_chars` characters, not all blank, no control characters.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub fn display_name(field: &str, text: &str, max_chars: usize) -> Result<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > max_chars || trimmed.chars().any(char::is_control) {
        return Err(Error::invalid(field, format!("must be 1 to {max_chars} characters without control characters")));
    }
    Ok(trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_dns_labels() {
        let longest = "a".repeat(63);
        for good in ["a", "acme", "acme-2", "0x", longest.as_str()] {
            assert!(Slug::parse(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-a", "a-", "Acme", "a_b", "a b", "é", too_long.as_str()] {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(display_name("/name", "  Acme ", 5).ok().as_deref(), Some("Acme"));
        for bad in ["", "  ", "too long", "a\nb"] {
            assert!(display_name("/name", bad, 5).is_err(), "{bad:?}");
        }
    }
}
