//! The names in a definition: of integrations, identifiers, secrets, and the handles of workspaces.
//!
//! Not here: the ownership of names (`judge`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Error, Result};

/// Maximum length of an integration's name, in characters.
pub const MAX_NAME: usize = 200;

/// Maximum length of a workspace's handle.
pub const MAX_HANDLE: usize = 64;

/// The name of an integration: `teams`, or with the handle of its workspace, `acme/teams`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DefinitionName(String);

/// Rule for a name; its text continues after the location.
pub(super) const NAME_RULE: &str = "must be lower-case letters, digits, \"-\" and \"_\", beginning with a letter, with at \
                                    most one handle before it, such as \"teams\" or \"acme/teams\"";

impl DefinitionName {
    /// Parses a name. `None` if it is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let (handle, local) = match text.split_once('/') {
            Some((handle, local)) => (Some(handle), local),
            None => (None, text),
        };
        let fits = text.len() <= MAX_NAME
            && handle.is_none_or(is_handle)
            && local.starts_with(|c: char| c.is_ascii_lowercase())
            && local.bytes().all(is_name_byte);
        fits.then(|| Self(text.to_owned()))
    }

    /// Returns the whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the handle before it.
    pub fn handle(&self) -> Option<&str> {
        self.0.split_once('/').map(|(handle, _)| handle)
    }

    /// Returns the name without a handle.
    pub fn local(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, local)| local)
    }

    /// Returns the same name under a handle: a suggestion for a workspace with that handle.
    pub fn under(&self, handle: &str) -> String {
        format!("{handle}/{}", self.local())
    }

    /// Placeholder in a definition that is never seen, because its own name has issues.
    pub(super) fn unknown() -> Self {
        Self("unknown".to_owned())
    }
}

impl fmt::Display for DefinitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DefinitionName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("a name {NAME_RULE}"))
    }
}

impl From<DefinitionName> for String {
    fn from(name: DefinitionName) -> Self {
        name.0
    }
}

/// Validates the handle of a workspace.
///
/// # Errors
/// [`Error::Invalid`] naming `/handle`.
pub fn handle(text: &str) -> Result<String> {
    if is_handle(text) {
        Ok(text.to_owned())
    } else {
        let rule = format!(
            "must be 1 to {MAX_HANDLE} of a-z, 0-9, - and _, beginning and ending with a letter or digit, such as \
             \"acme\""
        );
        Err(Error::invalid("/handle", rule))
    }
}

fn is_handle(text: &str) -> bool {
    let is_end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    bytes.len() <= MAX_HANDLE
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().copied().all(is_name_byte)
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_'
}

/// Rule for an identifier; its text continues after the location.
pub(super) const IDENTIFIER_RULE: &str =
    "must be an identifier: 2 to 100 letters and digits, beginning with a lower-case letter, such as \"sendMessage\"";

/// Returns true for a valid identifier of an action, a channel, a message, an event or a state.
pub(super) fn is_identifier(text: &str) -> bool {
    (2..=100).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Rule for the name of a secret; its text continues after the location.
pub(super) const SECRET_RULE: &str =
    "must be named in SCREAMING_SNAKE case: upper-case words and digits, joined by \"_\", such as \"API_KEY\"";

/// Returns true for a valid name of a secret: upper-case words, joined by one `_` each, at most 200 characters.
pub(super) fn is_secret_name(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    text.len() <= MAX_NAME && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.split('_').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_at_most_one_handle() {
        let long = "a".repeat(200);
        for (text, handle, local) in [
            ("teams", None, "teams"),
            ("n8n", None, "n8n"),
            ("magento2", None, "magento2"),
            ("a-b_c", None, "a-b_c"),
            ("a", None, "a"),
            ("acme/teams", Some("acme"), "teams"),
            ("0-x_9/teams", Some("0-x_9"), "teams"),
            (&long, None, &long),
        ] {
            let name = DefinitionName::parse(text).unwrap();
            assert_eq!((name.handle(), name.local(), name.as_str()), (handle, local, text));
            assert_eq!(name.under("ada"), format!("ada/{local}"));
        }
        let longer = "a".repeat(201);
        let handle = format!("{}/x", "a".repeat(65));
        let bad = [
            "", "/", "a/", "/a", "a/b/c", "Teams", "te ams", "1teams", "-a", "_a", "a.b", "a/1", "-a/b", "a-/b", "é",
            "a\0", &longer, &handle,
        ];
        for text in bad {
            assert_eq!(DefinitionName::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn handles_begin_and_end_with_a_letter_or_digit() {
        for text in ["a", "acme", "0a", "a-b", "a_b", &"a".repeat(64)] {
            assert_eq!(handle(text).unwrap(), text);
        }
        for text in ["", "-a", "a-", "_a", "A", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(handle(text).unwrap_err().to_string().starts_with("/handle: must be 1 to 64"), "{text:?}");
        }
    }

    #[test]
    fn identifiers_are_camel_case() {
        for text in ["ab", "sendMessage", "a1", "sendURL", &"a".repeat(100)] {
            assert!(is_identifier(text), "{text:?}");
        }
        for text in ["", "a", "A", "Send", "send_message", "send-message", "1a", "é1", "a.b", &"a".repeat(101)] {
            assert!(!is_identifier(text), "{text:?}");
        }
    }

    #[test]
    fn secrets_are_upper_case_words() {
        for text in ["A", "A_B", "A1_B2", "API_KEY", "A_1"] {
            assert!(is_secret_name(text), "{text:?}");
        }
        for text in ["", "a", "A-B", "A__B", "_A", "A_", "Ab", "1A", "A B", "É", &"A".repeat(201)] {
            assert!(!is_secret_name(text), "{text:?}");
        }
    }
}
