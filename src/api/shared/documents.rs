//! Published documents as they are served: serialised once, with an entity tag.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

use super::{
    asset::{Asset, Caching},
    contract::Contract,
};
use crate::domain::{Error, Result};

/// A published document.
pub struct Document {
    /// Name of its file, `<name>.json`.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Content of the document.
    pub value: Value,
    /// Serialised content.
    pub text: Bytes,
    /// The same as a file for clients.
    pub asset: Arc<Asset>,
    /// The contract compiled from it: for requests alone, and with responses.
    contracts: [OnceLock<Arc<Contract>>; 2],
}

impl Document {
    /// Serialises a document, always in the same way.
    pub fn new(name: &'static str, title: &'static str, value: Value) -> Self {
        let text = Bytes::from(format!("{value:#}\n"));
        let asset = Arc::new(Asset::new("application/json", text.clone(), Caching::Revalidate));
        Self { name, title, value, text, asset, contracts: Default::default() }
    }

    /// The contract of requests, and with `responses` of answers too. It is compiled once.
    ///
    /// # Errors
    /// [`Error::Internal`] naming the place that cannot be compiled: a bug that the tests find.
    pub fn contract(&self, responses: bool) -> Result<Arc<Contract>> {
        let slot = &self.contracts[usize::from(responses)];
        if let Some(contract) = slot.get() {
            return Ok(contract.clone());
        }
        let contract = Contract::compile(&self.value, responses);
        let contract = contract.map_err(|error| Error::Internal(format!("{}.json: {error}", self.name)))?;
        Ok(slot.get_or_init(|| Arc::new(contract)).clone())
    }
}

/// All published documents.
pub struct Documents {
    /// All dialects in one document, OpenAPI 3.1.
    pub assembled: Document,
    /// One document for each dialect, in the order of `api::ALL`.
    pub dialects: Vec<Document>,
}

impl Documents {
    /// Returns every document, the assembled one first.
    pub fn all(&self) -> impl Iterator<Item = &Document> {
        std::iter::once(&self.assembled).chain(&self.dialects)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tag_changes_with_the_text() {
        let [one, same, other] = [1, 1, 2].map(|n| Document::new("d", "D", json!({ "n": n })));
        assert_eq!(one.text, "{\n  \"n\": 1\n}\n");
        assert_eq!(one.asset.etag(), same.asset.etag());
        assert_ne!(one.asset.etag(), other.asset.etag());
    }
}
