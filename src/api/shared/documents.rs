//! Published documents as they are served and enforced.
//!
//! Not here: how they come about from the code (`openapi`).

use std::sync::{Arc, OnceLock};

use super::{asset::Asset, contract::Contract};
use crate::domain::{Error, Result};

/// A published document.
pub struct Document {
    /// Name of its file, `<name>.json`.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Its text as a file for clients.
    pub text: Arc<Asset>,
    /// The contract compiled from it: for requests alone, and with responses.
    contracts: [OnceLock<Result<Contract, String>>; 2],
}

impl Document {
    /// Names a text.
    pub fn new(name: &'static str, title: &'static str, text: Asset) -> Self {
        Self { name, title, text: Arc::new(text), contracts: Default::default() }
    }

    /// The contract of requests, and with `responses` of answers too. It is compiled when it is asked for first: a
    /// process that serves one dialect keeps one.
    ///
    /// # Errors
    /// [`Error::Internal`] naming the place that cannot be compiled: a bug that the tests find.
    pub fn contract(&self, responses: bool) -> Result<&Contract> {
        let compile = || {
            let text = self.text.content().map_err(|error| error.to_string())?;
            Contract::compile(serde_json::from_slice(&text).map_err(|error| error.to_string())?, responses)
        };
        let contract = self.contracts[usize::from(responses)].get_or_init(compile).as_ref();
        contract.map_err(|error| Error::Internal(format!("{}.json: {error}", self.name)))
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
