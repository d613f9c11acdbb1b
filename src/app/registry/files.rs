//! Icons and readmes. Their addresses contain an unguessable key, so that a page can show them without a credential; a
//! changed file gets another key, so that a fetched file is immutable.
//!
//! Not here: their check at creation (`domain::registry`).

use super::Registry;
use crate::{
    domain::{Error, Result, error::Noun, registry::Entry},
    store::{Tx, registry},
};

/// 26 digits of Crockford's Base32 encode 128 bits.
const KEY_CHARS: usize = 26;

impl Registry {
    /// Returns the SVG icon with a key.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_integration_icon(&self, file: &str) -> Result<String> {
        let not_found = || Error::not_found(Noun::Integration, file);
        let key = key(file, ".svg").ok_or_else(not_found)?;
        registry::icon(self.base.store.reader(), key).await?.ok_or_else(not_found)
    }

    /// Returns the Markdown readme with a key.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_integration_readme(&self, file: &str) -> Result<String> {
        let not_found = || Error::not_found(Noun::Integration, file);
        let key = key(file, ".md").ok_or_else(not_found)?;
        registry::readme(self.base.store.reader(), key).await?.ok_or_else(not_found)
    }

    /// Replaces the icon of an integration; an identical one keeps its address.
    pub(super) async fn keep_icon(&self, tx: &Tx, entry: Entry<'_>, icon: Vec<u8>) -> Result<()> {
        let icon = String::from_utf8(icon).map_err(|_| Error::Internal("an icon is not text".into()))?;
        if registry::icon_of(tx, entry).await?.as_ref() == Some(&icon) {
            return Ok(());
        }
        registry::set_icon(tx, entry, &self.fresh_file_key(), icon).await
    }

    pub(super) fn fresh_file_key(&self) -> String {
        let bits = u128::from_be_bytes(self.base.ambient.random::<16>());
        let id = uuid::Uuid::from_u128(bits);
        let text = crate::domain::registry::PublicId { prefix: "", id }.to_string();
        text.trim_start_matches('_').to_ascii_lowercase()
    }
}

fn key<'a>(file: &'a str, ending: &str) -> Option<&'a str> {
    file.strip_suffix(ending).filter(|key| key.len() == KEY_CHARS && key.bytes().all(|b| b.is_ascii_alphanumeric()))
}
