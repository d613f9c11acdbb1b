//! Published documents as they are served: written down once, with a tag to ask by.

use std::fmt::Write;

use aws_lc_rs::digest;
use bytes::Bytes;
use serde_json::Value;

/// A published document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its file is `<name>.json`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it says.
    pub value: Value,
    /// The same, written down.
    pub text: Bytes,
    /// Changes with the text (RFC 9110, 8.8.3).
    pub etag: String,
}

impl Document {
    /// Writes a document down, always in the same way.
    pub fn new(name: &'static str, title: &'static str, value: Value) -> Self {
        let text = format!("{value:#}\n");
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let mut etag = String::from("\"");
        for byte in &digest.as_ref()[..12] {
            _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        Self { name, title, value, text: text.into(), etag }
    }
}

/// All published documents.
#[derive(Clone, Debug)]
pub struct Documents {
    /// Everything in one, OpenAPI 3.1.
    pub assembled: Document,
    /// One for each dialect, in the order of `api::ALL`.
    pub dialects: Vec<Document>,
}

impl Documents {
    /// Each of them, the assembled one first.
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
        assert_eq!(one.etag, same.etag);
        assert_ne!(one.etag, other.etag);
    }
}
