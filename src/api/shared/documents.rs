//! Published documents as they are served: serialised once, with an entity tag.

use std::fmt::Write;

use aws_lc_rs::digest;
use bytes::Bytes;
use serde_json::Value;

/// A published document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Name of its file, `<name>.json`.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Content of the document.
    pub value: Value,
    /// Serialised content.
    pub text: Bytes,
    /// Entity tag, which changes with the text (RFC 9110, 8.8.3).
    pub etag: String,
}

impl Document {
    /// Serialises a document, always in the same way.
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
        assert_eq!(one.etag, same.etag);
        assert_ne!(one.etag, other.etag);
    }
}
